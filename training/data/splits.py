"""Which rows train, which calibrate and which evaluate: blocks of time with a gap, and folds of students."""

import zlib
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.kernel import NO_TIME
from features.profiles.timeline import Timeline
from training.config import Split
from training.errors import DataGateError

DAY = 86_400_000_000
"""Microseconds."""

Axis = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TimeBlocks:
    """Three blocks of a log in time order.

    Rows before `train_end` train, those from there to `calibration_end` calibrate, and later ones evaluate. Rows
    closer than `gap` to the end of their block are left out of struggle forecasts: their outcome lies beyond it.

    Attributes:
        axis: Where each event of the timeline lies: microseconds, or the source's own order in a log without a clock.
        train_end: End of the training block.
        calibration_end: End of the calibration block.
        end: One past the last event.
        gap: In the unit of the axis; never more than a quarter of a block.
    """

    axis: Axis
    train_end: int
    calibration_end: int
    end: int
    gap: int

    def block(self, name: str, *, gap: bool) -> npt.NDArray[np.bool_]:
        """Marks the events in the block `train`, `calibration` or `holdout`, with or without those in its gap."""
        begin, end = self._edges(name)
        inside: npt.NDArray[np.bool_] = (self.axis >= begin) & (self.axis < end - (self.gap if gap else 0))
        return inside

    def learn_until(self, name: str) -> "TimeBlocks":
        """The same blocks, but for everything up to the end of one, which is in the training block."""
        end = self._edges(name)[1]
        return replace(self, train_end=end, calibration_end=max(end, self.calibration_end))

    def count(self, name: str, episode: npt.NDArray[np.int64]) -> int:
        """Counts the distinct codes, other than -1, of events in a block without its gap."""
        inside = episode[self.block(name, gap=True)]
        return len(np.unique(inside[inside >= 0]))

    def seen(self, name: str) -> npt.NDArray[np.bool_]:
        """Marks the events that an outcome of the block may be read from: none after the block."""
        return self.axis < self._edges(name)[1]

    def _edges(self, name: str) -> tuple[int, int]:
        edges = (NO_TIME + 1, self.train_end, self.calibration_end, self.end)
        number = ("train", "calibration", "holdout").index(name)
        return edges[number], edges[number + 1]


WIDER = ((0.60, 0.20), (0.50, 0.25))
"""Shares of the training and the calibration block for logs whose later blocks hold too little at the usual shares."""


def split_time(
    timeline: Timeline,
    sequence: npt.NDArray[np.float64],
    split: Split,
    episode: npt.NDArray[np.int64] | None = None,
    least: int = 0,
) -> TimeBlocks:
    """Cuts a log into blocks by the time of its responses.

    The shares are those that were chosen or, where the calibration block or the holdout then has too few episodes with
    a forecast due, the first of `WIDER` that gives both enough, else those with which the poorer of both has most.
    Nothing but what the blocks hold decides: no outcome and no forecast is looked at.

    Args:
        timeline: The events.
        sequence: The source's own order of each event of the timeline; used only where no event has a time.
        split: Shares and gap.
        episode: Of each event, the code of its student and skill where a forecast is due at it, else -1.
        least: How many of them the calibration block and the holdout need each.

    Raises:
        DataGateError: The events have neither times nor an order, or all the same.
    """
    chosen = split.train_share, split.calibration_share
    wider = [shares for shares in WIDER if shares[0] < chosen[0]] if episode is not None else []
    best, most = None, -1
    for shares in (chosen, *wider):
        blocks = _cut(timeline, sequence, shares, split.gap_days)
        fewest = least if episode is None else min(blocks.count(name, episode) for name in ("calibration", "holdout"))
        if fewest > most:
            best, most = blocks, fewest
        if fewest >= least:
            return blocks
    return best or blocks


def _cut(
    timeline: Timeline, sequence: npt.NDArray[np.float64], chosen: tuple[float, float], gap_days: float
) -> TimeBlocks:
    clocked = timeline.time != NO_TIME
    axis = timeline.time if clocked.any() else np.nan_to_num(sequence, nan=-1).astype(np.int64)
    used = axis[clocked] if clocked.any() else axis
    if len(used) == 0 or used.min() == used.max():
        raise DataGateError("the log has neither times nor an order to split by: every event is of the same moment")
    edges = np.quantile(used, [chosen[0], sum(chosen)], method="lower")
    train_end, calibration_end = (int(edge) for edge in edges)
    end = int(used.max()) + 1
    shortest = min(calibration_end - train_end, end - calibration_end, train_end - int(used.min()))
    wanted = int(gap_days * DAY) if clocked.any() else end
    # an event without a time in a log with a clock counts as history only: it lies before every block
    return TimeBlocks(axis, train_end, calibration_end, end, min(wanted, shortest // 4))


def fold_of_students(students: "pd.Index[str]", folds: int, salt: str = "fold") -> npt.NDArray[np.int32]:
    """Returns the fold of each student, the same on every machine and with any other students in the log.

    Args:
        students: Their ids.
        folds: How many folds there are.
        salt: What the folds are for. Folds of two salts know nothing of each other; with one salt for both, whoever
            holds out one fold would leave one of the folds that statistics are counted by empty.

    Example:
        >>> fold_of_students(pd.Index(["007", "7"]), 5).tolist()
        [3, 2]
    """
    return np.array([zlib.crc32(f"{salt} {student}".encode()) % folds for student in students], dtype=np.int32)
