"""Gathers what the gate wants to know of a challenger."""

from collections.abc import Mapping

import pandas as pd

from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.evaluation.agreement import compare_with_facts
from training.evaluation.behavior import observe_behavior
from training.evaluation.comparison import audit_models, find_slices, forecast_as_champion
from training.evaluation.gate import Figures
from training.evaluation.metrics import Metrics, paired_difference
from training.models.artifacts import StoredModel
from training.models.boosting import Model


def gather_figures(
    models: Mapping[str, Model],
    size: int,
    champion: Mapping[str, StoredModel] | None,
    dataset: Dataset,
    item_skills: pd.DataFrame,
    audit: pd.DataFrame,
    metrics: Mapping[str, Metrics],
    config: TrainingConfig,
) -> Figures:
    """Asks both models about the same holdout, and the challenger's about changed histories.

    Args:
        models: The challenger's models by forecast.
        size: Bytes of their files.
        champion: The champion's; None without one that can be compared.
        dataset: What the challenger learned from, and the holdout.
        item_skills: Skills of items that the champion may not have seen.
        audit: What `read_audit` gives.
        metrics: The challenger's metrics on the holdout, by forecast.
        config: The limits, and how many resamples the intervals take.
    """
    blocks = {name: getattr(dataset, name) for name in models}
    ours = {name: model.predict(blocks[name]["holdout"].rows) for name, model in models.items()}
    theirs = forecast_as_champion(champion, dataset, item_skills) if champion else None
    against = None
    if theirs is not None:
        against = {
            name: paired_difference(blocks[name]["holdout"], ours[name], theirs[name], config.evaluation)
            for name in ours
        }
    slices = {
        name: find_slices(
            audit,
            dataset.timeline.students,
            blocks[name]["train"],
            blocks[name]["holdout"],
            ours[name],
            None if theirs is None else theirs[name],
            config.gate.min_subgroup_students,
        )
        for name in ours
    }
    return Figures(
        metrics,
        against,
        audit_models(audit, ours, dataset, config),
        slices,
        frozenset(audit["column"]),
        compare_with_facts(blocks["struggle"]["holdout"], ours["struggle"], config.gate.min_cell_rows),
        observe_behavior(models, dataset, size),
    )
