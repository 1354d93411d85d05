"""How a challenger behaves on histories that are changed on purpose, and what it costs to ask it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.profiles.difficulty import Statistics
from features.profiles.fold import Rows, fold, read_skill_rows
from features.profiles.state import State
from features.profiles.timeline import Timeline
from training.data.dataset import Dataset, keep_students
from training.models.boosting import Model

STUDENTS = 200
"""Students whose histories are changed, drawn at random."""

ROWS = 1000
"""Rows that are forecast for the time that it takes."""

TRIES = 5
"""How often the time is taken; the shortest counts, since others may be at work on the machine."""

FoldRows = Callable[[Timeline, Statistics], Rows]
"""Makes the rows of kernel columns of a timeline, the state before each event."""


@dataclass(frozen=True)
class Behavior:
    """What came of changing histories, and what a forecast costs.

    Attributes:
        histories: How many histories were changed.
        falls: In how many the struggle risk is lower after a wrong answer than after a right one in its place.
        leaks: In how many a row changes with the answer that it forecasts, or with later ones.
        moved: How many forecasts change with the rows beside them.
        milliseconds: For the struggle forecast of a thousand rows.
        megabytes: Of the files of both models.
    """

    histories: int
    falls: int
    leaks: int
    moved: int
    milliseconds: float
    megabytes: float


def observe_behavior(
    models: Mapping[str, Model], dataset: Dataset, size: int, fold_rows: FoldRows | None = None
) -> Behavior:
    """Changes the histories of some students and asks both models again.

    Args:
        models: By forecast.
        dataset: Whose holdout is changed: one first attempt for each student, with all after it.
        size: Bytes of the models' files.
        fold_rows: How training makes its rows; the kernel unless given.
    """
    timeline, at = _draw_histories(dataset)
    return Behavior(
        len(at),
        _count_falls(models["struggle"], timeline, at, dataset.statistics),
        _count_leaks(timeline, at, dataset.statistics, fold_rows or _fold_all),
        sum(_count_moved(model, getattr(dataset, name)["holdout"].rows) for name, model in models.items()),
        _time_forecasts(models["struggle"], dataset.struggle["holdout"].rows),
        size / 1e6,
    )


def count_leaks(dataset: Dataset, fold_rows: FoldRows) -> Behavior:
    """Only looks for rows that know what came after them; the arguments are those of `observe_behavior`."""
    timeline, at = _draw_histories(dataset)
    leaks = _count_leaks(timeline, at, dataset.statistics, fold_rows)
    return Behavior(len(at), 0, leaks, 0, 0.0, 0.0)


def _fold_all(timeline: Timeline, statistics: Statistics) -> Rows:
    return fold(timeline, statistics, State.empty())[0]


def _draw_histories(dataset: Dataset) -> tuple[Timeline, npt.NDArray[np.int64]]:
    """The histories of some students of the holdout, and where in them one of its first attempts is for each."""
    timeline, due = dataset.timeline, dataset.due["mastery"]
    random = np.random.default_rng(0)
    students = np.unique(timeline.student[due])
    chosen = np.zeros(len(timeline.students), bool)
    chosen[random.permutation(students)[:STUDENTS]] = True
    events = chosen[timeline.student]
    some = keep_students(timeline, chosen, events)
    places = np.flatnonzero(due[events])
    owner = some.student[places]
    shuffled = random.permutation(len(places))
    _, first = np.unique(owner[shuffled], return_index=True)
    return some, places[shuffled[first]]


def _count_falls(model: Model, timeline: Timeline, at: npt.NDArray[np.int64], statistics: Statistics) -> int:
    """In how many histories that end at a place the risk of its skills is lower where its answer is wrong."""
    until = np.zeros(len(timeline.row), bool)
    for begin, place in zip(timeline.start[:-1], at, strict=True):
        until[begin : place + 1] = True
    short = keep_students(timeline, np.ones(len(at), bool), until)
    counts = np.add.reduceat(until, timeline.start[:-1])
    short = replace(short, start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
    last = short.start[1:] - 1
    risk = []
    for answer in (0, 1):
        correct = short.correct.copy()
        correct[last] = answer
        _, state = fold(replace(short, correct=correct), statistics, State.empty(), rows=False)
        rows = read_skill_rows(state, statistics, None)
        risk.append(model.predict(rows.columns))
    lower = risk[0] < risk[1]
    vocabulary = statistics.vocabulary
    fallen = set()
    for student, node in zip(rows.student[lower].tolist(), rows.node[lower].tolist(), strict=True):
        asked = int(short.node[last[student]])
        if node in vocabulary.members[vocabulary.member_start[asked] : vocabulary.member_start[asked + 1]]:
            fallen.add(student)
    return len(fallen)


def _count_leaks(timeline: Timeline, at: npt.NDArray[np.int64], statistics: Statistics, fold_rows: FoldRows) -> int:
    """At how many places a row changes where its answer and all later ones of the student are the other ones."""
    later = np.arange(len(timeline.row)) >= np.repeat(at, np.diff(timeline.start))
    turned = np.where(later & (timeline.correct >= 0), 1 - timeline.correct, timeline.correct).astype(np.int8)
    plain, other = (fold_rows(log, statistics)[at] for log in (timeline, replace(timeline, correct=turned)))
    changed = (plain != other) & ~(np.isnan(plain) & np.isnan(other))
    return int(changed.any(axis=1).sum())


def _count_moved(model: Model, rows: Rows) -> int:
    """How many of some rows have another forecast in another order, or alone."""
    some = rows[:ROWS]
    order = np.random.default_rng(0).permutation(len(some))
    together = model.predict(some)
    moved = together[order] != model.predict(some[order])
    alone = [model.predict(some[[place]])[0] != together[place] for place in order[:10]]
    return int(moved.sum()) + int(np.sum(alone))


def _time_forecasts(model: Model, rows: Rows) -> float:
    """Milliseconds for a thousand rows."""
    some = np.resize(rows, (ROWS, rows.shape[1]))
    taken = []
    for _ in range(TRIES):
        begin = time.perf_counter()
        model.predict(some)
        taken.append(time.perf_counter() - begin)
    return 1000 * min(taken)
