"""The model card, and the figures of a run as plain values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.evaluation.fairness import GroupFigures
from training.evaluation.metrics import Interval, Metrics
from training.evaluation.reliability import Point
from training.models.boosting import FORECASTS

Scores = Mapping[str, Mapping[str, Metrics]]
"""Metrics by forecast and by who forecasts: `regroup` or a baseline."""


OF_BASELINES = ("auc", "log_loss")
"""Metrics of baselines that MLflow's database holds, where each takes a row in two tables for every night."""


def flat_metrics(scores: Scores) -> dict[str, float]:
    """Metrics under flat names for MLflow: ours as `struggle.auc`, with bounds as `struggle.auc_low` and `_high`.

    Of a baseline, `struggle.rule.auc` and `struggle.rule.log_loss` alone: `evaluation.json` has the others, and all
    bounds. Bounds that do not exist are left out.

    Example:
        >>> flat_metrics({"struggle": {"regroup": {"auc": Interval(0.8, 0.7, 0.9)}}})["struggle.auc_low"]
        0.7
    """
    flat = {}
    for forecast, by_name in scores.items():
        for who, metrics in by_name.items():
            prefix = forecast if who == "regroup" else f"{forecast}.{who}"
            for metric, interval in metrics.items():
                if who != "regroup" and metric not in OF_BASELINES:
                    continue
                bounds = [("_low", interval.low), ("_high", interval.high)] if who == "regroup" else []
                for suffix, value in (("", interval.value), *bounds):
                    if not math.isnan(value):
                        flat[f"{prefix}.{metric}{suffix}"] = value
    return flat


PURPOSE = (
    "# Model card",
    "",
    "Forecasts for staff who plan small groups: who may need help with which skill next.",
    "They are a reason to look, together with the facts shown, and not a grade or a placement.",
    "No decision about a child may rest on them without a person.",
    "",
)


def write_prior_card(origin: str) -> str:
    """Renders the model card of a prior model in Markdown.

    Args:
        origin: Where the model is from.
    """
    return "\n".join(
        [
            *PURPOSE,
            f"This is a prior model, {origin}: it rests on rules learned elsewhere, not on this log.",
            "It knows no item and no skill, so that only what a student did here tells students apart.",
            "It serves until a model that was trained on this log is better on answers after those it learned from.",
            "How good the shipped one is on logs that it has not seen stands in `training/prior.toml`.",
            "",
        ]
    )


def write_card(
    config: TrainingConfig,
    dataset: Dataset,
    scores: Scores,
    groups: Mapping[str, Sequence[GroupFigures]],
    facts: Mapping[str, Any],
) -> str:
    """Renders the model card in Markdown: what the models are for, on what they were tested, and how well they did."""
    rule = config.mastery_rule
    struggling = f"{rule.horizon} more opportunities on a skill without {rule.streak} correct first attempts in a row"
    lines = [
        *PURPOSE,
        "This model was trained on this installation's own log.",
        f"Struggling means {struggling}.",
        "Demographic columns are used for the audit below and are never a feature.",
        "",
        *_fact_lines(facts),
        f"- students: {len(dataset.timeline.students)}",
        *(
            f"- {name}: {len(block)} first attempts with a forecast of struggle due, "
            f"{int((~block.decided).sum())} of them undecided, whose outcome is filled in; "
            f"{len(dataset.mastery[name])} first attempts in all"
            for name, block in dataset.struggle.items()
        ),
        "",
    ]
    for forecast in FORECASTS:
        lines += [
            f"## {forecast.name}: {forecast.meaning}",
            "",
            "Holdout, later in time than training and calibration.",
            "Intervals are 95 % over resampled students.",
            "",
            *_score_table(scores[forecast.name]),
            "",
        ]
        if groups.get(forecast.name):
            lines += [*_group_table(groups[forecast.name]), ""]
    return "\n".join(lines)


def evaluation_json(
    scores: Scores,
    groups: Mapping[str, Sequence[GroupFigures]],
    points: Mapping[str, Sequence[Point]],
    dataset: Dataset,
) -> dict[str, Any]:
    """Turns every figure of a run into plain values; NaN becomes null."""

    def plain(interval: Interval) -> dict[str, float | None]:
        return {name: None if math.isnan(value) else value for name, value in asdict(interval).items()}

    return {
        "metrics": {
            forecast: {
                who: {name: plain(interval) for name, interval in metrics.items()} for who, metrics in by_name.items()
            }
            for forecast, by_name in scores.items()
        },
        "groups": {forecast: [asdict(group) for group in figures] for forecast, figures in groups.items()},
        "reliability": {forecast: [asdict(point) for point in found] for forecast, found in points.items()},
        "blocks": {
            name: {
                "students": len(np.unique(mastery.student)),
                "struggle_rows": len(dataset.struggle[name]),
                "mastery_rows": len(mastery),
            }
            for name, mastery in dataset.mastery.items()
        },
    }


def _fact_lines(facts: Mapping[str, Any]) -> list[str]:
    return [f"- {name}: {value}" for name, value in facts.items()]


def _score_table(by_name: Mapping[str, Metrics]) -> list[str]:
    names = list(next(iter(by_name.values())))
    rows = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for who, metrics in by_name.items():
        cells = [_cell(metrics.get(name)) for name in names]
        rows.append(f"| {who} | " + " | ".join(cells) + " |")
    return rows


def _cell(interval: Interval | None) -> str:
    if interval is None or math.isnan(interval.value):
        return "-"
    if math.isnan(interval.low):
        return f"{interval.value:.4f}"
    return f"{interval.value:.4f} ({interval.low:.4f} to {interval.high:.4f})"


def _group_table(figures: Sequence[GroupFigures]) -> list[str]:
    titles = (
        "audit column", "group", "students", "rows", "happened", "forecast", "ece (by chance)", "missed",
        "abroca (by chance)", "p",
    )  # fmt: skip
    rows = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for group in figures:
        missed = "-" if group.missed_share is None else f"{group.missed_share:.3f}"
        curves = group.abroca
        area, p = ("-", "-") if curves is None else (f"{curves.area:.4f} ({curves.by_chance:.4f})", f"{curves.p:.3f}")
        rows.append(
            f"| {group.column} | {group.group} | {group.students} | {group.rows} | {group.base_rate:.3f} "
            f"| {group.mean_forecast:.3f} | {group.ece:.4f} ({group.ece_by_chance:.4f}) | {missed} | {area} | {p} |"
        )
    return [
        *rows,
        "",
        "Abroca is the area between the ROC curves of the group and of the column's other students.",
        "Small groups have large ones by chance; p is the share of random groups of the same size that have as large.",
        "Among twenty groups one has a p under .05 by chance.",
    ]
