"""The only reader of MLflow in the service: which run is champion, and its bundles."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.errors import RegistryAwayError, SnapshotError

FORECASTS = ("struggle", "mastery")


@dataclass(frozen=True)
class Champion:
    """The run that serves.

    Attributes:
        run_id: MLflow's id of the run that trained both models.
        versions: Registered version of each forecast.
    """

    run_id: str
    versions: Mapping[str, int]


class Registry:
    """MLflow's registry at one address; connects at the first question and never creates a store."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: Any = None

    def champion(self) -> Champion | None:
        """Finds the champion; None when there is none or its two aliases are just being moved.

        Raises:
            RegistryAwayError: The registry does not answer.
        """
        client = self._connect()
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - takes seconds

        versions = {}
        for forecast in FORECASTS:
            try:
                versions[forecast] = client.get_model_version_by_alias(f"regroup-{forecast}", "champion")
            except MlflowException as error:
                # MLflow answers a missing alias with INVALID_PARAMETER_VALUE
                if error.error_code in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}:
                    return None
                raise RegistryAwayError(f"the registry does not answer: {error.error_code}") from error
        runs = {version.run_id for version in versions.values()}
        if len(runs) > 1:
            return None
        return Champion(runs.pop(), {forecast: int(version.version) for forecast, version in versions.items()})

    def fetch(self, run_id: str, forecast: str, into: Path) -> Path:
        """Copies a forecast's bundle to a folder and returns its path.

        Raises:
            SnapshotError: The run or the bundle is not there.
        """
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            return Path(self._connect().download_artifacts(run_id, forecast, str(into)))
        except (MlflowException, OSError) as error:
            raise SnapshotError(f"the {forecast} bundle of run {run_id} cannot be fetched") from error

    def _connect(self) -> Any:  # noqa: ANN401 - MLflow ships no types
        if self._client is None:
            if self._uri.startswith("sqlite:///") and not Path(self._uri.removeprefix("sqlite:///")).is_file():
                raise SnapshotError(
                    "MLflow's store is not there yet; run `python -m training nightly`, or set MLFLOW_TRACKING_URI"
                )
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # it is asked again anyway
            os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
            os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
            try:
                from mlflow import MlflowClient  # noqa: PLC0415

                self._client = MlflowClient(self._uri, self._uri)
            except ImportError:
                raise SnapshotError(
                    "MLflow is not installed: pip install 'regroup[train]', or serve what was exported, with --bundle"
                ) from None
            except Exception as error:  # a store raises whatever its database or its connection raises
                raise RegistryAwayError(f"the registry does not answer: {type(error).__name__}") from error
        return self._client
