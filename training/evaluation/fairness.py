"""How forecasts serve each group of an audit column; audit columns are never features."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from training.evaluation.metrics import area_under_curve, calibration_error, chance_error

if TYPE_CHECKING:
    from training.data.dataset import Block

MIN_STUDENTS = 10
"""Groups with fewer students are not reported: a figure would speak of single children."""

MIN_OF_AN_OUTCOME = 3
"""Groups in which fewer students had one of both outcomes are not shown: their rate tells that of nearly everybody."""

THRESHOLDS = 256
"""Most points of a ROC curve, at quantiles of the forecasts; with fewer distinct forecasts, curves are exact."""

TIE = 1e-12

PERMUTATIONS = 500
"""How often students are permuted, for the area between ROC curves that chance alone makes."""

Floats = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Abroca:
    """How differently a forecast ranks the rows of a group and those of the rest of its column.

    The area alone says nothing: between small groups it is large by chance.

    Attributes:
        area: Between the two ROC curves, absolute, 0-1.
        by_chance: What the area stays under in 95 of 100 draws of a random group of as many students.
        p: Share of draws whose area is at least as large.
    """

    area: float
    by_chance: float
    p: float


@dataclass(frozen=True)
class GroupFigures:
    """How one group of one audit column fares.

    Attributes:
        column: The audit column.
        group: The value of the column.
        rows: Rows of the group's students.
        students: How many students the group has.
        base_rate: Share of rows with target 1.
        mean_forecast: Mean probability; far from the base rate, the group is over- or underestimated.
        ece: Expected calibration error.
        ece_by_chance: What `ece` would stay under in 95 of 100 draws if forecasts meant exactly what they say.
        missed_share: Share of the rows with target 1 that have no place (false negatives); null without such rows.
        auc: Null where only one class occurs.
        shown: Whether a model card may show them; not where they tell the outcome of nearly everybody in the group, or
            where, with them, such a group or one of few students could be computed from all rows.
        abroca: Against the column's other students; null where these are too few or either side has one class only.
    """

    column: str
    group: str
    rows: int
    students: int
    base_rate: float
    mean_forecast: float
    ece: float
    ece_by_chance: float
    missed_share: float | None
    auc: float | None
    abroca: Abroca | None
    shown: bool = True


def audit_groups(
    block: "Block",
    probability: Floats,
    students: "pd.Index[str]",
    audit: pd.DataFrame,
    places_share: float,
    *,
    by_episode: bool = False,
) -> list[GroupFigures]:
    """Computes the figures of every group of every audit column.

    Args:
        block: Rows with targets.
        probability: Their forecasts.
        students: Ids by the block's student codes.
        audit: One row per student and column: `student_id`, `column`, `value`. Students without a row are left out.
        places_share: The share of all rows that get a place.
        by_episode: Whether all rows of an episode share one outcome, as struggling or not is.
    """
    threshold = np.quantile(probability, 1 - places_share) if len(probability) else 1.0
    figures = []
    for column, part in audit.groupby("column", sort=True):
        value_of = part.drop_duplicates("student_id").set_index("student_id")["value"]
        value = value_of.reindex(students).to_numpy()[block.student]
        counts, shown = count_groups(value, block.target, block.student)
        for group, count in counts.items():
            inside = value == group
            target, forecast = block.target[inside].astype(float), probability[inside]
            both = 0 < target.sum() < len(target)
            missed = float(target[forecast < threshold].sum() / target.sum()) if target.sum() else None
            figures.append(
                GroupFigures(
                    column=str(column),
                    group=group,
                    rows=int(inside.sum()),
                    students=count,
                    base_rate=float(target.mean()),
                    mean_forecast=float(forecast.mean()),
                    ece=calibration_error(forecast, target),
                    ece_by_chance=chance_error(forecast, block.episode[inside] if by_episode else None),
                    missed_share=missed,
                    auc=area_under_curve(target, forecast) if both else None,
                    abroca=_compare_with_rest(block, probability, inside, ~pd.isna(value)),
                    shown=group in shown,
                )
            )
    return figures


def count_groups(
    value: "npt.NDArray[np.object_]", target: npt.NDArray[np.floating[Any]], student: npt.NDArray[np.int64]
) -> tuple[dict[str, int], set[str]]:
    """Counts the students of each group of a column that is large enough, and finds the groups that are shown.

    All rows less the groups that are shown are what is left, with those of whom nothing is known, and anybody can
    compute it. Where it would tell too much, the smallest of the others is not shown either, and so on.

    Args:
        value: The group of each row; null where it is not known.
        target: 1 or 0 of each row, or the chance of 1.
        student: Code of each row's student.
    """
    is_one = np.rint(target) == 1
    rows = pd.DataFrame({"group": value, "is_one": is_one, "is_zero": ~is_one})
    students = rows.groupby(student).agg({"group": "first", "is_one": "any", "is_zero": "any"})
    counts = students["group"].value_counts().sort_index()
    large = {str(group): int(count) for group, count in counts.items() if count >= MIN_STUDENTS}
    shown = [group for group in large if not _tells_too_much(students[students["group"] == group])]
    shown.sort(key=lambda group: large[group], reverse=True)
    while shown and len(left := students[~students["group"].isin(shown)]) and _tells_too_much(left):
        shown.pop()
    return large, set(shown)


def _tells_too_much(students: pd.DataFrame) -> bool:
    fewest = min(int(students["is_one"].sum()), int(students["is_zero"].sum()))
    return len(students) < MIN_STUDENTS or fewest < MIN_OF_AN_OUTCOME


def compare_curves(
    target: npt.NDArray[np.float32], probability: Floats, student: npt.NDArray[np.int64], inside: Chosen
) -> Abroca | None:
    """Measures the area between the ROC curves of a group and of all other rows, beside what chance makes.

    Chance gives the group's label to as many students as have it, with all their rows, since a student's rows
    resemble each other.

    Args:
        target: 1 or 0 of each row, or the chance of 1.
        probability: Its forecast.
        student: Code of its student.
        inside: Whether its student is of the group.

    Returns:
        The area with its chance; None where either side has one class only.

    Source: Gardner, Brooks and Baker (2019), "Evaluating the fairness of predictive student models through slicing
    analysis"; for the test, Borchers (2025), "Toward sufficient statistical power in algorithmic bias assessment".
    """
    levels = np.unique(probability)
    if len(levels) > THRESHOLDS:
        levels = np.unique(np.quantile(probability, np.arange(1, THRESHOLDS) / THRESHOLDS))
    falling = len(levels) - np.searchsorted(levels, probability, side="right")
    cell = np.concatenate([falling, falling + len(levels) + 1])  # negatives, then positives
    _, first, codes = np.unique(student, return_index=True, return_inverse=True)
    weights = np.concatenate([1.0 - target, target])
    counts = csr_array((weights, (cell, np.tile(codes, 2))), shape=(2 * (len(levels) + 1), len(first)))

    def count(students: npt.NDArray[np.int64]) -> Floats:
        return np.asarray(counts @ students).reshape(2, -1)

    everyone = count(np.ones(len(first), np.int64))

    def area(belongs: npt.NDArray[np.int64]) -> float:
        group = count(belongs)
        return _area_between(group, everyone - group)

    belongs, random = inside[first].astype(np.int64), np.random.default_rng(0)
    observed = area(belongs)
    if np.isnan(observed):
        return None
    drawn = np.array([area(random.permutation(belongs)) for _ in range(PERMUTATIONS)])
    drawn = drawn[~np.isnan(drawn)]
    as_large = int((drawn >= observed - TIE).sum())
    return Abroca(observed, float(np.quantile(np.append(drawn, observed), 0.95)), (1 + as_large) / (1 + len(drawn)))


def _compare_with_rest(block: "Block", probability: Floats, inside: Chosen, known: Chosen) -> Abroca | None:
    if len(np.unique(block.student[known & ~inside])) < MIN_STUDENTS:
        return None
    return compare_curves(block.target[known], probability[known], block.student[known], inside[known])


def _area_between(one: Floats, other: Floats) -> float:
    """Computes the area between two ROC curves of straight pieces; NaN where a side has one class only.

    Args:
        one: Counts of one side's negatives (first row) and positives by falling forecast.
        other: The same counts of the other side.
    """
    if min(*one.sum(axis=1), *other.sum(axis=1)) < TIE:
        return float("nan")
    (x1, y1), (x2, y2) = (np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True) for counts in (one, other))
    edges = np.unique(np.concatenate([[0.0], x1, x2]))
    start, width = edges[:-1], np.diff(edges)

    def gap(place: float) -> Floats:
        at = start + place * width
        first: Floats = np.interp(at, np.append(0, x1), np.append(0, y1))
        second: Floats = np.interp(at, np.append(0, x2), np.append(0, y2))
        return first - second

    # curves jump at edges, so a piece is read off inside and drawn out to its ends
    early, late = gap(1 / 4), gap(3 / 4)
    left, right = (3 * early - late) / 2, (3 * late - early) / 2
    most = np.abs(left) + np.abs(right)
    crossing = (left**2 + right**2) / np.maximum(most, TIE)
    return float(np.sum(width * np.where(left * right < 0, crossing, most)) / 2)
