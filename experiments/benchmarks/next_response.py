"""`python -m experiments benchmark next-response`: is the next answer correct, against published models."""

import logging
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from rich.table import Table

from experiments.benchmarks.benchmark_log import BenchmarkLog
from experiments.benchmarks.history_measure import take_students
from experiments.benchmarks.leaks import LeakCheck, find_leaks
from experiments.benchmarks.parts import abstain, abstain_by_rule, group_errors, tell_rule
from experiments.benchmarks.peers import PEERS, Responses
from experiments.benchmarks.report import Order, Report, peak_mb, run_benchmark, score_table, tell_pair
from experiments.benchmarks.scores import (
    OURS,
    Floats,
    Forecast,
    Score,
    clock,
    find_best_peer,
    pair_with,
    score_forecast,
)
from features.console import ERR, track
from features.errors import InputError
from features.profiles.fold import fold
from features.profiles.kernel import COLUMNS
from features.profiles.state import State
from features.profiles.timeline import Timeline
from features.profiles.vocabulary import Catalog
from training.config import TrainingConfig
from training.data.dataset import StudentSplit, build_student_split
from training.models.boosting import MASTERY, Model, Trial, train_with_trial

logger = logging.getLogger("regroup")

MOST_ECE = 0.010
"""Goal: our expected calibration error on test students is at most this."""

MOST_ERROR = 0.15
"""Of the forecasts that are given when it may abstain: one in seven may be wrong."""


def benchmark_next_response(order: Order) -> int:
    """Prints the figures and returns the exit code: 1 if a column knows an answer that it should not.

    Raises:
        InputError: The data set cannot be read, or its rows were not scored once each.
    """
    return run_benchmark(order, measure_next_response)


def measure_next_response(log: BenchmarkLog, config: TrainingConfig) -> Report:
    """Fits every peer and ours on the training students, and judges them on the scored rows of the others.

    Raises:
        InputError: A row that is to be scored was not, or twice.
    """
    (split, model, trial), fit_s = clock(lambda: _fit_ours(log, config))
    ours, predict_s = clock(lambda: _predict_ours(split, model))
    at = split.positions["test"]
    kept = log.scored[split.timeline.row[at]]
    _check_rows(log, split.timeline.row[at[kept]])
    train, test = (
        to_responses(split.timeline, split.statistics.catalog, split.positions[name]) for name in ("train", "test")
    )
    forecasts = []
    for peer in track(PEERS, "peers", total=len(PEERS)):
        fitted, peer_fit_s = clock(partial(peer.fit, train))
        probability, peer_predict_s = clock(partial(fitted, test))
        if not ERR.is_terminal:  # a line would break the bar
            logger.info("%s: fitted in %.1f s", peer.name, peer_fit_s)
        forecasts.append(Forecast(peer.name, probability, peer_fit_s, peer_predict_s).take(kept))
    forecasts.append(Forecast(OURS, ours, fit_s, predict_s).take(kept))

    block = split.mastery["test"].take(kept)
    scores = [score_forecast(each, block, config.evaluation) for each in forecasts]
    best = find_best_peer(scores)
    paired = pair_with(best, forecasts, block, config.evaluation)
    rows = split.mastery["train"]
    leaks = find_leaks(rows.rows, COLUMNS, rows.target, rows.student)
    told = forecasts[-1].probability
    item_responses = split.statistics.item_responses[split.timeline.item[at[kept]]]
    figures = {
        "dataset": log.name,
        "rows": len(block),
        "students": len(np.unique(block.student)),
        "results": [_figures(each) for each in scores],
        "paired": paired,
        "published": [asdict(each) for each in log.published],
        "subgroups": group_errors(block, told, split.statistics.catalog, item_responses),
        "abstention": abstain(block, told),
        "abstention_rule": abstain_by_rule(trial, block, told, MOST_ERROR, config.evaluation),
        "leak_check": asdict(leaks),
        "peak_mb": peak_mb(),
    }
    return Report(
        benchmark="next-response",
        files=log.name,
        figures=figures,
        tables=[_show(log, scores, figures, leaks)],
        target=block.target,
        forecasts=forecasts,
        best=best,
        metrics={each.model: each.metrics() for each in scores},
        sound=not leaks.suspects,
    )


def to_responses(timeline: Timeline, catalog: Catalog, at: "np.ndarray[Any, np.dtype[np.int64]]") -> Responses:
    """The first attempts at some positions of a timeline, as peers take them."""
    item = timeline.item[at]
    return Responses(
        student=timeline.student[at],
        item=item,
        skill=catalog.node_of_item[item],
        correct=timeline.correct[at],
        items=len(catalog.items),
        skills=len(catalog.nodes),
    )


def _fit_ours(log: BenchmarkLog, config: TrainingConfig) -> tuple[StudentSplit, Model, Trial | None]:
    split = build_student_split(log.events, log.item_skills, log.test_students, config)
    logger.info("%s: %d rows to learn from", OURS, len(split.mastery["train"]))
    return split, *train_with_trial(MASTERY, split.mastery["train"], config.boosting)


def _predict_ours(split: StudentSplit, model: Model) -> Floats:
    """Goes through the test students' answers once more, as a service would have to."""
    timeline = split.timeline
    test = take_students(timeline, np.unique(timeline.student[split.positions["test"]]))
    rows, _ = fold(test, split.statistics, State.empty())
    return model.predict(rows[(test.correct >= 0) & (test.item >= 0)])


def _check_rows(log: BenchmarkLog, rows: "np.ndarray[Any, np.dtype[np.int64]]") -> None:
    if len(np.unique(rows)) != len(rows) or len(rows) != log.scored.sum():
        raise InputError(f"{log.name}: {len(rows)} rows were scored, and {log.scored.sum()} have to be, once each")


def _figures(score: Score) -> dict[str, Any]:
    return {name: value for name, value in score.figures().items() if name != "average_precision"}


def _show(log: BenchmarkLog, scores: list[Score], figures: dict[str, Any], leaks: LeakCheck) -> Table:
    table = score_table(
        f"next response, {log.name}: {figures['rows']:,} answers of {figures['students']:,} test students", scores
    )
    table.add_section()
    for each in log.published:
        digits = 2 if round(each.auc, 2) == each.auc else 4  # as printed there
        table.add_row(f"{each.model}, published", f"{each.auc:.{digits}f}", *["-"] * 6, style="dim")
    ece = scores[-1].ece
    lines = [
        tell_pair(figures["paired"]),
        f"ECE {ece:.4f}; goal: at most {MOST_ECE:g}, {'met' if ece <= MOST_ECE else 'not met'}",
        *([f"published: {', '.join(sorted({each.source for each in log.published}))}"] if log.published else []),
        _tell_leaks(leaks),
        tell_rule(figures["abstention_rule"]),
    ]
    table.caption = "\n".join(lines)
    table.caption_justify = "left"
    return table


def _tell_leaks(leaks: LeakCheck) -> str:
    if not leaks.suspects:
        top = leaks.highest
        return (
            f"leak check: none of {leaks.columns} columns; highest {top.column} {top.auc:.3f} < {leaks.threshold:.3f}"
        )
    named = ", ".join(f"{each.column} ({each.probe} {each.auc:.3f})" for each in leaks.suspects)
    return f"LEAK: {named}; honest columns stay under {leaks.threshold:.3f}"
