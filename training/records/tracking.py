"""The only writer to MLflow: runs, metrics, artifacts, registered versions and their aliases."""

import errno
import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from features.errors import REASONS, WRONG_PATH, BusyError, InputError, UnavailableError, explain_os_error
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
"""MLflow's codes for a wrong address or something that is not there; any other code is the store's own trouble."""


def model_name(forecast: str) -> str:
    """Names the registered model of a forecast.

    Example:
        >>> model_name("struggle")
        'regroup-struggle'
    """
    return f"regroup-{forecast}"


@contextmanager
def _plain_errors(uri: str) -> Iterator[None]:
    """Turns what MLflow raises into sentences, without the password of an address.

    Raises:
        BusyError: The database stayed locked.
        InputError: The address names no store, or the store lacks what is asked for.
        UnavailableError: The store does not answer, is full, or refuses this user.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - takes seconds, and --help must not wait for it
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        if "database is locked" in str(error):
            raise BusyError("MLflow's database stayed locked; try again when the other job is done") from error
        if "disk is full" in str(error):
            full = f"MLflow's store {_public(uri)} cannot be written: {REASONS[errno.ENOSPC]}"
            raise UnavailableError(full) from error
        code = getattr(error, "error_code", type(error).__name__)
        kind = InputError if code in MISTAKES else UnavailableError
        raise kind(f"MLflow's store {_public(uri)} cannot be used: {code}; check MLFLOW_TRACKING_URI") from error
    except OSError as error:
        raise explain_os_error(error, f"MLflow's store {_public(uri)} cannot be read or written") from error


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
        """Returns the run whose versions are champion, or None when there is none or the two forecasts disagree."""
        with _plain_errors(self.uri):
            runs = {self._champion_run(forecast) for forecast in ("struggle", "mastery")}
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
            name: Name of the run.
            tags: Tags of the run and of its children.
            children: Metrics of each model, which becomes a child run of that name.
            folder: Holds the figures and charts.
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

    def register(self, run_id: str, forecasts: tuple[str, ...]) -> None:
        """Registers the run's bundle of each forecast as a new version, with the alias `challenger`."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        with _plain_errors(self.uri):
            root = self._client.get_run(run_id).info.artifact_uri
            for forecast in forecasts:
                name = model_name(forecast)
                try:
                    self._client.create_registered_model(name)
                except MlflowException as error:
                    if error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise
                made = self._client.create_model_version(name, source=f"{root}/{forecast}", run_id=run_id)
                self._client.set_registered_model_alias(name, CHALLENGER, str(made.version))

    def promote(self, run_id: str) -> None:
        """Moves `champion` to the run's versions, and `previous` to those that were champion before.

        Raises:
            InputError: The run has no registered version of a forecast.
        """
        with _plain_errors(self.uri):
            versions = {forecast: self._version_of(forecast, run_id) for forecast in ("struggle", "mastery")}
            old = self.champion()
            for forecast, version in versions.items():
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
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        with tempfile.TemporaryDirectory() as place:
            with _plain_errors(self.uri):
                try:
                    folder = Path(self._client.download_artifacts(run_id, forecast, place))
                except (MlflowException, OSError) as error:
                    # MLflow says of whatever goes wrong, such as a full disk, that there is no such artifact
                    if forecast in {artifact.path for artifact in self._client.list_artifacts(run_id)}:
                        raise UnavailableError(f"the artifact {forecast} of run {run_id} cannot be copied") from error
                    raise InputError(f"the run {run_id} has no artifact {forecast}") from error
            return read_model(folder)

    def _version_of(self, forecast: str, run_id: str) -> int:
        versions = self._client.search_model_versions(f"name='{model_name(forecast)}' and run_id='{run_id}'")
        if not versions:
            raise InputError(f"the run {run_id} has no registered version of {model_name(forecast)}")
        return max(int(version.version) for version in versions)

    def _champion_run(self, forecast: str) -> str | None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            return str(self._client.get_model_version_by_alias(model_name(forecast), CHAMPION).run_id)
        except MlflowException as error:
            # MLflow answers a missing alias with INVALID_PARAMETER_VALUE
            if error.error_code in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}:
                return None
            raise

    def _experiment(self, name: str) -> str:
        experiment = self._client.get_experiment_by_name(name)
        if experiment is not None:
            return str(experiment.experiment_id)
        place = str(self._folder / "artifacts" / name) if self._folder else None
        return str(self._client.create_experiment(name, artifact_location=place))


def _finite(metrics: Mapping[str, float]) -> "list[Metric]":
    from mlflow.entities import Metric  # noqa: PLC0415 - takes seconds

    now = int(time.time() * 1000)
    return [Metric(name, value, now, 0) for name, value in metrics.items() if not math.isnan(value)]


def _public(uri: str) -> str:
    """Returns the address without a password."""
    before, at, after = uri.rpartition("@")
    return f"{before.split('://')[0]}://…@{after}" if at else uri
