"""Nights on a sample of the students every few weeks: what the gate promotes, and what would have been best.

The regret of a night is how much worse the models that serve after it rank the answers until the next night than the
better of champion and challenger; Ackermann and others' triage judges its rules of model choice by it.
"""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.benchmarks.nights import rank_answers, use_store
from features.events.ingest import ingest_events
from features.events.store import has_events
from features.home import Home
from training.config import TrainingConfig
from training.errors import DataGateError, QualityGateError
from training.nightly import run_nightly
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")

BETTER = 0.002
"""AUC by which a new champion must be ahead of the one that decayed."""


@dataclass(frozen=True)
class Night:
    """One night on the sample.

    Attributes:
        moment: Its moment, in UTC.
        champion: The run that serves after it.
        auc: How well the models that were to choose from rank the answers until the next night, by run.
    """

    moment: datetime
    champion: str
    auc: dict[str, float]

    @property
    def regret(self) -> float:
        """AUC that another choice would have won."""
        return max(self.auc.values()) - self.auc[self.champion] if self.auc else 0.0


def run_nights(
    folder: Path, events: pd.DataFrame, item_skills: pd.DataFrame, moments: Sequence[datetime], config: TrainingConfig
) -> list[Night]:
    """Runs the product's night at each moment, on a home in a folder.

    Args:
        folder: Where home and MLflow's store are.
        events: Rows of `Events` of the sample, of the whole year; each night reads those before its moment.
        item_skills: Rows of `ItemSkills`.
        moments: The nights, in UTC, and the end of the year.
        config: Every choice of the training.
    """
    home = Home(folder / "home")
    home.make()
    if not has_events(home):
        ingest_events(home, [events], "school-year")
    nights = []
    with use_store(folder / "store"):
        for moment, until in pairwise(moments):
            before = Tracking().champion()
            try:
                challenger = run_nightly(home, config, moment).run_id
            except (DataGateError, QualityGateError) as error:
                logger.info("night of %s: %s", moment.date(), error)
                challenger = None
            tracking = Tracking()
            champion = tracking.champion()
            assert champion is not None, "a prior serves from the first night on"
            choices = {run for run in (before, challenger, champion) if run}
            auc = {
                run: rank_answers(
                    tracking.fetch_model(run, "mastery"), events[events["occurred_at"] < until], item_skills, moment
                )
                for run in sorted(choices)
            }
            nights.append(Night(moment, champion, auc))
            logger.info("night of %s: %s, regret %.4f", moment.date(), auc, nights[-1].regret)
    return nights


def count_days_to_recover(
    folder: Path,
    nights: Sequence[Night],
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
    moments: Sequence[datetime],
    config: TrainingConfig,
) -> int | None:
    """Days from a planted decay until a champion serves that is better than the one of before; null if none comes.

    From the first moment on every item has the id of another one, as if the product had numbered its questions anew:
    what the champion knows of them is wrong.

    Args:
        folder: As left by `run_nights` up to the first moment; it is copied.
        nights: What that returned.
        events: As for `run_nights`.
        item_skills: Likewise.
        moments: The moment of the decay, and the nights that follow.
        config: Every choice of the training.
    """
    copy = folder.with_name(f"{folder.name}-decayed")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder / "store", copy / "store")
    old = next(night.champion for night in reversed(nights) if night.moment <= moments[0])
    decayed = renumber_items(events, moments[0])
    tags = decayed[["item_id", "skills"]].dropna().drop_duplicates().rename(columns={"skills": "skill_id"})
    pairs = pd.concat([item_skills, tags]).drop_duplicates()
    for at in range(1, len(moments) - 1):
        (night,) = run_nights(copy, decayed, pairs, moments[at : at + 2], config)
        with use_store(copy / "store"):
            theirs = rank_answers(
                Tracking().fetch_model(old, "mastery"),
                decayed[decayed["occurred_at"] < moments[at + 1]],
                pairs,
                moments[at],
            )
        if night.champion != old and night.auc[night.champion] >= theirs + BETTER:
            return (night.moment - moments[0]) // timedelta(days=1)
    return None


def renumber_items(events: pd.DataFrame, since: datetime, seed: int = 20) -> pd.DataFrame:
    """The events, of which those from a moment on have the id of another item, the same one for each item."""
    items = events["item_id"].dropna().unique()
    other = dict(zip(items, np.random.default_rng(seed).permutation(items), strict=True))
    later = events["occurred_at"] >= since
    return events.assign(item_id=events["item_id"].where(~later, events["item_id"].map(other)))
