"""How long MLflow keeps runs of nights and their models; nothing else removes any.

A run that was champion once stays without its models as long as the records of nights, since its tags are the history
of champions; the history ends there.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from features.retention import Removed, measure
from training.config import Retention
from training.records.mlflow_errors import plain_errors
from training.records.tracking import CHAMPION, FORECASTS, MODELS, Tracking, model_name

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.store.artifact.artifact_repo import ArtifactRepository


def remove_runs(
    tracking: Tracking,
    named: Collection[str],
    choices: Retention,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Removed:
    """Removes old runs that nothing needs; at first only the models of those that were champion.

    A run is needed that an alias or a stored plan names, or that is among those that became champion last. A server of
    MLflow only marks runs as deleted and removes the files; `mlflow gc` beside it removes the marked ones.

    Args:
        tracking: MLflow's store.
        named: Runs that stored plans name.
        choices: How many champions are needed, and how long other runs are kept.
        now: The present moment, in UTC.
        dry_run: Whether they are only counted.

    Raises:
        UnavailableError: The store does not answer.
    """
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository  # noqa: PLC0415

    changes = tracking.list_changes()
    last = list(dict.fromkeys(change.run_id for change in changes))[: choices.promotions]
    needed = {*named, *last}.union(*tracking.runs_with_alias().values())
    count = size = 0
    for run in tracking.list_runs(deleted=True):
        days = (now - datetime.fromtimestamp(run.info.start_time / 1000, now.tzinfo)) / timedelta(days=1)
        if run.info.run_id in needed or days <= choices.runs_days:
            continue
        was_champion = any(name.startswith(f"{CHAMPION} ") for name in run.data.tags)
        champion = was_champion and days <= choices.records_days  # whose tags are the history
        parts: Collection[str | None] = MODELS if champion else (None,)
        with plain_errors(tracking.uri):
            files = get_artifact_repository(run.info.artifact_uri, tracking_uri=tracking.uri)
            held = [part for part in parts if part is None or files.list_artifacts(part)]
            if not held:
                continue
            count, size = count + 1, size + sum(_size_of(run, part) for part in held)
            if not dry_run:
                _remove(tracking, run, files, held, champion=champion)
    return Removed("runs of nights with their models", count, size)


def _remove(
    tracking: Tracking, run: "Run", files: "ArtifactRepository", parts: Collection[str | None], *, champion: bool
) -> None:
    """First the registered versions, so that nobody finds one without its files, and the run itself last."""
    client, run_id = tracking.client, run.info.run_id
    for forecast in FORECASTS:
        for version in client.search_model_versions(f"name='{model_name(forecast)}' and run_id='{run_id}'"):
            client.delete_model_version(model_name(forecast), version.version)
    for part in parts:
        files.delete_artifacts(part)
    if champion:
        return
    store: Any = client._tracking_client.store  # noqa: SLF001 - what `mlflow gc` uses; there is no public call
    if hasattr(store, "_hard_delete_run"):
        store._hard_delete_run(run_id)  # noqa: SLF001 - as above
    elif run.info.lifecycle_stage == "active":
        client.delete_run(run_id)


def _size_of(run: "Run", part: str | None) -> int:
    """The bytes of a folder of a run's artifacts, or of all; a server's are not counted."""
    address = urlsplit(run.info.artifact_uri)
    if address.scheme not in ("", "file"):
        return 0
    folder = Path(url2pathname(address.path))
    return measure(folder / part if part else folder)
