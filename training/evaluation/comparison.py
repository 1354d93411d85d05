"""Evaluates new models on the holdout: beside baselines, for each audit group, and against the champion."""

from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd

from features.errors import MissingError
from features.profiles.timeline import name_skills
from features.roster import read_demographics
from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.evaluation.fairness import GroupFigures, audit_groups
from training.evaluation.metrics import Interval, Metrics, evaluate, paired_difference
from training.models.artifacts import StoredModel
from training.models.baselines import Baseline, fit_baselines
from training.models.boosting import Model


def score_model(name: str, model: Model, dataset: Dataset, config: TrainingConfig) -> dict[str, Metrics]:
    """Computes metrics on the holdout, for the model as `regroup` and for each baseline under its name."""
    blocks = getattr(dataset, name)
    holdout = blocks["holdout"]
    candidates = (Baseline("regroup", model.predict), *fit_baselines(blocks["train"], config.evaluation))
    return {
        candidate.name: evaluate(holdout, candidate.predict(holdout.rows), config.evaluation, places=name == "struggle")
        for candidate in candidates
    }


def audit_models(
    url: str, models: dict[str, Model], dataset: Dataset, config: TrainingConfig
) -> dict[str, list[GroupFigures]]:
    """Computes the figures of each audit group by forecast; there are none without a roster.

    Args:
        url: The roster's database.
        models: Models by forecast.
        dataset: Whose holdout is forecast.
        config: Says how large a share of rows has places.
    """
    try:
        facts = read_demographics(url)
    except MissingError:
        return {}
    audit = pd.DataFrame([asdict(fact) for fact in facts], columns=["student_id", "column", "value"])
    students, share = dataset.timeline.students, config.evaluation.places_share
    figures = {}
    for name, model in models.items():
        holdout = getattr(dataset, name)["holdout"]
        probability = model.predict(holdout.rows)
        figures[name] = audit_groups(holdout, probability, students, audit, share, by_episode=name == "struggle")
    return figures


def compare_with_champion(
    champion: Mapping[str, StoredModel],
    models: dict[str, Model],
    dataset: Dataset,
    item_skills: pd.DataFrame,
    config: TrainingConfig,
) -> dict[str, Interval]:
    """Subtracts the champion's log-loss from the challenger's.

    Args:
        champion: The champion's models by forecast.
        models: The challenger's models by forecast.
        dataset: Whose holdout both predict.
        item_skills: Skills of items that the champion may not have seen.
        config: How many resamples the intervals take.
    """
    differences = {}
    for name, model in models.items():
        stored = champion[name]
        known = stored.statistics.extend(item_skills, *name_skills(dataset.timeline, dataset.statistics.vocabulary))
        holdout = getattr(dataset, name)["holdout"]
        theirs = stored.model.predict(dataset.holdout_rows(known)[name])
        differences[name] = paired_difference(holdout, model.predict(holdout.rows), theirs, config.evaluation)
    return differences
