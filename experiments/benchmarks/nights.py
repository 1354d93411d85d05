"""What benchmarks share that run whole nights: a store of their own, and how well a model ranks what came next."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.profiles.fold import fold
from features.profiles.state import State
from features.profiles.timeline import sort_events
from training.evaluation.metrics import area_under_curve
from training.models.artifacts import StoredModel


@contextmanager
def use_store(folder: Path) -> Iterator[None]:
    """MLflow's store in a folder, and the home's own database, as long as the block lasts."""
    before = {name: os.environ.get(name) for name in ("MLFLOW_TRACKING_URI", "REGROUP_DATABASE_URL")}
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'mlflow.db'}"
    os.environ.pop("REGROUP_DATABASE_URL", None)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def rank_answers(stored: StoredModel, events: pd.DataFrame, item_skills: pd.DataFrame, since: datetime) -> float:
    """How well a model ranks the answers since a moment, each forecast from all before it, by the AUC.

    Args:
        stored: The model.
        events: Rows of `Events`.
        item_skills: Rows of `ItemSkills`, of every item.
        since: UTC.
    """
    known = stored.statistics.extend(item_skills, events["item_id"], events["skills"])
    timeline = sort_events(events, known)
    rows, _ = fold(timeline, known, State.empty())
    later = (timeline.time >= int(since.timestamp() * 1e6)) & (timeline.correct >= 0) & (timeline.item >= 0)
    return area_under_curve(timeline.correct[later].astype(np.float64), stored.model.predict(rows[later]))
