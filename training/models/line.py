"""A line through some columns in logits, with slopes of one sign: where the trees of a forecast begin.

Logistic regression under bounds: among columns that say nearly the same, a free fit gives some the sign that no
educator would accept, and what holds among first answers by such differences turns round later. Bounded, the line
carries over: of practice cut at eight questions it learns nearly what the uncut one would have taught it.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from features.model_bundle import Line, Term
from features.profiles.fold import Rows
from features.profiles.kernel import COLUMNS

Floats = npt.NDArray[np.float64]

MOST_ROWS = 300_000
"""Rows that a line is learned from at most; a dozen slopes need no more."""

PENALTY = 1.0
"""On the squared slopes of columns brought to unit spread, against a sum over rows: of weight for few rows alone."""


def fit_line(rows: Rows, target: npt.NDArray[np.float32], columns: Sequence[str], direction: int) -> Line:
    """Fits the line with the smallest log-loss whose every slope goes in one direction.

    Args:
        rows: Rows of kernel columns, of which those of the line are never null.
        target: 1 or 0, or the chance of 1 where the outcome is not known.
        columns: Which columns the line reads.
        direction: 1 where more of each raises the score or leaves it, -1 where more lowers it or leaves it.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(5000, len(COLUMNS))).astype(np.float32)
        >>> target = (rows[:, COLUMNS.index("skill_ability")] < 0).astype(np.float32)
        >>> line = fit_line(rows, target, ["skill_ability", "skill_ease"], -1)
        >>> [bool(term.weight < -1) for term in line.terms]
        [True, False]
    """
    step = -(-len(rows) // MOST_ROWS)  # rows of all students alike
    at = [COLUMNS.index(name) for name in columns]
    read, wanted = rows[::step, at].astype(np.float64), target[::step].astype(np.float64)
    mean, spread = read.mean(axis=0), read.std(axis=0)
    spread[spread == 0] = 1.0
    read = (read - mean) / spread

    def loss(line: Floats) -> tuple[float, Floats]:
        margin = line[0] + read @ line[1:]
        pull = 1.0 / (1.0 + np.exp(-np.clip(margin, -500, 500))) - wanted
        found = np.sum(np.logaddexp(0.0, margin) - wanted * margin) + PENALTY / 2 * np.sum(line[1:] ** 2)
        return float(found) / len(read), np.append(pull.sum(), read.T @ pull + PENALTY * line[1:]) / len(read)

    slopes: tuple[float | None, float | None] = (0.0, None) if direction > 0 else (None, 0.0)
    bounds = [(-10.0, 10.0), *[slopes] * len(columns)]
    line = minimize(loss, np.zeros(1 + len(columns)), jac=True, method="L-BFGS-B", bounds=bounds).x
    terms = zip(columns, mean, line[1:] / spread, strict=True)
    return Line(float(line[0]), tuple(Term(name, float(center), float(weight)) for name, center, weight in terms))
