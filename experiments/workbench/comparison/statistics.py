"""How sure it is that one run is better than another: over students first, over folds second."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from training.evaluation.metrics import area_under_curve, bounds, log_losses, resample_auc, resample_students

Floats = npt.NDArray[np.float64]

RESAMPLES = {"log_loss": 2000, "auc": 400}
"""Resamples of students; an area takes much longer than a mean."""

AT_ONCE = 100
"""Resamples that are held in memory together."""


@dataclass(frozen=True)
class Gain:
    """By how much one run is better than another, over resampled students; above zero, it is better.

    Attributes:
        value: The gain.
        low: Lower end of the 95 % interval.
        high: Upper end of it.
        p: Twice the share of resamples on the other side of zero, at most 1.
        students: How many were resampled.
    """

    value: float
    low: float
    high: float
    p: float
    students: int


@dataclass(frozen=True)
class FoldGain:
    """The same over folds, whose training rows overlap.

    Attributes:
        mean: Mean gain of the folds.
        sd: Corrected standard deviation of that mean.
        t: Corrected t statistic.
        p: Of both sides.
        better: Probability that the gain is above the region of practical equivalence.
        equal: Probability that it is inside.
        worse: Probability that it is below.
        folds: How many there are.
    """

    mean: float
    sd: float
    t: float
    p: float
    better: float
    equal: float
    worse: float
    folds: int


def resample_gain(
    metric: str, target: Floats, ours: Sequence[Floats], theirs: Sequence[Floats], student: npt.NDArray[np.int64]
) -> Gain:
    """Computes by how much our forecasts are better, with whole students drawn for both sides together.

    Args:
        metric: One of `SIGN`.
        target: 1 or 0 of each row, or the chance of 1.
        ours: Forecasts of each seed; figures are means over seeds.
        theirs: The same of the other side.
        student: Number of each row's student.

    Source: Efron (1979), of clusters: Field and Welsh (2007), "Bootstrapping clustered data".
    """
    codes = np.unique(student, return_inverse=True)[1].astype(np.int64)
    students = int(codes.max(initial=-1)) + 1
    drawing = (resample_students(students, AT_ONCE, seed) for seed in range(RESAMPLES[metric] // AT_ONCE))
    if metric == "log_loss":
        loss = _mean_loss(target, theirs) - _mean_loss(target, ours)
        sums, counts = np.bincount(codes, weights=loss), np.bincount(codes)
        parts, value = [draws @ sums / (draws @ counts) for draws in drawing], float(loss.mean())
    else:
        parts = [
            _mean_areas(target, ours, codes, draws) - _mean_areas(target, theirs, codes, draws) for draws in drawing
        ]
        value = _area(target, ours) - _area(target, theirs)
    drawn = np.concatenate(parts)
    drawn = drawn[~np.isnan(drawn)]
    if len(drawn) == 0 or np.isnan(value):
        return Gain(value, float("nan"), float("nan"), 1.0, students)
    other_side = min(np.sum(drawn <= 0), np.sum(drawn >= 0))
    p = min(1.0, 2 * (int(other_side) + 1) / (len(drawn) + 1))
    return Gain(value, *bounds(drawn), p, students)


def compare_folds(gains: Floats, test_share: float, margin: float) -> FoldGain | None:
    """Compares the gains of folds with zero and with a region of practical equivalence around it.

    Args:
        gains: Of each fold, as a mean over seeds.
        test_share: Scored rows for each row that was learned from.
        margin: Half of the region.

    Returns:
        The comparison; None with fewer than two folds.

    Source: Nadeau and Bengio (2003), "Inference for the generalization error"; Benavoli and others (2017), "Time for a
    change: a tutorial for comparing multiple classifiers through Bayesian analysis".
    """
    folds = len(gains)
    if folds < 2:  # noqa: PLR2004 - a spread takes two
        return None
    mean, sd = float(gains.mean()), float(np.sqrt(gains.var(ddof=1) * (1 / folds + test_share)))
    if sd == 0:
        return FoldGain(
            mean, 0.0, float("nan"), float(mean == 0), float(mean > margin), float(abs(mean) <= margin),
            float(mean < -margin), folds,
        )  # fmt: skip
    # Student's t by `stdtr`, as `scipy.stats` has it, whose import takes most of a second
    worse, better = (float(stdtr(folds - 1, (side * mean - margin) / sd)) for side in (-1, 1))
    t = mean / sd
    p = float(2 * stdtr(folds - 1, -abs(t)))
    return FoldGain(mean, sd, t, p, better, 1 - better - worse, worse, folds)


def adjust_holm(p: Sequence[float]) -> list[float]:
    """Adjusts p-values for their number, so that any false finding among them is as rare as one alone would be.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".

    Example:
        >>> adjust_holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted, least = [0.0] * len(p), 0.0
    for rank, place in enumerate(np.argsort(p, kind="stable").tolist()):
        least = max(least, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = least
    return adjusted


def _mean_loss(target: Floats, forecasts: Sequence[Floats]) -> Floats:
    mean: Floats = np.mean([log_losses(target, forecast) for forecast in forecasts], axis=0)
    return mean


def _area(target: Floats, forecasts: Sequence[Floats]) -> float:
    return float(np.mean([area_under_curve(target, forecast) for forecast in forecasts]))


def _mean_areas(target: Floats, forecasts: Sequence[Floats], codes: npt.NDArray[np.int64], draws: Floats) -> Floats:
    mean: Floats = np.mean([resample_auc(target, forecast, codes, draws) for forecast in forecasts], axis=0)
    return mean
