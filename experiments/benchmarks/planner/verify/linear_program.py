"""A mixed-integer program to maximize, and what HiGHS proves of it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

GAP = 1e-7
"""Share of the value that need not be proven out of reach."""

SOLVED, NO_SOLUTION = 0, 2
"""Statuses of scipy's `milp`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a solve.

    Attributes:
        columns: A value for each column; null where no solution was found.
        value: Points of the columns, minus infinity without.
        bound: Points that no solution exceeds, infinite where nothing is known.
        proven: Whether the answer, or that there is none, is proven.
    """

    columns: NDArray[np.float64] | None
    value: float
    bound: float
    proven: bool


@dataclass(slots=True)
class LinearProgram:
    """Columns from 0 to a highest value, each with points; rows of low <= sum of factor x column <= high."""

    points: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    highest: list[float] = field(default_factory=list)
    rows: list[tuple[list[tuple[int, float]], float, float]] = field(default_factory=list)

    def add(self, points: float = 0.0, *, whole: bool = False, highest: float = 1.0) -> int:
        """Adds a column and returns its number."""
        self.points.append(points)
        self.whole.append(whole)
        self.highest.append(highest)
        return len(self.points) - 1

    def bound(self, terms: Iterable[tuple[int, float]], low: float = -math.inf, high: float = math.inf) -> None:
        """Adds a row; one without terms stands for a sum of 0."""
        self.rows.append((list(terms), low, high))

    def solve(self, seconds: float, at_least: float = -math.inf) -> Answer:
        """Solves by HiGHS.

        Args:
            seconds: Wall-clock time after which it stops unproven.
            at_least: Points that a solution is known to reach, so that the search need not look below.
        """
        rows = [row for row in self.rows if row[0]]
        if any(not low <= 0.0 <= high for terms, low, high in self.rows if not terms):
            return Answer(None, -math.inf, -math.inf, proven=True)
        if at_least > -math.inf:
            rows.append(([(at, point) for at, point in enumerate(self.points) if point], at_least, math.inf))
        lengths = [len(terms) for terms, _, _ in rows]
        factors = [(column, factor) for terms, _, _ in rows for column, factor in terms]
        columns, values = np.array(factors, dtype=np.float64).reshape(-1, 2).T
        starts, shape = np.cumsum([0, *lengths]), (len(rows), len(self.points))
        matrix = csr_array((values, columns.astype(np.int64), starts), shape=shape)
        matrix.sum_duplicates()
        result = milp(
            -np.array(self.points),
            integrality=np.array(self.whole, dtype=np.int64),
            bounds=Bounds(0.0, np.array(self.highest)),
            constraints=LinearConstraint(matrix, [row[1] for row in rows], [row[2] for row in rows]),
            options={"mip_rel_gap": GAP, "time_limit": seconds},
        )
        proven = result.status in {SOLVED, NO_SOLUTION}
        dual = getattr(result, "mip_dual_bound", None)
        return Answer(
            columns=result.x,
            value=-math.inf if result.x is None else -float(result.fun),
            bound=-float(dual) if dual is not None else (-math.inf if proven else math.inf),
            proven=proven,
        )
