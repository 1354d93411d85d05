"""Nights on a sample of the students every few weeks: what the gate promotes, and what would have been best.

The regret of a night is how much worse the models that serve after it rank the answers until the next night than the
best of what could have served: the champion of before and the challenger, as it is and as it would serve had it been
promoted; Ackermann and others' triage judges its rules of model choice by it. The best of several is ahead by chance
alone, so regret is also said with the best chosen by one half of the students and its lead taken from the other.
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
from features.events.log.store import has_events
from features.home import Home
from training.config import TrainingConfig
from training.data.dataset import Dataset, build_dataset
from training.errors import DataGateError, QualityGateError
from training.evaluation.refit import Log, refit
from training.models.artifacts import StoredModel
from training.models.boosting import FORECASTS, Model
from training.nightly import run_nightly
from training.nightly.facts import find_night
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
        halves: The same of each half of the students.
    """

    moment: datetime
    champion: str
    auc: dict[str, float]
    halves: dict[str, tuple[float, float]]

    @property
    def regret(self) -> float:
        """AUC that another choice would have won."""
        return max(self.auc.values()) - self.auc[self.champion]

    @property
    def regret_without_chance(self) -> float:
        """The same of a choice by one half of the students on the other one: the mean of both ways."""
        lost = []
        for chooses, judges in ((0, 1), (1, 0)):
            best = max(self.halves, key=lambda run: self.halves[run][chooses])
            lost.append(self.halves[best][judges] - self.halves[self.champion][judges])
        return float(np.mean(lost))


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
            before = before or tracking.previous()  # the prior, which the first night installs
            choices = sorted({run for run in (before, challenger, champion) if run})
            models = {run: tracking.fetch_model(run, "mastery") for run in choices}
            if challenger and challenger != champion:
                models |= _refit(home, config, moment, challenger)
            until_then = events[events["occurred_at"] < until]
            ranked = {run: rank_answers(model, until_then, item_skills, moment) for run, model in models.items()}
            auc = {run: each.auc() for run, each in ranked.items()}
            nights.append(Night(moment, champion, auc, {run: (r.auc(0), r.auc(1)) for run, r in ranked.items()}))
            logger.info("night of %s: %s, regret %.4f", moment.date(), auc, nights[-1].regret)
    return nights


def _refit(home: Home, config: TrainingConfig, moment: datetime, run_id: str) -> dict[str, StoredModel]:
    """The mastery model of a challenger that was kept as it would serve; nothing where it would not be refitted."""
    night, tracking = find_night(home, config, moment), Tracking()
    log = Log(night.read_events(), night.read_item_skills(), config)
    models = {forecast.name: tracking.fetch_model(run_id, forecast.name).model for forecast in FORECASTS}
    found: dict[str, StoredModel] = {}

    def keep(model: Model, dataset: Dataset) -> tuple[Model, int]:
        found[model.forecast.name] = StoredModel(model, dataset.statistics, {}, "trained")
        return model, 0

    done, _ = refit(models, build_dataset(log.events, log.item_skills, config), log, keep)
    return {f"{run_id} refitted": found["mastery"]} if done else {}


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
            ).auc()
        if night.champion != old and night.auc[night.champion] >= theirs + BETTER:
            return (night.moment - moments[0]) // timedelta(days=1)
    return None


def renumber_items(events: pd.DataFrame, since: datetime, seed: int = 20) -> pd.DataFrame:
    """The events, of which those from a moment on have the id of another item, the same one for each item."""
    items = events["item_id"].dropna().unique()
    other = dict(zip(items, np.random.default_rng(seed).permutation(items), strict=True))
    later = events["occurred_at"] >= since
    return events.assign(item_id=events["item_id"].where(~later, events["item_id"].map(other)))
