"""Whether a struggle forecast agrees with the facts that people see beside it, cell by cell of such facts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.data.dataset import Block

Floats = npt.NDArray[np.float64]

ATTEMPTS = (0, 1, 2, 3, 4, 6, 10, 20)
"""Where cells of attempts so far begin; the last one is open."""

SHARES = ("none right", "less than half right", "half or more right", "all right")
"""Cells of the share right."""

LONGEST_WRONG = 3
"""Wrong answers in a row from which runs share a cell."""

Z99 = 2.576
"""Standard errors on each side of a 99 % interval."""


@dataclass(frozen=True)
class Cell:
    """Rows with the same facts, and what was forecast for them and happened.

    Attributes:
        attempts: First attempts on the skill so far: `0`, `1`, `4-5`, `20+`.
        share: One of `SHARES`; `nothing yet` without an attempt.
        run: Correct answers in a row up to now; below zero, wrong ones, -3 for three or more.
        rows: How many rows.
        forecast: Mean forecast.
        observed: Mean target: the share that struggled, undecided outcomes filled in.
        low: Lower end of the 99 % interval of `observed`, over students.
        high: Its upper end.
        gap_error: Standard error of `forecast - observed`, over students.
    """

    attempts: str
    share: str
    run: int
    rows: int
    forecast: float
    observed: float
    low: float
    high: float
    gap_error: float

    @property
    def gap(self) -> float:
        """Forecast minus observed."""
        return self.forecast - self.observed

    @property
    def words(self) -> str:
        """The facts in plain words."""
        attempts = f"{self.attempts} {'attempt' if self.attempts == '1' else 'attempts'}"
        count = "one" if abs(self.run) == 1 else abs(self.run)
        last = "" if self.run == 0 else f", the last {count} {'right' if self.run > 0 else 'wrong'}"
        return f"{attempts}, {self.share}{last}"

    def is_outside(self, tolerance: float) -> bool:
        """Whether the forecast is outside the interval of what happened, widened by a tolerance on each side."""
        return not self.low - tolerance <= self.forecast <= self.high + tolerance


def compare_with_facts(block: Block, probability: Floats, min_rows: int, *, by_run: bool = True) -> list[Cell]:
    """Sets forecasts beside what happened, in every cell with enough rows.

    Args:
        block: Rows of the struggle forecast.
        probability: Their forecasts.
        min_rows: Cells with fewer rows say nothing.
        by_run: Whether the last run tells cells apart, besides attempts and share right.
    """
    cells = []
    for (attempts, share, run), mine in _cells(block, by_run=by_run):
        if mine.sum() < min_rows:
            continue
        target, forecast = block.target[mine].astype(np.float64), probability[mine]
        student = np.unique(block.student[mine], return_inverse=True)[1]
        error = Z99 * error_of_mean(target - target.mean(), student)
        observed = float(target.mean())
        interval = max(0.0, observed - error), min(1.0, observed + error)
        gap = forecast - target
        gap_error = error_of_mean(gap - gap.mean(), student)
        cells.append(
            Cell(attempts, share, run, int(mine.sum()), float(forecast.mean()), observed, *interval, gap_error)
        )
    return cells


def _cells(block: Block, *, by_run: bool) -> Iterator[tuple[tuple[str, str, int], npt.NDArray[np.bool_]]]:
    attempts = np.searchsorted(ATTEMPTS, block.opportunity, side="right") - 1
    right, seen = block.right, block.opportunity
    share = np.select([right == 0, right == seen, 2 * right < seen], [0, 3, 1], 2)
    run = np.maximum(block.run, -LONGEST_WRONG) * by_run
    code = np.column_stack([attempts, share, run])
    for at, kind, length in np.unique(code, axis=0).tolist():
        yield (_name(at), SHARES[kind] if at > 0 else "nothing yet", length), (code == (at, kind, length)).all(axis=1)


def _name(at: int) -> str:
    first = ATTEMPTS[at]
    if at == len(ATTEMPTS) - 1:
        return f"{first}+"
    last = ATTEMPTS[at + 1] - 1
    return str(first) if first == last else f"{first}-{last}"


def error_of_mean(centered: Floats, student: npt.NDArray[np.int64]) -> float:
    """The standard error of the mean of rows that are alike within a student.

    Args:
        centered: Values minus their mean, one for each row.
        student: Code of each row's student, from 0 without gaps.
    """
    sums = np.bincount(student, weights=centered)
    many = max(1, len(sums) - 1)
    return float(np.sqrt(np.sum(sums**2) * len(sums) / many) / len(centered))
