"""`python -m experiments benchmark next-response`: is the next answer correct, against published models."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table
from scipy.stats import rankdata

from experiments.benchmarks.forecasts.data.datasets import BenchmarkLog, find_copied_students
from experiments.benchmarks.forecasts.data.splits import StudentSplit, build_student_split
from experiments.benchmarks.forecasts.deep_peer import DEEP_PEER, read_predictions
from experiments.benchmarks.forecasts.figures.report import (
    Report,
    add_caption,
    describe_pair,
    run_benchmark,
    score_table,
)
from experiments.benchmarks.forecasts.figures.scores import (
    OURS,
    Floats,
    Forecast,
    Score,
    clock,
    find_best_peer,
    pair_with,
    score_forecast,
)
from experiments.benchmarks.forecasts.figures.slices import group_errors
from experiments.benchmarks.forecasts.peers import PEERS, to_responses
from experiments.benchmarks.memory import peak_mb
from features.console import ERR, track
from features.errors import InputError
from features.profiles.fold import Rows, fold
from features.profiles.kernel import COLUMNS
from features.profiles.state import State
from training.config import TrainingConfig
from training.data.dataset import Block, keep_students
from training.models.boosting import MASTERY, Model, train_model

logger = logging.getLogger("regroup")

MOST_ECE = 0.010
"""Goal: our expected calibration error on test students is at most this."""

MARGIN, CEILING = 0.05, 0.9
"""An honest column stays this close to the best honest column's area, and under this area."""

REFERENCE = "expected_correct"

FEWEST = 1000
"""Rows below which an area is too much chance to accuse a column."""

MOST = 100_000
"""Rows of whole students that are looked at, evenly spread."""


@dataclass(frozen=True)
class Suspect:
    """A column that knows too much, and the probe that says so."""

    column: str
    probe: str
    auc: float


@dataclass(frozen=True)
class LeakCheck:
    """What the check looked at and found.

    Attributes:
        rows: Training rows looked at.
        columns: How many columns there are.
        threshold: The area that an honest column stays under.
        highest: The largest area that any probe of a column reached, and whose it is.
        suspects: Columns above the threshold, once for each probe.
    """

    rows: int
    columns: int
    threshold: float
    highest: Suspect
    suspects: tuple[Suspect, ...]


def find_leaks(
    rows: Rows, names: Sequence[str], target: npt.NDArray[np.float32], student: npt.NDArray[np.int64]
) -> LeakCheck:
    """Checks that no single column knows what only the row's answer, or a later one, can tell.

    Three probes of each column, each an area under the ROC curve on training rows, whichever way the column points:
    `answer` is its value against the row's answer; `step` is how it moved since the student's row before on the same
    skill, against the row's answer, since a running count that already includes this answer moves exactly when it is
    right; `next` is its value against the student's next answer on the skill. A column is a suspect where a probe
    passes, by a margin, what the best honest column reaches on `answer`, or passes .9, whichever is lower. A leak
    drowned in more noise than that is not found.

    Args:
        rows: By student and then in order, nulls as NaN.
        names: Names of the columns; `skill` and `expected_correct` are among them.
        target: 1 if the row's answer is correct, else 0.
        student: Code of each row's student; equal codes are contiguous.
    """
    chosen = _spread(student)
    rows, target, student = rows[chosen], target[chosen], student[chosen]
    skill = np.nan_to_num(rows[:, names.index("skill")], nan=-1)
    order = np.lexsort((skill, student))  # keeps the order within a student's skill
    same = (np.diff(student[order]) == 0) & (np.diff(skill[order]) == 0)
    earlier, later = order[:-1][same], order[1:][same]
    found = []
    for name, column in zip(names, rows.T.astype(np.float64), strict=True):
        found += [
            Suspect(name, "answer", _area(column, target)),
            Suspect(name, "step", _area(column[later] - column[earlier], target[later])),
            Suspect(name, "next", _area(column[earlier], target[later])),
        ]
    reference = next(probe.auc for probe in found if (probe.column, probe.probe) == (REFERENCE, "answer"))
    threshold = min(CEILING, reference + MARGIN)
    suspects = tuple(probe for probe in found if probe.auc > threshold)
    return LeakCheck(len(rows), len(names), threshold, max(found, key=lambda probe: probe.auc), suspects)


def _area(score: Floats, target: npt.NDArray[np.float32]) -> float:
    """Returns the area under the ROC curve, at least one half; one half where too little is known."""
    known = ~np.isnan(score)
    score, target = score[known], target[known]
    right = int(target.sum())
    wrong = len(target) - right
    if len(target) < FEWEST or right == 0 or wrong == 0:
        return 0.5
    area = (rankdata(score)[target == 1].sum() - right * (right + 1) / 2) / (right * wrong)
    return float(max(area, 1 - area))


def _spread(student: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Returns rows of every k-th student, so that about `MOST` rows remain."""
    place = np.unique(student, return_inverse=True)[1]
    every = -(-len(student) // MOST)
    chosen: npt.NDArray[np.bool_] = place % max(every, 1) == 0
    return chosen


def measure_next_response(log: BenchmarkLog, config: TrainingConfig, predictions: Path | None = None) -> Report:
    """Fits every peer and ours on the training students, and scores them on the scored rows of the others.

    Args:
        log: With its test students.
        config: Choices of the training and the evaluation.
        predictions: What `benchmark deep-peer` wrote of this log; null = the deep peer is not among the peers.

    Raises:
        InputError: A row that is to be scored was not, or twice; or the predictions are not of these rows.
    """
    (split, model), fit_s = clock(lambda: _fit_ours(log, config))
    ours, predict_s = clock(lambda: _predict_ours(split, model))
    at = split.positions["test"]
    kept = log.scored[split.timeline.row[at]]
    rows = split.timeline.row[at[kept]]
    if len(np.unique(rows)) != len(rows) or len(rows) != log.scored.sum():
        raise InputError(f"{log.name}: {len(rows)} rows were scored, and {log.scored.sum()} have to be, once each")
    train, test = (
        to_responses(split.timeline, split.statistics.vocabulary, split.positions[name]) for name in ("train", "test")
    )
    forecasts = [] if predictions is None else [read_predictions(predictions, test).take(kept)]
    for peer in track(PEERS, "peers", total=len(PEERS)):
        fitted, peer_fit_s = clock(partial(peer.fit, train))
        predicted, peer_predict_s = clock(partial(fitted, test))
        if not ERR.is_terminal:  # a line would break the bar
            logger.info("%s: fitted in %.1f s", peer.name, peer_fit_s)
        forecasts.append(Forecast(peer.name, predicted, peer_fit_s, peer_predict_s).take(kept))
    forecasts.append(Forecast(OURS, ours, fit_s, predict_s).take(kept))

    block = split.mastery["test"].take(kept)
    scores = [score_forecast(forecast, block, config.evaluation) for forecast in forecasts]
    best = find_best_peer(scores)
    copied = split.timeline.students.isin(find_copied_students(log))[block.student]
    learned = split.mastery["train"]
    leaks = find_leaks(learned.rows, COLUMNS, learned.target, learned.student)
    probability = forecasts[-1].probability
    item_responses = split.statistics.item_responses[split.timeline.item[at[kept]]]
    figures = {
        "dataset": log.name,
        "rows": len(block),
        "students": len(np.unique(block.student)),
        "results": _results(scores),
        "paired": pair_with(best, forecasts, block, config.evaluation),
        **_leave_out(copied, forecasts, block, config),
        "published": [asdict(figure) for figure in log.published],
        "subgroups": group_errors(block, probability, split.statistics.vocabulary, item_responses),
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
        metrics={score.model: score.metrics() for score in scores},
        sound=not leaks.suspects,
    )


def _leave_out(
    copied: npt.NDArray[np.bool_], forecasts: Sequence[Forecast], block: Block, config: TrainingConfig
) -> dict[str, Any]:
    """Returns the figures on the rows of test students who have no copy among the training students."""
    honest, parts = block.take(~copied), [forecast.take(~copied) for forecast in forecasts]
    scores = [score_forecast(forecast, honest, config.evaluation) for forecast in parts]
    deep = any(forecast.model == DEEP_PEER for forecast in parts)
    return {
        "without_copies": _results(scores),
        "paired_without_copies": pair_with(find_best_peer(scores), parts, honest, config.evaluation),
        "paired_with_deep_without_copies": pair_with(DEEP_PEER, parts, honest, config.evaluation) if deep else None,
        "copies_left_out": {"students": len(np.unique(block.student[copied])), "rows": int(copied.sum())},
    }


def _results(scores: Sequence[Score]) -> list[dict[str, Any]]:
    return [{name: value for name, value in asdict(score).items() if name != "average_precision"} for score in scores]


def _fit_ours(log: BenchmarkLog, config: TrainingConfig) -> tuple[StudentSplit, Model]:
    split = build_student_split(log.events, log.item_skills, log.test_students, config)
    logger.info("%s: %d rows to learn from", OURS, len(split.mastery["train"]))
    return split, train_model(MASTERY, split.mastery["train"], None, config.boosting)


def _predict_ours(split: StudentSplit, model: Model) -> Floats:
    """Returns forecasts from the test students' answers, read once more as a service would have to."""
    timeline = split.timeline
    chosen = np.isin(np.arange(len(timeline.students)), timeline.student[split.positions["test"]])
    test = keep_students(timeline, chosen, chosen[timeline.student])
    rows, _ = fold(test, split.statistics, State.empty())
    return model.predict(rows[(test.correct >= 0) & (test.item >= 0)])


def _show(log: BenchmarkLog, scores: list[Score], figures: dict[str, Any], leaks: LeakCheck) -> Table:
    table = score_table(
        f"next response, {log.name}: {figures['rows']:,} answers of {figures['students']:,} test students", scores
    )
    table.add_section()
    for figure in log.published:
        digits = 2 if round(figure.auc, 2) == figure.auc else 4  # as printed there
        table.add_row(f"{figure.model}, published", f"{figure.auc:.{digits}f}", *["-"] * 6, style="dim")
    ece = scores[-1].ece
    sources = ", ".join(sorted({figure.source for figure in log.published}))
    lines = [
        describe_pair(figures["paired"]),
        *_describe_copies(figures),
        f"ECE {ece:.4f}; goal: at most {MOST_ECE:g}, {'met' if ece <= MOST_ECE else 'not met'}",
        *([f"published: {sources}"] if sources else []),
        _describe_leaks(leaks),
    ]
    return add_caption(table, lines)


def _describe_copies(figures: dict[str, Any]) -> list[str]:
    left_out, paired = figures["copies_left_out"], figures["paired_without_copies"]
    ours = next(result for result in figures["without_copies"] if result["model"] == OURS)
    lines = ["no test student has a copy among the training students"]
    if left_out["rows"] and paired is not None:
        who = f"{left_out['students']:,} test students ({left_out['rows']:,} answers)"
        area = f"AUC {ours['auc']:.4f} ({ours['auc_low']:.4f}-{ours['auc_high']:.4f})"
        lines = [f"without {who} who have a copy among the training students: {area}", f"there {describe_pair(paired)}"]
    deep = figures["paired_with_deep_without_copies"]
    return lines if deep is None else [*lines, f"without copies {describe_pair(deep)}"]


def _describe_leaks(leaks: LeakCheck) -> str:
    if not leaks.suspects:
        highest = f"{leaks.highest.column} {leaks.highest.auc:.3f} < {leaks.threshold:.3f}"
        return f"leak check: none of {leaks.columns} columns; highest {highest}"
    named = ", ".join(f"{suspect.column} ({suspect.probe} {suspect.auc:.3f})" for suspect in leaks.suspects)
    return f"LEAK: {named}; honest columns stay under {leaks.threshold:.3f}"


def benchmark_next_response(
    data_set: str,
    *,
    peer_predictions: Path | None = None,
    **options: Any,  # noqa: ANN401 - those of run_benchmark
) -> int:
    """Prints and writes the figures; the exit code is 1 if a column knows an answer that it should not."""
    return run_benchmark(partial(measure_next_response, predictions=peer_predictions), data_set, **options)
