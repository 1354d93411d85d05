"""Times the kernel against a copy of its own output and against plain pandas, in one run."""

import gc
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.benchmarks.kernel.pandas_columns import build_columns
from experiments.benchmarks.kernel.pandas_steps import Difficulty, events_table
from features.console import track
from features.profiles.columns import REGISTRY
from features.profiles.difficulty import Statistics
from features.profiles.fold import Rows, fold
from features.profiles.kernel import COLUMNS
from features.profiles.state import State
from features.profiles.timeline import Timeline
from training.data.dataset import keep_students

logger = logging.getLogger("regroup")

TOLERANCE = 1e-5
"""Relative; the columns are float32."""

EXACT = frozenset(
    column.name
    for column in REGISTRY
    if column.unit in {"responses", "runs", "code", "0 or 1"} and column.name != "recent_responses_7d"  # that one fades
)
"""Columns that count or name something: they must be the very same."""


@dataclass(frozen=True)
class Comparison:
    """Whether two versions of the columns say the same.

    Attributes:
        equal: They do, exactly for `EXACT` columns, within `TOLERANCE` for others, null where the other is null.
        worst_column: The column that differs most.
        worst_deviation: By how many tolerances; null if a null or a count differs.
        unequal_cells: Values that differ, all columns together.
    """

    equal: bool
    worst_column: str
    worst_deviation: float | None
    unequal_cells: int


def compare_columns(rows: Rows, columns: pd.DataFrame) -> Comparison:
    """Compares the kernel's rows with the columns of pandas.

    Example:
        >>> ones = np.ones((2, len(COLUMNS)), np.float32)
        >>> compare_columns(ones, pd.DataFrame(ones, columns=list(COLUMNS))).equal
        True
    """
    deviations, unequal = {}, 0
    for position, name in enumerate(COLUMNS):
        deviation = _deviation(rows[:, position], columns[name].to_numpy(), exact=name in EXACT)
        deviations[name] = float(deviation.max(initial=0.0))
        unequal += int((deviation > 1).sum())
    worst = max(deviations, key=deviations.__getitem__)
    most = deviations[worst]
    return Comparison(unequal == 0, worst, most if np.isfinite(most) else None, unequal)


def _deviation(one: Rows, other: Rows, *, exact: bool) -> npt.NDArray[np.float64]:
    """Returns how far apart two columns are, in tolerances; infinite where a null or an exact value differs."""
    left, right = one.astype(np.float64), other.astype(np.float64)
    null = np.isnan(left) & np.isnan(right)
    if exact:
        return np.where(null | (left == right), 0.0, np.inf)
    deviation = np.abs(left - right) / (1e-8 + TOLERANCE * np.abs(right))  # as np.allclose weighs it
    return np.where(null, 0.0, np.where(np.isnan(deviation), np.inf, deviation))


REPEATS = 7
"""Timings behind each median: kernel and copy take turns, since the first touch of memory costs now more, now less."""

PANDAS_SECONDS = 600.0
"""If pandas would take longer, it gets a sample of whole students."""

PILOT_ROWS = 100_000
"""Rows from which the time of pandas is extrapolated; a smaller log needs no extrapolation."""


@dataclass(frozen=True)
class Timing:
    """What one run measured; every ratio is from this run.

    Attributes:
        rows: Events of the log.
        kernel_s: Median seconds of `fold` with rows and state.
        copy_s: Median seconds of copying the rows once.
        pandas_rows: Events that pandas was given, those of whole students.
        pandas_kernel_s: Median seconds of `fold` on the same.
        pandas_s: Seconds of the pandas version.
        pinned: Whether everything ran on one processor.
        comparison: The kernel's rows against those of pandas.
    """

    rows: int
    kernel_s: float
    copy_s: float
    pandas_rows: int
    pandas_kernel_s: float
    pandas_s: float
    pinned: bool
    comparison: Comparison

    @property
    def rows_per_s(self) -> float:
        """Returns events that the kernel goes through in a second."""
        return self.rows / self.kernel_s

    @property
    def ratio_to_copy(self) -> float:
        """Returns how many copies of the output the kernel takes."""
        return self.kernel_s / self.copy_s

    @property
    def ratio_to_pandas(self) -> float:
        """Returns how many times faster than pandas the kernel is on the same rows."""
        return self.pandas_s / self.pandas_kernel_s


def measure_history(timeline: Timeline, statistics: Statistics) -> Timing:
    """Times kernel, copy and pandas on one processor, on a log with at least one first attempt."""
    with _one_processor() as pinned:
        fold(timeline, statistics, State.empty())  # compiles, and warms the allocator
        rows, kernel_s, copy_s = _time_kernel(timeline, statistics)
        sample = _pandas_share(timeline, statistics)
        sample_kernel_s = kernel_s
        if len(sample.row) < len(timeline.row):
            rows, sample_kernel_s, _ = _time_kernel(sample, statistics)
        logger.info("pandas: %d rows", len(sample.row))
        columns, pandas_s = _time_pandas(sample, statistics)
    found = compare_columns(rows, columns)
    return Timing(len(timeline.row), kernel_s, copy_s, len(sample.row), sample_kernel_s, pandas_s, pinned, found)


@contextmanager
def _one_processor() -> Iterator[bool]:
    """Keeps the process on one processor where the system can do that; yields whether it can."""
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, allowed)


def _time_kernel(timeline: Timeline, statistics: Statistics) -> tuple[Rows, float, float]:
    kernel, copy = [], []
    for _ in track(range(REPEATS), "kernel and copy timed in turns", total=REPEATS):
        began = time.perf_counter()
        rows, _state = fold(timeline, statistics, State.empty())
        folded = time.perf_counter()
        copied = rows.copy()
        copy.append(time.perf_counter() - folded)
        kernel.append(folded - began)
        del copied, _state
    return rows, median(kernel), median(copy)


def _time_pandas(timeline: Timeline, statistics: Statistics) -> tuple[pd.DataFrame, float]:
    events, difficulty = events_table(timeline), Difficulty.of(statistics)
    gc.collect()
    began = time.perf_counter()
    columns = build_columns(events, difficulty)
    return columns, time.perf_counter() - began


def _pandas_share(timeline: Timeline, statistics: Statistics) -> Timeline:
    """Returns the whole log, or as many students, evenly spread, as pandas gets through in time."""
    share = PILOT_ROWS / max(len(timeline.row), 1)
    if share >= 1:
        return timeline
    pilot = _spread(timeline, share)
    _, seconds = _time_pandas(pilot, statistics)
    expected = seconds * len(timeline.row) / len(pilot.row)
    logger.info("pandas would take about %.0f s on all rows", expected)
    return timeline if expected <= PANDAS_SECONDS else _spread(timeline, PANDAS_SECONDS / expected)


def _spread(timeline: Timeline, share: float) -> Timeline:
    count = len(timeline.students)
    wanted = max(1, round(count * share))
    chosen = np.zeros(count, bool)
    chosen[np.linspace(0, count - 1, wanted).round().astype(np.int64)] = True
    return keep_students(timeline, chosen, chosen[timeline.student])
