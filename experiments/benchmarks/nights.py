"""What benchmarks share that run whole nights: a store of their own, and how well a model ranks what came next."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.fold import fold
from features.profiles.state import State
from features.profiles.timeline import sort_events
from training.data.splits import fold_of_students
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


@dataclass(frozen=True)
class Ranked:
    """Answers beside a model's forecasts of them; each array has one entry per answer.

    Attributes:
        correct: 1 or 0.
        chance: The forecast.
        half: The half that the student is drawn into, 0 or 1, by a hash of the id.
    """

    correct: npt.NDArray[np.float64]
    chance: npt.NDArray[np.float64]
    half: npt.NDArray[np.int32]

    def auc(self, half: int | None = None) -> float:
        """How well the model ranks the answers, or those of one half of the students, by the AUC."""
        mine = np.full(len(self.half), True) if half is None else self.half == half
        return area_under_curve(self.correct[mine], self.chance[mine])


def rank_answers(stored: StoredModel, events: pd.DataFrame, item_skills: pd.DataFrame, since: datetime) -> Ranked:
    """Has a model forecast the answers since a moment, each from all before it.

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
    half = fold_of_students(timeline.students, 2, "half")[timeline.student[later]]
    return Ranked(timeline.correct[later].astype(np.float64), stored.model.predict(rows[later]), half)
