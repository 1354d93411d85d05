"""The benchmark's own leak check: no single column may know what only the answer, or a later one, tells.

Three probes of each column, each an area under the ROC curve on training rows, whichever way the column points:

- `answer`: its value against the row's answer. A column with the answer in it stands far above honest ones.
- `step`: how it moved since the student's row before on the same skill, against the row's answer. A running count
  that already includes this answer moves exactly when the answer is right.
- `next`: its value against the student's next answer on the skill. A column shifted by one row knows that one.

The best honest column is the forecast of two abilities and the item's ease, `expected_correct`. A column is a suspect
where a probe passes what that column reaches on `answer` by a margin, or passes .9, whichever is lower. A leak drowned
in more noise than that is not found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from features.profiles.fold import Rows

MARGIN, CEILING = 0.05, 0.9
"""An honest column stays this close to the best honest column's area, and under this area."""

REFERENCE = "expected_correct"

FEWEST = 1000
"""Rows below which an area is too much chance to accuse a column."""

MOST = 100_000
"""Rows of whole students that are looked at, evenly spread."""

Floats = npt.NDArray[np.float64]


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
    rows: Rows, names: Sequence[str], target: npt.NDArray[np.int8], student: npt.NDArray[np.int64]
) -> LeakCheck:
    """Probes every column.

    Args:
        rows: By student and then in order, nulls as NaN.
        names: Of the columns; `skill` and `expected_correct` are among them.
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
    reference = next(each.auc for each in found if (each.column, each.probe) == (REFERENCE, "answer"))
    threshold = min(CEILING, reference + MARGIN)
    suspects = tuple(each for each in found if each.auc > threshold)
    return LeakCheck(len(rows), len(names), threshold, max(found, key=lambda each: each.auc), suspects)


def _area(score: Floats, target: npt.NDArray[np.int8]) -> float:
    """The area under the ROC curve, at least one half; one half where too little is known."""
    known = ~np.isnan(score)
    score, target = score[known], target[known]
    right = int(target.sum())
    wrong = len(target) - right
    if len(target) < FEWEST or right == 0 or wrong == 0:
        return 0.5
    area = (rankdata(score)[target == 1].sum() - right * (right + 1) / 2) / (right * wrong)
    return float(max(area, 1 - area))


def _spread(student: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Rows of every k-th student, so that about `MOST` rows remain."""
    place = np.unique(student, return_inverse=True)[1]
    every = -(-len(student) // MOST)
    chosen: npt.NDArray[np.bool_] = place % max(every, 1) == 0
    return chosen
