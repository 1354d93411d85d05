"""Evaluates new models on the holdout: beside baselines, for each audit group, and against the champion."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from features.errors import MissingError
from features.profiles.timeline import name_skills
from features.roster import read_demographics
from training.config import TrainingConfig
from training.data.dataset import Block, Dataset
from training.evaluation.agreement import error_of_mean
from training.evaluation.fairness import GroupFigures, audit_groups
from training.evaluation.metrics import Floats, Metrics, evaluate, log_losses
from training.models.artifacts import StoredModel
from training.models.baselines import Baseline, fit_baselines
from training.models.boosting import Model

MISSING = 0.25
"""A group of which the holdout has less than this share of the students that it has of all is missing there."""


def score_model(name: str, model: Model, dataset: Dataset, config: TrainingConfig) -> dict[str, Metrics]:
    """Computes metrics on the holdout, for the model as `regroup` and for each baseline under its name."""
    blocks = getattr(dataset, name)
    holdout = blocks["holdout"]
    candidates = (Baseline("regroup", model.predict), *fit_baselines(blocks["train"], config.evaluation))
    return {
        candidate.name: evaluate(holdout, candidate.predict(holdout.rows), config.evaluation, places=name == "struggle")
        for candidate in candidates
    }


@dataclass(frozen=True)
class Slice:
    """How the challenger serves the students of an audit group beside the champion.

    Attributes:
        column: The audit column.
        group: The value of the column.
        students: Students of the group on the holdout.
        rows: Their rows.
        worse: Challenger minus champion in log-loss; null without a champion that can be compared, or without rows.
        error: Standard error of that over students.
        missing: Whether it is a group that the models learned from, of which the holdout has next to nobody.
    """

    column: str
    group: str
    students: int
    rows: int
    worse: float | None
    error: float
    missing: bool = False


def read_audit(url: str) -> pd.DataFrame:
    """The audit columns of the roster: `student_id`, `column`, `value`; no rows without a roster."""
    try:
        facts = read_demographics(url)
    except MissingError:
        facts = ()
    return pd.DataFrame([asdict(fact) for fact in facts], columns=["student_id", "column", "value"])


def audit_models(
    audit: pd.DataFrame, ours: Mapping[str, Floats], dataset: Dataset, config: TrainingConfig
) -> dict[str, list[GroupFigures]]:
    """Computes the figures of each audit group by forecast.

    Args:
        audit: What `read_audit` gives.
        ours: Forecasts of the holdout.
        dataset: Whose holdout was forecast.
        config: Says how large a share of rows has places.
    """
    students, share = dataset.timeline.students, config.evaluation.places_share
    return {
        name: audit_groups(
            getattr(dataset, name)["holdout"], probability, students, audit, share, by_episode=name == "struggle"
        )
        for name, probability in ours.items()
    }


def find_slices(
    audit: pd.DataFrame,
    students: "pd.Index[str]",
    train: Block,
    holdout: Block,
    ours: Floats,
    theirs: Floats | None,
    min_students: int,
) -> list[Slice]:
    """Sets challenger beside champion in each audit group that the models learned from.

    Args:
        audit: What `read_audit` gives.
        students: Ids by the blocks' student codes.
        train: Rows that the challenger learned from.
        holdout: Rows that both have forecast.
        ours: The challenger's forecasts.
        theirs: The champion's; None without one.
        min_students: Groups with fewer students among those rows are left out.
    """
    slices = []
    share = len(np.unique(holdout.student)) / len(np.unique(train.student))
    target = holdout.target.astype(np.float64)
    change = None if theirs is None else log_losses(target, ours) - log_losses(target, theirs)
    for column, part in audit.groupby("column", sort=True):
        value_of = part.drop_duplicates("student_id").set_index("student_id")["value"].reindex(students).to_numpy()
        learned = pd.Series(value_of[np.unique(train.student)]).value_counts().sort_index()
        for group, count in learned[learned >= min_students].items():
            mine = value_of[holdout.student] == group
            codes = np.unique(holdout.student[mine], return_inverse=True)[1]
            there = int(codes.max(initial=-1)) + 1
            worse, error = None, 0.0
            if change is not None and there:
                worse = float(change[mine].mean())
                error = error_of_mean(change[mine] - worse, codes)
            missing = there < MISSING * share * count
            slices.append(Slice(str(column), str(group), there, int(mine.sum()), worse, error, missing))
    return slices


def forecast_as_champion(
    champion: Mapping[str, StoredModel], dataset: Dataset, item_skills: pd.DataFrame
) -> dict[str, Floats]:
    """The champion's forecasts of the holdout.

    Args:
        champion: Its models by forecast.
        dataset: Whose holdout is forecast.
        item_skills: Skills of items that the champion may not have seen.
    """
    forecasts = {}
    for name, stored in champion.items():
        known = stored.statistics.extend(item_skills, *name_skills(dataset.timeline, dataset.statistics.vocabulary))
        forecasts[name] = stored.model.predict(dataset.holdout_rows(known)[name])
    return forecasts
