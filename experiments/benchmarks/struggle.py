"""`python -m experiments benchmark struggle`: does an open episode end without mastery, at each opportunity.

A row is a first answer of an open episode whose outcome is known: see `training.data.labels`. One model of each kind
learns from all such rows of the training students; it is judged at each opportunity apart, since with every answer
more there is less left to foretell.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.benchmarks.benchmark_log import BenchmarkLog
from experiments.benchmarks.indeterminate import judge_indeterminate, tell_later
from experiments.benchmarks.parts import abstain, abstain_by_rule, group_errors, tell_rule
from experiments.benchmarks.report import Order, Report, peak_mb, run_benchmark, score_table, tell_pair
from experiments.benchmarks.scores import (
    OURS,
    Forecast,
    Score,
    clock,
    find_best_peer,
    pair_with,
    score_forecast,
    to_number,
)
from features.errors import InputError
from training.config import TrainingConfig
from training.data.dataset import Block, build_student_split
from training.evaluation.metrics import evaluate
from training.models.baselines import Baseline, fit_logistic, fit_majority, fit_rule
from training.models.boosting import STRUGGLE, train_with_trial

logger = logging.getLogger("regroup")

MOST_ERROR = 0.08
"""Of the forecasts that are given when it may abstain: one in twelve may be wrong."""


def benchmark_struggle(order: Order) -> int:
    """Prints the figures and returns the exit code.

    Raises:
        InputError: The data set cannot be read, or one block of it has no episode of one outcome.
    """
    return run_benchmark(order, measure_struggle)


def measure_struggle(log: BenchmarkLog, config: TrainingConfig) -> Report:
    """Fits baselines and ours on the training students, and judges them at each opportunity of the others.

    Raises:
        InputError: Training or test students show one outcome only.
    """
    split, split_s = clock(lambda: build_student_split(log.events, log.item_skills, log.test_students, config))
    train, test = split.struggle["train"], split.struggle["test"]
    for name, block in split.struggle.items():
        if len(np.unique(block.target)) < 2:  # noqa: PLR2004 - two outcomes
            raise InputError(f"{log.name}: the {name} students show fewer than two outcomes; nothing can be judged")
    logger.info("%s: %d rows to learn from", OURS, len(train))
    (model, trial), fit_s = clock(lambda: train_with_trial(STRUGGLE, train, config.boosting))
    fits: tuple[Callable[[], Baseline], ...] = (
        lambda: fit_majority(train),
        lambda: fit_rule(train, config.evaluation.rule_wrong_in_a_row),
        lambda: fit_logistic(train),
    )
    timed = [*(clock(fit) for fit in fits), (Baseline(OURS, model.predict), fit_s)]
    forecasts = [_forecast(each, test, split_s + seconds) for each, seconds in timed]

    by_opportunity = [_judge(number, test, forecasts, config) for number in np.unique(test.opportunity).tolist()]
    overall = [score_forecast(each, test, config.evaluation) for each in forecasts]
    told = forecasts[-1].probability
    figures = {
        "dataset": log.name,
        "rows": len(test),
        "students": len(np.unique(test.student)),
        "results": by_opportunity,
        "overall": [each.figures() for each in overall],
        "paired": pair_with(find_best_peer(overall), forecasts, test, config.evaluation),
        "lead_time": _lead_time(test, forecasts, config),
        "indeterminate": judge_indeterminate(split, told, model, config),
        "subgroups": group_errors(test, told, split.statistics.catalog, by_episode=True),
        "abstention": abstain(test, told),
        "abstention_rule": abstain_by_rule(trial, test, told, MOST_ERROR, config.evaluation),
        "peak_mb": peak_mb(),
    }
    return Report(
        benchmark="struggle",
        files=f"{log.name}-struggle",
        figures=figures,
        tables=[_show_opportunities(log, by_opportunity), _show_overall(figures, overall)],
        target=test.target,
        forecasts=forecasts,
        best=find_best_peer(overall),
        metrics={each.model: {**each.metrics(), **_at_opportunities(each.model, by_opportunity)} for each in overall},
    )


def _forecast(baseline: Baseline, test: Block, fit_s: float) -> Forecast:
    probability, predict_s = clock(lambda: baseline.predict(test.rows))
    return Forecast(baseline.name, probability, fit_s, predict_s)


def _judge(number: int, test: Block, forecasts: Sequence[Forecast], config: TrainingConfig) -> dict[str, Any]:
    """One element of `results`: rows with so many opportunities behind them."""
    mine = test.opportunity == number
    block, parts = test.take(mine), [each.take(mine) for each in forecasts]
    scores = [score_forecast(each, block, config.evaluation) for each in parts]
    return {
        "opportunity": number,
        "rows": len(block),
        "base_rate": float(block.target.mean()),
        "results": [each.figures() for each in scores],
        "paired": pair_with(find_best_peer(scores), parts, block, config.evaluation),
    }


def _lead_time(test: Block, forecasts: Sequence[Forecast], config: TrainingConfig) -> dict[str, Any]:
    """Who gets the places that staff have, and how many opportunities are left when they do."""
    told = {}
    for each in forecasts:
        found = evaluate(test, each.probability, config.evaluation, config.mastery_rule.limit)
        told[each.model] = {
            "precision": found["precision_at_places"].value,
            "recall": found["recall_at_places"].value,
            "lead_opportunities": to_number(found["lead_opportunities"].value),
        }
    peers = [{"model": model, **figures} for model, figures in told.items() if model != OURS]
    return {"places_share": config.evaluation.places_share, **told[OURS], "peers": peers}


def _at_opportunities(model: str, by_opportunity: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The AUC at each opportunity, for MLflow."""
    return {
        f"auc_at_{part['opportunity']}": result["auc"]
        for part in by_opportunity
        for result in part["results"]
        if result["model"] == model and result["auc"] is not None
    }


def _show_opportunities(log: BenchmarkLog, by_opportunity: Sequence[dict[str, Any]]) -> Table:
    table = Table(title=f"struggle by opportunity, {log.name}: AUC", box=SIMPLE_HEAD)
    models = [each["model"] for each in by_opportunity[0]["results"]]
    for name in ("opportunity", "rows", "struggling", *models, "regroup minus best peer"):
        table.add_column(name, justify="right", no_wrap=True)
    for part in by_opportunity:
        paired = part["paired"]
        told = "-" if paired is None else f"{paired['difference']:+.4f} ({paired['low']:+.4f} to {paired['high']:+.4f})"
        area = ["-" if each["auc"] is None else f"{each['auc']:.4f}" for each in part["results"]]
        table.add_row(str(part["opportunity"]), f"{part['rows']:,}", f"{part['base_rate']:.3f}", *area, told)
    return table


def _show_overall(figures: dict[str, Any], overall: Sequence[Score]) -> Table:
    table = score_table(
        f"struggle, all {figures['rows']:,} open rows of {figures['students']:,} test students", overall, precision=True
    )
    lead, unknown = figures["lead_time"], figures["indeterminate"]
    left = lead["lead_opportunities"]
    lines = [
        tell_pair(figures["paired"]),
        f"places for {lead['places_share']:.0%}: precision {lead['precision']:.3f}, recall {lead['recall']:.3f}",
    ]
    if left is not None:
        lines.append(f"struggling episodes with a place have {left:.1f} opportunities left when they first get it")
    if unknown["rows"]:
        lines.append(
            f"{unknown['rows']:,} rows have no known outcome; {unknown['flagged_share']:.1%} of them would get a "
            f"place, and {unknown['known_flagged_share']:.1%} of the others"
        )
    if unknown["later"]["auc"] is not None:
        lines.append(tell_later(unknown["later"]))
    lines.append(tell_rule(figures["abstention_rule"]))
    table.caption = "\n".join(lines)
    table.caption_justify = "left"
    return table
