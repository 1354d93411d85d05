"""A mixed-integer program in the making, solved by HiGHS the same way each time.

Source: Huangfu and Hall 2018, Parallelizing the dual revised simplex method (HiGHS, called through scipy).
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from serving.grouping.clock import is_over

RELATIVE_GAP = 1e-4  # below what a person could tell apart
NODE_LIMIT = 200  # counted in nodes, not seconds, so that equal problems give equal plans
ON_TIME = 0.7  # share of the time left that HiGHS is told: it reads its clock only between steps, which may be long
INFEASIBLE = 2  # of scipy's statuses

Terms = list[tuple[int, float]]


@dataclass(slots=True)
class Program:
    """Columns with points to maximize, and rows with bounds."""

    points: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    highest: list[float] = field(default_factory=list)
    rows: list[tuple[list[int], list[float], float, float]] = field(default_factory=list)
    impossible: bool = False

    def add(self, points: float, *, whole: bool = False, highest: float = 1.0) -> int:
        """Adds a variable from 0 to `highest` and returns its column."""
        self.points.append(points)
        self.whole.append(int(whole))
        self.highest.append(highest)
        return len(self.points) - 1

    def bound(self, terms: Iterable[tuple[int, float]], low: float, high: float) -> None:
        """Adds a row: low <= sum of factor x variable <= high."""
        terms = list(terms)
        if not terms:
            self.impossible |= not low <= 0.0 <= high
            return
        columns, factors = zip(*terms, strict=True)
        self.rows.append((list(columns), list(factors), low, high))

    def solve(
        self, *, gap: float = RELATIVE_GAP, nodes: int = NODE_LIMIT, until: float | None = None
    ) -> tuple[NDArray[np.int64] | None, bool]:
        """Returns the variables, rounded, or None where none were found, and whether that answer is proven.

        Args:
            gap: share of the best points that need not be proven out of reach.
            nodes: parts of the search after which the best found so far has to do.
            until: when it has to do, on the clock of `time.perf_counter`; None: no clock, and equal programs give equal
                answers.
        """
        if self.impossible:
            return None, True
        if not self.points:
            return np.zeros(0, dtype=np.int64), True
        if is_over(until):
            return None, False
        matrix = csr_array(
            (
                np.concatenate([row[1] for row in self.rows]),
                np.concatenate([row[0] for row in self.rows]),
                np.cumsum([0, *(len(row[0]) for row in self.rows)]),
            ),
            shape=(len(self.rows), len(self.points)),
        )
        result = milp(
            -np.array(self.points),
            integrality=np.array(self.whole),
            bounds=Bounds(0.0, np.array(self.highest)),
            constraints=LinearConstraint(matrix, [row[2] for row in self.rows], [row[3] for row in self.rows]),
            options={
                "mip_rel_gap": gap,
                "node_limit": nodes,
                "time_limit": np.inf if until is None else max(0.01, ON_TIME * (until - time.perf_counter())),
            },
        )
        if result.x is None:
            return None, result.status == INFEASIBLE
        return np.rint(result.x).astype(np.int64), result.status == 0
