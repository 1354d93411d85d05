"""The only writer to MLflow: runs, metrics, artifacts, registered versions and their aliases."""

import math
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from features.errors import WRONG_PATH, InputError, UnavailableError, explain_os_error
from features.home import tracking_uri
from training.records.entities import DESCRIPTION, KINDS, MEANINGS, SOURCE
from training.records.folders import find_folder, share_files
from training.records.mlflow_errors import plain_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric, Run

    from training.models.artifacts import StoredModel

EXPERIMENT, BENCHMARKS, EXPERIMENTS = "regroup-nightly", "regroup-benchmarks", "regroup-experiments"
CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
NIGHT = "night"
FORECASTS = ("struggle", "mastery")
JUDGED = "judged-"
"""Begins the names of artifacts that were judged by the gate, where those that serve were refitted afterwards."""
MODELS = (*FORECASTS, *(JUDGED + forecast for forecast in FORECASTS))
"""Artifacts of a run that are models."""

PAGE = "record.html"
"""The artifact with the page of the night."""

AT_ONCE = 1000
"""Runs that are asked for at once."""


@dataclass(frozen=True)
class Change:
    """A run became champion.

    Attributes:
        at: When, in UTC.
        run_id: The run.
        as_of: The moment of the data that it was trained on.
        reason: Who decided so, `night`, `promote` or `rollback`, and why.
        alias: What the run is now: `champion`, `previous` or neither.
    """

    at: str
    run_id: str
    as_of: str
    reason: str
    alias: str


def model_name(forecast: str) -> str:
    """Names the registered model of a forecast.

    Example:
        >>> model_name("struggle")
        'regroup-struggle'
    """
    return f"regroup-{forecast}"


class Tracking:
    """MLflow's store at one address."""

    def __init__(self, uri: str | None = None) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")  # 14 s of waiting; 7 would be four minutes
        self.uri = uri or tracking_uri()
        self._folder: Path | None = None
        if self.uri.startswith("sqlite:///"):
            self._folder = Path(self.uri.removeprefix("sqlite:///")).resolve().parent
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                # several processes that first touch a new database at once corrupt its migration
                with FileLock(self._folder / "first-touch.lock"):
                    self._client = self._connect()
            except OSError as error:
                raise explain_os_error(error, f"MLflow's folder {self._folder} cannot be used", WRONG_PATH) from error
        else:
            self._client = self._connect()

    def _connect(self) -> "MlflowClient":
        from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds

        with plain_errors(self.uri):
            client = MlflowClient(self.uri, self.uri)
            client.search_registered_models(max_results=1)
        return client

    @property
    def client(self) -> "MlflowClient":
        """MLflow's own, for the retention of runs."""
        return self._client

    def champion(self) -> str | None:
        """Returns the run whose versions are champion, or None when there is none or the two forecasts disagree."""
        return self._run_of_both(CHAMPION)

    def _run_of_both(self, alias: str) -> str | None:
        with plain_errors(self.uri):
            runs = {self._run_of(forecast, alias) for forecast in FORECASTS}
            return runs.pop() if len(runs) == 1 else None

    def needs_prior(self) -> bool:
        """Whether a forecast has no champion; two that disagree are a promotion that was cut short."""
        with plain_errors(self.uri):
            return None in {self._run_of(forecast, CHAMPION) for forecast in FORECASTS}

    def log_run(
        self,
        night: str,
        tags: Mapping[str, str],
        parameters: Mapping[str, Any],
        metrics: Mapping[str, float],
        models: Mapping[str, Path],
        texts: Mapping[str, str],
        name: str = "",
        description: str = "",
        data: "Sequence[DatasetInput]" = (),
        experiment: str = EXPERIMENT,
    ) -> str:
        """Logs one finished run and returns its id; a run of that night that is there already is completed.

        Args:
            night: A name of the night, by which its run is found again.
            tags: Tags of the run.
            parameters: Parameters of the run.
            metrics: Figures; those that are null are left out.
            models: Folders that become artifacts, by name.
            texts: Artifacts by name.
            name: What people call the run.
            description: What MLflow shows on top of it, in Markdown.
            data: What `describe_data` says of the log.
            experiment: Where it is listed.
        """
        from mlflow.entities import Param, RunTag  # noqa: PLC0415

        run_id = self.find_run(night, experiment)
        with plain_errors(self.uri):
            if run_id is None:
                made = self._client.create_run(self._experiment(experiment), run_name=name or None, tags={NIGHT: night})
                run_id = str(made.info.run_id)
            self._client.log_batch(
                run_id,
                metrics=_finite(metrics, self._client.get_run(run_id).info.start_time),
                params=[Param(key, str(value)) for key, value in parameters.items()],
                tags=[RunTag(tag, value) for tag, value in {**SOURCE, **tags, DESCRIPTION: description}.items()],
            )
            if data:
                self._client.log_inputs(run_id, data)
            for artifact, folder in models.items():
                self._client.log_artifacts(run_id, str(folder), artifact)
            if models and (place := find_folder(self._client.get_run(run_id).info.artifact_uri)) is not None:
                share_files(place)
            self.log_texts(run_id, texts)
            self._client.set_terminated(run_id)
            return run_id

    def log_texts(self, run_id: str, texts: Mapping[str, str]) -> None:
        """Adds artifacts to a run, in place of those that have their names."""
        with plain_errors(self.uri):
            for name, text in texts.items():
                self._client.log_text(run_id, text, name)

    def find_run(self, night: str, experiment: str = EXPERIMENT) -> str | None:
        """The run of a night; null where none was logged."""
        with plain_errors(self.uri):
            found = self._client.search_runs([self._experiment(experiment)], f"tags.{NIGHT} = '{night}'", max_results=1)
            return str(found[0].info.run_id) if found else None

    def log_benchmark(
        self, name: str, tags: Mapping[str, str], children: Mapping[str, Mapping[str, float]], folder: Path
    ) -> str:
        """Logs one benchmark as a run with everything in the folder as artifacts, and returns its id.

        Args:
            name: Name of the run.
            tags: Tags of the run and of its children.
            children: Metrics of each model, which becomes a child run of that name.
            folder: Holds the figures and charts.
        """
        with plain_errors(self.uri):
            experiment = self._experiment(BENCHMARKS)
            parent = str(self._client.create_run(experiment, run_name=name, tags=dict(tags)).info.run_id)
            self._client.log_artifacts(parent, str(folder))
            for model, metrics in children.items():
                own = {**tags, "model": model, "mlflow.parentRunId": parent}
                run_id = str(self._client.create_run(experiment, run_name=model, tags=own).info.run_id)
                self._client.log_batch(run_id, metrics=_finite(metrics))
                self._client.set_terminated(run_id)
            self._client.set_terminated(parent)
            return parent

    def register(self, run_id: str, forecasts: tuple[str, ...], kind: str = "trained") -> None:
        """Registers the run's bundle of each forecast as a version of a kind, once, with the alias `challenger`.

        A version has the tags of its run that are not MLflow's own.
        """
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        with plain_errors(self.uri):
            run = self._client.get_run(run_id)
            root = run.info.artifact_uri
            tags = {name: value for name, value in run.data.tags.items() if not name.startswith("mlflow.")}
            for forecast in forecasts:
                name = model_name(forecast)
                try:
                    self._client.create_registered_model(name, description=MEANINGS[name])
                except MlflowException as error:
                    if error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise
                version = self._find_version(forecast, run_id)
                if version is None:
                    said = f"{KINDS[kind]} {run.info.run_name}, data as of {tags.get('as_of', 'the end of the log')}."
                    made = self._client.create_model_version(
                        name, f"{root}/{forecast}", run_id, tags={**tags, "kind": kind}, description=said
                    )
                    version = int(made.version)
                self._client.set_registered_model_alias(name, CHALLENGER, str(version))

    def promote(self, run_id: str, reason: str = "by hand", at: str = "") -> None:
        """Moves `champion` to the run's versions, and `previous` to those that were champion before.

        Done once more after it was interrupted, it leaves what it would have left.

        Args:
            run_id: The run.
            reason: Who decided so and why; a tag of the run keeps it.
            at: When that was, in UTC; now unless given.

        Raises:
            InputError: The run has no registered version of a forecast.
        """
        with plain_errors(self.uri):
            versions = {forecast: self._version_of(forecast, run_id) for forecast in FORECASTS}
            for forecast, version in versions.items():
                name, old = model_name(forecast), self._run_of(forecast, CHAMPION)
                if old not in (None, run_id):
                    self._client.set_registered_model_alias(name, PREVIOUS, str(self._version_of(forecast, old)))
                self._client.set_registered_model_alias(name, CHAMPION, str(version))
            at = at or datetime.now(UTC).isoformat(" ", "seconds")
            self._client.set_tag(run_id, f"{CHAMPION} {at.removesuffix('+00:00')}", reason)

    def previous(self) -> str | None:
        """Returns the run that was champion before, or None when there is none."""
        return self._run_of_both(PREVIOUS)

    def require_versions(self, run_id: str) -> None:
        """Refuses a run without a registered version of each forecast.

        Raises:
            InputError: It has none.
        """
        with plain_errors(self.uri):
            for forecast in FORECASTS:
                self._version_of(forecast, run_id)

    def list_changes(self) -> list[Change]:
        """Every time that a run became champion, the newest first; old runs that nothing needs are removed."""
        now = {self.previous(): PREVIOUS, self.champion(): CHAMPION}
        changes = []
        for run in self.list_runs():
            run_id, tags = str(run.info.run_id), run.data.tags
            changes += [
                Change(name.removeprefix(f"{CHAMPION} "), run_id, tags.get("as_of", ""), value, now.get(run_id, ""))
                for name, value in tags.items()
                if name.startswith(f"{CHAMPION} ")
            ]
        return sorted(changes, key=lambda change: change.at, reverse=True)

    def list_runs(self, experiment: str = EXPERIMENT, where: str = "", *, deleted: bool = False) -> "list[Run]":
        """Every run of an experiment that a filter of MLflow lets through, the newest first.

        Those that somebody marked as deleted are among them if asked for.
        """
        from mlflow.entities import ViewType  # noqa: PLC0415 - takes seconds

        view = ViewType.ALL if deleted else ViewType.ACTIVE_ONLY
        runs: list[Run] = []
        token = None
        with plain_errors(self.uri):
            place = self._experiment(experiment)
            while True:
                page = self._client.search_runs([place], where, view, max_results=AT_ONCE, page_token=token)
                runs += page
                token = page.token
                if not token:
                    return runs

    def runs_with_alias(self) -> dict[str, set[str]]:
        """The runs that an alias names, by alias; two where a promotion was cut short."""
        with plain_errors(self.uri):
            named = {
                alias: {self._run_of(forecast, alias) for forecast in FORECASTS}
                for alias in (CHAMPION, CHALLENGER, PREVIOUS)
            }
        return {alias: {run for run in runs if run is not None} for alias, runs in named.items()}

    def fetch_judged(self, run_id: str, forecast: str) -> "StoredModel":
        """Reads the model that a gate judged, which learned from nothing later than its training block.

        Raises:
            InputError: As `fetch_model`.
            UnavailableError: Likewise.
        """
        with plain_errors(self.uri):
            there = {artifact.path for artifact in self._client.list_artifacts(run_id)}
        return self.fetch_model(run_id, JUDGED + forecast if JUDGED + forecast in there else forecast)

    def fetch_model(self, run_id: str, forecast: str) -> "StoredModel":
        """Reads a registered model from the artifacts of a run.

        Raises:
            InputError: The run or the model is not there, was altered, or is of other columns.
            UnavailableError: The store does not answer, or there is no room for a copy.
        """
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        from training.models.artifacts import read_model  # noqa: PLC0415 - a list of runs need not wait for LightGBM

        with tempfile.TemporaryDirectory() as place:
            with plain_errors(self.uri):
                try:
                    folder = Path(self._client.download_artifacts(run_id, forecast, place))
                except (MlflowException, OSError) as error:
                    # MLflow says of whatever goes wrong, such as a full disk, that there is no such artifact
                    if forecast in {artifact.path for artifact in self._client.list_artifacts(run_id)}:
                        raise UnavailableError(f"the artifact {forecast} of run {run_id} cannot be copied") from error
                    raise InputError(f"the run {run_id} has no artifact {forecast}") from error
            return read_model(folder)

    def _version_of(self, forecast: str, run_id: str) -> int:
        version = self._find_version(forecast, run_id)
        if version is None:
            gone = "models that nothing needs are removed after models_days of [retention]"
            raise InputError(f"the run {run_id} has no registered version of {model_name(forecast)}; {gone}")
        return version

    def _find_version(self, forecast: str, run_id: str) -> int | None:
        versions = self._client.search_model_versions(f"name='{model_name(forecast)}' and run_id='{run_id}'")
        return max((int(version.version) for version in versions), default=None)

    def _run_of(self, forecast: str, alias: str) -> str | None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            return str(self._client.get_model_version_by_alias(model_name(forecast), alias).run_id)
        except MlflowException as error:
            # MLflow answers a missing alias with INVALID_PARAMETER_VALUE
            if error.error_code in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}:
                return None
            raise

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        experiment = self._client.get_experiment_by_name(name)
        if experiment is not None:
            return str(experiment.experiment_id)
        place = str(self._folder / "artifacts" / name) if self._folder else None
        try:
            return str(self._client.create_experiment(name, artifact_location=place))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return self._experiment(name)  # another process was first


def _finite(metrics: Mapping[str, float], at: int | None = None) -> "list[Metric]":
    """Metrics of one moment, in milliseconds since 1970; logged once more with it they stay as they are."""
    from mlflow.entities import Metric  # noqa: PLC0415 - takes seconds

    at = at or int(time.time() * 1000)
    return [Metric(name, value, at, 0) for name, value in metrics.items() if not math.isnan(value)]
