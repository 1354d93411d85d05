"""`python -m experiments benchmark struggle`: will the mastery rule be met within the next opportunities.

A row is a first answer at which a forecast is due (`training.data.labels`). One model of each kind learns from all such
rows of the training students and is scored on those of the others, at each opportunity apart. Undecided outcomes are
filled in, those of the test students by a model of their own answers; `direct` is our form learned from decided
outcomes alone. The older question, whether the rule is met within the first opportunities of a skill, stands beside.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from rich.table import Table

from experiments.benchmarks.figures import make_table
from experiments.benchmarks.forecasts.data.datasets import BenchmarkLog
from experiments.benchmarks.forecasts.data.splits import StudentSplit, build_student_split
from experiments.benchmarks.forecasts.figures.report import (
    Report,
    add_caption,
    describe_pair,
    run_benchmark,
    score_table,
)
from experiments.benchmarks.forecasts.figures.scores import (
    OURS,
    Forecast,
    Score,
    clock,
    find_best_peer,
    pair_with,
    score_forecast,
)
from experiments.benchmarks.forecasts.figures.slices import group_errors
from experiments.benchmarks.memory import peak_mb
from features.errors import InputError
from training.config import TrainingConfig
from training.data.dataset import Block
from training.evaluation.metrics import area_under_curve, evaluate
from training.models.baselines import Baseline, fit_logistic, fit_majority, fit_rule
from training.models.boosting import STRUGGLE, Model, train_model

logger = logging.getLogger("regroup")

DIRECT, LOGISTIC = "direct", "logistic"
"""Peers that ours is compared with by name."""

OLDER_AFTER = (2, 3, 5)
"""Opportunities after which the older question is told."""


def measure_struggle(log: BenchmarkLog, config: TrainingConfig) -> Report:
    """Fits baselines and ours on the training students, and scores them at each opportunity of the others.

    Raises:
        InputError: Training or test students show one outcome only.
    """
    split, split_s = clock(lambda: build_student_split(log.events, log.item_skills, log.test_students, config))
    train, test = split.struggle["train"], split.struggle["test"]
    decided = train.take(train.decided)
    for name, block in (("training", decided), ("test", test)):
        if len(np.unique(block.target)) < 2:  # noqa: PLR2004 - two outcomes
            raise InputError(f"{log.name}: the {name} students show fewer than two outcomes; nothing can be scored")
    logger.info("%s: %d rows to learn from", OURS, len(train))
    model, fit_s = clock(lambda: train_model(STRUGGLE, train, None, config.boosting))
    direct, direct_s = clock(lambda: train_model(STRUGGLE, decided, None, config.boosting))
    fits: tuple[Callable[[], Baseline], ...] = (
        lambda: fit_majority(train),
        lambda: fit_rule(train, config.evaluation.rule_wrong_in_a_row),
        lambda: fit_logistic(train),
    )
    timed = [
        *(clock(fit) for fit in fits),
        (Baseline(DIRECT, direct.predict), direct_s),
        (Baseline(OURS, model.predict), fit_s),
    ]
    forecasts = []
    for baseline, seconds in timed:
        predicted, predict_s = clock(partial(baseline.predict, test.rows))
        forecasts.append(Forecast(baseline.name, predicted, split_s + seconds, predict_s))

    by_opportunity = [
        _score_opportunity(number, test, forecasts, config) for number in range(config.mastery_rule.horizon + 1)
    ]
    overall = [score_forecast(forecast, test, config.evaluation) for forecast in forecasts]
    results = [part for part in by_opportunity if part is not None]
    figures = {
        "dataset": log.name,
        "rows": len(test),
        "students": len(np.unique(test.student)),
        "decided_share": float(test.decided.mean()),
        "results": results,
        "overall": [asdict(score) for score in overall],
        "paired": pair_with(find_best_peer(overall), forecasts, test, config.evaluation),
        "paired_with": [pair_with(peer, forecasts, test, config.evaluation) for peer in (LOGISTIC, DIRECT)],
        "decided": _score_decided(test, forecasts, config),
        "places": _score_places(test, forecasts, config),
        "first_opportunities": _score_older_question(split, model, config),
        "subgroups": group_errors(test, forecasts[-1].probability, split.statistics.vocabulary, by_episode=True),
        "peak_mb": peak_mb(),
    }
    return Report(
        benchmark="struggle",
        files=f"{log.name}-struggle",
        figures=figures,
        tables=[_show_opportunities(log, results), _show_overall(figures, overall)],
        target=test.target,
        forecasts=forecasts,
        best=find_best_peer(overall),
        metrics={score.model: {**score.metrics(), **_at_opportunities(score.model, results)} for score in overall},
    )


def _score_opportunity(
    number: int, test: Block, forecasts: Sequence[Forecast], config: TrainingConfig
) -> dict[str, Any] | None:
    """Returns one element of `results`: rows with so many opportunities behind them, or more from the horizon on."""
    last = number == config.mastery_rule.horizon
    mine = test.opportunity >= number if last else test.opportunity == number
    if not mine.any():
        return None
    block, parts = test.take(mine), [forecast.take(mine) for forecast in forecasts]
    scores = [score_forecast(forecast, block, config.evaluation) for forecast in parts]
    return {
        "opportunity": number,
        "and_later": last,
        "rows": len(block),
        "base_rate": float(block.target.mean()),
        "results": [asdict(score) for score in scores],
        "paired": pair_with(find_best_peer(scores), parts, block, config.evaluation),
    }


def _score_decided(test: Block, forecasts: Sequence[Forecast], config: TrainingConfig) -> dict[str, Any]:
    """Returns the figures on decided rows alone: what fills in looks worse there, since who is decided is chosen."""
    mine = test.decided
    block, parts = test.take(mine), [forecast.take(mine) for forecast in forecasts]
    return {
        "rows": len(block),
        "results": [asdict(score_forecast(forecast, block, config.evaluation)) for forecast in parts],
        "paired": pair_with(DIRECT, parts, block, config.evaluation),
    }


def _score_places(test: Block, forecasts: Sequence[Forecast], config: TrainingConfig) -> dict[str, Any]:
    """Returns precision and recall for the places that staff have."""
    places = {}
    for forecast in forecasts:
        found = evaluate(test, forecast.probability, config.evaluation, places=True)
        places[forecast.model] = {name: found[f"{name}_at_places"].value for name in ("precision", "recall")}
    peers = [{"model": model, **figures} for model, figures in places.items() if model != OURS]
    return {"share": config.evaluation.places_share, **places[OURS], "peers": peers}


def _score_older_question(split: StudentSplit, model: Model, config: TrainingConfig) -> dict[str, Any]:
    """Returns AUC on the older question, of our model and of our form trained on that question, as it used to be."""
    train, test = split.first_outcomes("train"), split.first_outcomes("test")
    if train.target.min() == train.target.max():
        return {"rows": len(test), "results": []}
    former = train_model(STRUGGLE, train, None, config.boosting)
    probability = {"regroup": model.predict(test.rows), "asked this": former.predict(test.rows)}
    results = []
    for after in (*OLDER_AFTER, None):
        mine = np.ones(len(test), bool) if after is None else test.opportunity == after
        if 0 < test.target[mine].sum() < mine.sum():
            areas = {name: area_under_curve(test.target[mine], one[mine]) for name, one in probability.items()}
            results.append({"after": after, "rows": int(mine.sum()), "auc": areas})
    return {"rows": len(test), "results": results}


def _at_opportunities(model: str, by_opportunity: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Returns the AUC at each opportunity, for MLflow."""
    return {
        f"auc_at_{part['opportunity']}": result["auc"]
        for part in by_opportunity
        for result in part["results"]
        if result["model"] == model and result["auc"] is not None
    }


def _show_opportunities(log: BenchmarkLog, by_opportunity: Sequence[dict[str, Any]]) -> Table:
    models = [result["model"] for result in by_opportunity[0]["results"]]
    names = ["opportunity", "rows", "struggling", *models, "regroup minus best peer"]
    table = make_table(f"struggle by opportunity, {log.name}: AUC", [], names)
    for part in by_opportunity:
        paired = part["paired"]
        difference = (
            "-" if paired is None else f"{paired['difference']:+.4f} ({paired['low']:+.4f} to {paired['high']:+.4f})"
        )
        area = ["-" if result["auc"] is None else f"{result['auc']:.4f}" for result in part["results"]]
        number = f"{part['opportunity']}{'+' if part['and_later'] else ''}"
        table.add_row(number, f"{part['rows']:,}", f"{part['base_rate']:.3f}", *area, difference)
    return table


def _show_overall(figures: dict[str, Any], overall: Sequence[Score]) -> Table:
    table = score_table(
        f"struggle, all {figures['rows']:,} open rows of {figures['students']:,} test students", overall, precision=True
    )
    places, decided = figures["places"], figures["decided"]
    against_direct = describe_pair(decided["paired"]).split(";")[0]
    lines = [
        *(describe_pair(paired) for paired in figures["paired_with"]),
        f"{figures['decided_share']:.0%} of the rows are decided, the others filled in",
        f"on the {decided['rows']:,} decided rows, which are chosen by outcome: {against_direct}",
        f"places for {places['share']:.0%}: precision {places['precision']:.3f}, recall {places['recall']:.3f}",
    ]
    for part in figures["first_opportunities"]["results"]:
        after = "all rows" if part["after"] is None else f"after {part['after']}"
        areas = ", ".join(f"{name} {area:.4f}" for name, area in part["auc"].items())
        lines.append(f"mastered within the first opportunities, decided alone, {after}: AUC {areas}")
    return add_caption(table, lines)


benchmark_struggle = partial(run_benchmark, measure_struggle)
"""Prints and writes the figures; returns the exit code 0."""
