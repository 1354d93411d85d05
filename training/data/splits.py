"""Which rows train, which calibrate and which evaluate: blocks of time with a gap, and folds of students."""

import zlib
from dataclasses import dataclass

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

    def seen(self, name: str) -> npt.NDArray[np.bool_]:
        """Marks the events that an outcome of the block may be read from: none after the block."""
        return self.axis < self._edges(name)[1]

    def _edges(self, name: str) -> tuple[int, int]:
        edges = (NO_TIME + 1, self.train_end, self.calibration_end, self.end)
        number = ("train", "calibration", "holdout").index(name)
        return edges[number], edges[number + 1]


def split_time(timeline: Timeline, sequence: npt.NDArray[np.float64], split: Split) -> TimeBlocks:
    """Cuts a log into blocks by the time of its responses.

    Args:
        timeline: The events.
        sequence: The source's own order of each event of the timeline; used only where no event has a time.
        split: Shares and gap.

    Raises:
        DataGateError: The events have neither times nor an order, or all the same.
    """
    clocked = timeline.time != NO_TIME
    axis = timeline.time if clocked.any() else np.nan_to_num(sequence, nan=-1).astype(np.int64)
    used = axis[clocked] if clocked.any() else axis
    if len(used) == 0 or used.min() == used.max():
        raise DataGateError("the log has neither times nor an order to split by: every event is of the same moment")
    shares = [split.train_share, split.train_share + split.calibration_share]
    train_end, calibration_end = (int(edge) for edge in np.quantile(used, shares, method="lower"))
    end = int(used.max()) + 1
    shortest = min(calibration_end - train_end, end - calibration_end, train_end - int(used.min()))
    wanted = int(split.gap_days * DAY) if clocked.any() else end
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
