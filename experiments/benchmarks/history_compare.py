"""Whether the kernel and plain pandas say the same, and where they differ most."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.columns import REGISTRY
from features.profiles.fold import Rows
from features.profiles.kernel import COLUMNS

TOLERANCE = 1e-5
"""Relative; the columns are float32."""

EXACT = frozenset(
    each.name
    for each in REGISTRY
    if each.unit in {"responses", "runs", "code", "0 or 1"} and each.name != "recent_responses_7d"  # that one fades
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
    """Sets the kernel's rows beside the columns of pandas.

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
    """How far apart two columns are, in tolerances; infinite where a null or an exact value differs."""
    left, right = one.astype(np.float64), other.astype(np.float64)
    null = np.isnan(left) & np.isnan(right)
    if exact:
        return np.where(null | (left == right), 0.0, np.inf)
    deviation = np.abs(left - right) / (1e-8 + TOLERANCE * np.abs(right))  # as np.allclose weighs it
    return np.where(null, 0.0, np.where(np.isnan(deviation), np.inf, deviation))
