"""The only reader of MLflow in the service: which run is champion, and its bundles."""

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from serving.errors import RegistryAwayError, SnapshotError

FORECASTS = ("struggle", "mastery")

ANSWER_S = 20.0
"""Seconds in which a registry has to name the champion; MLflow's own limits add up to more than a minute."""

FETCH_S = 300.0
"""Seconds in which it has to give a model, which may come from afar."""

Value = TypeVar("Value")


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
    """MLflow's registry at one address; connects at the first question and never creates a store.

    It is asked on a thread of its own, one question at a time: where it accepts a question and never answers, who asked
    is told so in time, and whoever asks while it hangs is told at once.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: Any = None
        self._asking = threading.Lock()

    def champion(self) -> Champion | None:
        """Finds the champion; None when there is none or its two aliases are just being moved.

        Raises:
            RegistryAwayError: The registry does not answer, or not in time.
        """
        return self._ask(self._find_champion, ANSWER_S)

    def fetch(self, run_id: str, forecast: str, into: Path) -> Path:
        """Copies a forecast's bundle to a folder and returns its path.

        Raises:
            SnapshotError: The run or the bundle is not there.
            RegistryAwayError: The registry does not answer in time.
        """
        return self._ask(lambda: self._download(run_id, forecast, into), FETCH_S)

    def _ask(self, question: Callable[[], Value], within_s: float) -> Value:
        """The answer to a question, which a thread that nobody waits for goes on asking when the time is over."""
        self._prepare()
        if not self._asking.acquire(blocking=False):
            raise RegistryAwayError("the registry has not answered yet what it was asked before")
        answer: Future[Value] = Future()

        def ask() -> None:
            try:
                try:
                    value = question()
                finally:
                    self._asking.release()  # before who waits can ask again
            except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
                answer.set_exception(error)
            else:
                answer.set_result(value)

        threading.Thread(target=ask, name="registry", daemon=True).start()
        wait([answer], within_s)
        if not answer.done():
            raise RegistryAwayError(f"the registry did not answer within {within_s:.0f} s")
        return answer.result()

    def _find_champion(self) -> Champion | None:
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

    def _download(self, run_id: str, forecast: str, into: Path) -> Path:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            return Path(self._connect().download_artifacts(run_id, forecast, str(into)))
        except (MlflowException, OSError) as error:
            raise SnapshotError(f"the {forecast} bundle of run {run_id} cannot be fetched") from error

    def _prepare(self) -> None:
        """Imports MLflow, which takes seconds that are not the registry's."""
        if self._client is not None:
            return
        if self._uri.startswith("sqlite:///") and not Path(self._uri.removeprefix("sqlite:///")).is_file():
            raise SnapshotError(
                "MLflow's store is not there yet; run `python -m training nightly`, or set MLFLOW_TRACKING_URI"
            )
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # it is asked again anyway
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
        try:
            from mlflow import MlflowClient  # noqa: F401, PLC0415
        except ImportError:
            raise SnapshotError(
                "MLflow is not installed: pip install 'regroup[train]', or serve what was exported, with --bundle"
            ) from None

    def _connect(self) -> Any:  # noqa: ANN401 - MLflow ships no types
        if self._client is None:
            from mlflow import MlflowClient  # noqa: PLC0415

            try:
                self._client = MlflowClient(self._uri, self._uri)
            except Exception as error:  # a store raises whatever its database or its connection raises
                raise RegistryAwayError(f"the registry does not answer: {type(error).__name__}") from error
        return self._client
