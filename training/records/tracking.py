"""The only writer to MLflow: runs, metrics, artifacts, registered versions and their aliases."""

import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from features.errors import (
    WRONG_PATH,
    BusyError,
    InputError,
    UnavailableError,
    explain_os_error,
)
from features.home import tracking_uri
from training.models.artifacts import StoredModel, read_model

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

EXPERIMENT, BENCHMARKS = "regroup-nightly", "regroup-benchmarks"
CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"

MISTAKES = {
    "BAD_REQUEST",
    "ENDPOINT_NOT_FOUND",
    "INVALID_PARAMETER_VALUE",
    "RESOURCE_DOES_NOT_EXIST",
}
"""MLflow's codes for an address that is wrong or a thing that is not there; with every other one the store refuses."""


def model_name(forecast: str) -> str:
    """The registered model of a forecast.

    Example:
        >>> model_name("struggle")
        'regroup-struggle'
    """
    return f"regroup-{forecast}"


@dataclass(frozen=True)
class Registered:
    """The versions that one run registered, by forecast."""

    run_id: str
    versions: Mapping[str, int]


@contextmanager
def _plain_errors(uri: str) -> Iterator[None]:
    """Turns what MLflow raises into sentences, without the password of an address.

    Raises:
        BusyError: The database stayed locked.
        InputError: The address names no store, or the store lacks what is asked for.
        UnavailableError: The store does not answer, or refuses this user.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - takes seconds, and --help must not wait for it
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        if "database is locked" in str(error):
            raise BusyError("MLflow's database stayed locked; try again when the other job is done") from error
        code = getattr(error, "error_code", type(error).__name__)
        kind = InputError if code in MISTAKES else UnavailableError
        raise kind(f"MLflow's store {_public(uri)} cannot be used: {code}; check MLFLOW_TRACKING_URI") from error


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

        with _plain_errors(self.uri):
            client = MlflowClient(self.uri, self.uri)
            client.search_registered_models(max_results=1)
        return client

    def champion(self) -> str | None:
        """The run whose versions are champion, or None when there is none or the two forecasts disagree."""
        with _plain_errors(self.uri):
            runs = {self._alias_run(forecast, CHAMPION) for forecast in ("struggle", "mastery")}
            return runs.pop() if len(runs) == 1 else None

    def previous(self) -> str | None:
        """The run that was champion before, or None."""
        runs = {self._alias_run(forecast, PREVIOUS) for forecast in ("struggle", "mastery")}
        return runs.pop() if len(runs) == 1 else None

    def log_run(
        self, tags: Mapping[str, str], parameters: Mapping[str, Any], metrics: Mapping[str, float], folder: Path
    ) -> str:
        """Logs one finished run with everything in the folder as artifacts, and returns its id."""
        from mlflow.entities import Param, RunTag  # noqa: PLC0415

        with _plain_errors(self.uri):
            run = self._client.create_run(self._experiment(EXPERIMENT), run_name=tags.get("as_of"))
            run_id = str(run.info.run_id)
            self._client.log_batch(
                run_id,
                metrics=_finite(metrics),
                params=[Param(name, str(value)) for name, value in parameters.items()],
                tags=[RunTag(name, value) for name, value in tags.items()],
            )
            self._client.log_artifacts(run_id, str(folder))
            self._client.set_terminated(run_id)
            return run_id

    def log_benchmark(
        self, name: str, tags: Mapping[str, str], children: Mapping[str, Mapping[str, float]], folder: Path
    ) -> str:
        """Logs one benchmark as a run with everything in the folder as artifacts, and returns its id.

        Args:
            name: Of the run.
            tags: Of the run and of its children.
            children: Metrics of each model, which becomes a child run of that name.
            folder: The figures and charts.
        """
        with _plain_errors(self.uri):
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

    def register(self, run_id: str, forecasts: tuple[str, ...]) -> Registered:
        """Registers the run's bundle of each forecast as a new version, with the alias `challenger`."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        with _plain_errors(self.uri):
            root = self._client.get_run(run_id).info.artifact_uri
            versions = {}
            for forecast in forecasts:
                name = model_name(forecast)
                try:
                    self._client.create_registered_model(name)
                except MlflowException as error:
                    if error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise
                made = self._client.create_model_version(name, source=f"{root}/{forecast}", run_id=run_id)
                versions[forecast] = int(made.version)
                self._client.set_registered_model_alias(name, CHALLENGER, str(made.version))
            return Registered(run_id, versions)

    def promote(self, run_id: str) -> None:
        """Moves `champion` to the run's versions, and `previous` to those that were.

        Raises:
            InputError: The run has no registered version of a forecast.
        """
        with _plain_errors(self.uri):
            found = {forecast: self._version_of(forecast, run_id) for forecast in ("struggle", "mastery")}
            old = self.champion()
            for forecast, version in found.items():
                name = model_name(forecast)
                if old is not None and old != run_id:
                    self._client.set_registered_model_alias(name, PREVIOUS, str(self._version_of(forecast, old)))
                self._client.set_registered_model_alias(name, CHAMPION, str(version))

    def fetch_model(self, run_id: str, forecast: str) -> StoredModel:
        """Reads a registered model from the artifacts of a run.

        Raises:
            InputError: The run or the model is not there, was altered, or is of other columns.
            UnavailableError: The store does not answer, or there is no room for a copy.
        """
        with tempfile.TemporaryDirectory() as place:
            return read_model(self._fetch(run_id, forecast, Path(place)))

    def _fetch(self, run_id: str, artifact: str, into: Path) -> Path:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        with _plain_errors(self.uri):
            try:
                return Path(self._client.download_artifacts(run_id, artifact, str(into)))
            except (MlflowException, OSError) as error:
                # MLflow says of whatever goes wrong, such as a full disk, that there is no such artifact
                if artifact in {found.path for found in self._client.list_artifacts(run_id)}:
                    raise UnavailableError(f"the artifact {artifact} of run {run_id} cannot be copied") from error
                raise InputError(f"the run {run_id} has no artifact {artifact}") from error

    def _version_of(self, forecast: str, run_id: str) -> int:
        versions = self._client.search_model_versions(f"name='{model_name(forecast)}' and run_id='{run_id}'")
        if not versions:
            raise InputError(f"the run {run_id} has no registered version of {model_name(forecast)}")
        return max(int(each.version) for each in versions)

    def _alias_run(self, forecast: str, alias: str) -> str | None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            return str(self._client.get_model_version_by_alias(model_name(forecast), alias).run_id)
        except MlflowException as error:
            # MLflow answers a missing alias with INVALID_PARAMETER_VALUE
            if error.error_code in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}:
                return None
            raise

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        place = str(self._folder / "artifacts" / name) if self._folder else None
        return str(self._client.create_experiment(name, artifact_location=place))


def _finite(metrics: Mapping[str, float]) -> "list[Metric]":
    from mlflow.entities import Metric  # noqa: PLC0415 - takes seconds

    now = int(time.time() * 1000)
    return [Metric(name, value, now, 0) for name, value in metrics.items() if not math.isnan(value)]


def _public(uri: str) -> str:
    """The address without a password."""
    before, at, after = uri.rpartition("@")
    return f"{before.split('://')[0]}://…@{after}" if at else uri
