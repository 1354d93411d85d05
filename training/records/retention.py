"""How long MLflow keeps runs of nights and their models; nothing else removes any.

First go the models of a run that nothing needs, and its page, which the home keeps longer; then the run with all
figures. One that was champion once, or that a stored plan names, stays without its models as long as the records of
nights, since its tags are the history of champions, and as long as the plan.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from features.retention import NamedProfiles, Removed, measure
from training.config import Retention
from training.records.folders import find_folder
from training.records.mlflow_errors import plain_errors
from training.records.tracking import CHAMPION, FORECASTS, MODELS, PAGE, Tracking, model_name

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.store.artifact.artifact_repo import ArtifactRepository


def remove_runs(
    tracking: Tracking,
    named: Iterable[NamedProfiles],
    choices: Retention,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Removed:
    """Removes old models that nothing needs, and later their runs.

    Models are needed that an alias or a recent plan names, or that are among those that became champion last. A server
    of MLflow only marks runs as deleted and removes the files; `mlflow gc` beside it removes the marked ones.

    Args:
        tracking: MLflow's store.
        named: What stored plans name.
        choices: How many champions are needed, and how long other models and runs are kept.
        now: The present moment, in UTC.
        dry_run: Whether they are only counted.

    Raises:
        UnavailableError: The store does not answer.
    """
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository  # noqa: PLC0415

    changes, day = tracking.list_changes(), timedelta(days=1)
    last = list(dict.fromkeys(change.run_id for change in changes))[: choices.promotions]
    plans = {plan.run_id: plan.last for plan in sorted(named, key=lambda plan: plan.last)}
    lately = {run_id for run_id, made in plans.items() if (now - made) / day <= choices.plan_profiles_days}
    needed = {*lately, *last}.union(*tracking.runs_with_alias().values())
    count = size = 0
    for run in tracking.list_runs(deleted=True):
        days = (now - datetime.fromtimestamp(run.info.start_time / 1000, now.tzinfo)) / day
        if run.info.run_id in needed or days <= choices.models_days:
            continue
        was_champion = any(name.startswith(f"{CHAMPION} ") for name in run.data.tags)
        told = run.info.run_id in plans or (was_champion and days <= choices.records_days)
        stays = told or days <= choices.runs_days
        page = (PAGE,) if days > choices.runs_days else ()
        parts: Collection[str | None] = (*MODELS, *page) if stays else (None,)
        with plain_errors(tracking.uri):
            files = get_artifact_repository(run.info.artifact_uri, tracking_uri=tracking.uri)
            there = {file.path for file in files.list_artifacts()}
            held = [part for part in parts if part is None or part in there]
            if not held:
                continue
            count, size = count + 1, size + sum(_size_of(run, part) for part in held)
            if not dry_run:
                _remove(tracking, run, files, held, stays=stays)
    return Removed("runs of nights or their models", count, size)


def _remove(
    tracking: Tracking, run: "Run", files: "ArtifactRepository", parts: Collection[str | None], *, stays: bool
) -> None:
    """First the registered versions, so that nobody finds one without its files, and the run itself last."""
    client, run_id = tracking.client, run.info.run_id
    for forecast in FORECASTS:
        for version in client.search_model_versions(f"name='{model_name(forecast)}' and run_id='{run_id}'"):
            client.delete_model_version(model_name(forecast), version.version)
    for part in parts:
        files.delete_artifacts(part)
    if stays:
        return
    folder = find_folder(run.info.artifact_uri)
    if folder is not None and folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()  # which MLflow leaves
    store: Any = client._tracking_client.store  # noqa: SLF001 - what `mlflow gc` uses; there is no public call
    if hasattr(store, "_hard_delete_run"):
        store._hard_delete_run(run_id)  # noqa: SLF001 - as above
    elif run.info.lifecycle_stage == "active":
        client.delete_run(run_id)


def _size_of(run: "Run", part: str | None) -> int:
    """The bytes of a folder of a run's artifacts, or of all; a server's are not counted."""
    folder = find_folder(run.info.artifact_uri)
    return 0 if folder is None else measure(folder / part if part else folder)
