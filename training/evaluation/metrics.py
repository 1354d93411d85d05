"""How good forecasts are, with intervals that resample students, since a student's rows resemble each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from training.config import Evaluation

if TYPE_CHECKING:
    from training.data.dataset import Block

Floats = npt.NDArray[np.float64]

BINS = 15
"""Equal-width bins of the expected calibration error."""

DRAWS = 100
"""How often outcomes are drawn as forecast, for the calibration error that chance alone makes."""

WEIGHTLESS = 1e-12


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval over resampled students, in which it lies.

    The bounds are null where there is one class only.
    """

    value: float
    low: float
    high: float


Metrics = Mapping[str, Interval]


def evaluate(block: "Block", probability: Floats, settings: Evaluation, *, places: bool = False) -> Metrics:
    """Computes every metric of one forecast on one block.

    A target between 0 and 1 counts as that share of a row with target 1 and as the rest of one with target 0.

    Args:
        block: Rows with their targets.
        probability: The forecast of each row, 0 to 1.
        settings: Resamples, and the share of rows that the adults have places for.
        places: Whether places count, as they do for the struggle forecast.

    Returns:
        `log_loss`, `brier` and `ece` (debiased, see `_ece_interval`), and where both classes occur `auc` and
        `average_precision`. With places also
        `precision_at_places` and `recall_at_places`; they go to the highest forecasts, by lot among equals.
    """
    target = block.target.astype(np.float64)
    codes, draws = _resample(block, settings)
    metrics = {
        "log_loss": _mean_interval(log_losses(target, probability), codes, draws),
        "brier": _mean_interval(target * (1 - probability) ** 2 + (1 - target) * probability**2, codes, draws),
        "ece": _ece_interval(probability, target, codes, draws),
    }
    if not 0 < target.sum() < len(target):
        return metrics
    area = area_under_curve(target, probability)
    metrics["auc"] = Interval(area, *bounds(resample_auc(target, probability, codes, draws)))
    twice, weights = np.repeat([1, 0], len(target)), np.concatenate([target, 1 - target])
    from sklearn.metrics import average_precision_score  # noqa: PLC0415 - takes a second, and `compare` needs none

    metrics["average_precision"] = _point(
        average_precision_score(twice, np.tile(probability, 2), sample_weight=weights)
    )
    if places:
        placed = give_places(probability, settings)
        metrics["precision_at_places"] = _point(target[placed].mean())
        metrics["recall_at_places"] = _point(target[placed].sum() / target.sum())
    return metrics


def give_places(probability: Floats, settings: Evaluation) -> npt.NDArray[np.bool_]:
    """Marks the rows that get a place: the highest forecasts, by lot among equals."""
    lot = np.random.default_rng(0).random(len(probability))
    placed = np.zeros(len(probability), bool)
    placed[np.lexsort((lot, -probability))[: max(1, round(settings.places_share * len(probability)))]] = True
    return placed


def calibration_interval(block: "Block", probability: Floats, settings: Evaluation) -> Interval:
    """The calibration error alone, as `evaluate` has it under `ece`."""
    return _ece_interval(probability, block.target.astype(np.float64), *_resample(block, settings))


def paired_difference(block: "Block", ours: Floats, theirs: Floats, settings: Evaluation) -> Interval:
    """Subtracts their mean log-loss from ours, with both resampled together; below zero, ours is better."""
    target = block.target.astype(np.float64)
    return _mean_interval(log_losses(target, ours) - log_losses(target, theirs), *_resample(block, settings))


def log_losses(target: Floats, probability: Floats) -> Floats:
    """Returns each row's log-loss; with a target between 0 and 1, the mean over both outcomes."""
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    return -target * np.log(clipped) - (1 - target) * np.log(1 - clipped)


def _resample(block: "Block", settings: Evaluation) -> tuple[npt.NDArray[np.int64], Floats]:
    """Returns the code of each row's student, from 0 without gaps, and the resamples of these students."""
    codes = np.unique(block.student, return_inverse=True)[1]
    return codes, resample_students(int(codes.max(initial=-1)) + 1, settings.bootstrap)


def resample_students(students: int, times: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """Counts how often each student is drawn in each resample; one row per resample."""
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, students, size=(times, students)) if students else np.empty((times, 0), np.int64)
    return np.stack([np.bincount(draw, minlength=students) for draw in draws]).astype(np.float64)


def calibration_error(probability: Floats, target: Floats, weights: Floats | None = None) -> float:
    """Averages the distance between forecast and outcome over equal-width bins, weighted by their rows.

    Source: Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning".

    Example:
        >>> calibration_error(np.array([0.5, 0.5]), np.array([0.0, 1.0]))
        0.0
    """
    weights = np.ones(len(target)) if weights is None else weights
    bins = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    gap = np.bincount(bins, weights=weights * (probability - target), minlength=BINS)
    return float(np.abs(gap).sum() / max(weights.sum(), WEIGHTLESS))


def chance_error(probability: Floats, together: npt.NDArray[np.int64] | None = None) -> float:
    """Returns what the calibration error of forecasts that mean exactly what they say is under in 95 of 100 draws.

    Args:
        probability: The forecasts.
        together: Code of the outcome that several rows share, such as an episode's; None where each row has its own.
            The fewer outcomes, the larger the error by chance.
    """
    codes = np.arange(len(probability)) if together is None else np.unique(together, return_inverse=True)[1]
    random, outcomes = np.random.default_rng(0), int(codes.max(initial=-1)) + 1
    drawn = [
        calibration_error(probability, (random.random(outcomes)[codes] < probability).astype(np.float64))
        for _ in range(DRAWS)
    ]
    return float(np.quantile(drawn, 0.95))


def _mean_interval(values: Floats, codes: npt.NDArray[np.int64], draws: Floats) -> Interval:
    if len(values) == 0:
        return _point(np.nan)
    sums, counts = np.bincount(codes, weights=values), np.bincount(codes)
    means = draws @ sums / np.maximum(draws @ counts, WEIGHTLESS)
    return Interval(float(values.mean()), *bounds(means))


def _ece_interval(probability: Floats, target: Floats, codes: npt.NDArray[np.int64], draws: Floats) -> Interval:
    """Estimates the calibration error without what chance adds to it, within its basic bootstrap interval.

    Distances that chance makes never cancel, so the error of few rows is too high, and that of a resample is higher
    than that of the rows by about as much. The estimate is therefore the error minus the median excess of the
    resamples, and the interval is turned around it in the same way: both are twice the error minus quantiles of the
    resamples, so that the estimate never lies outside. None is below zero.

    Source: Davison and Hinkley (1997), "Bootstrap methods and their application", 2.1.2 (bias) and 5.2.1 (basic
    limits); Roelofs et al. (2022), "Mitigating bias in calibration error estimation".
    """
    if len(target) == 0:
        return _point(np.nan)
    bins = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    students = int(codes.max()) + 1
    gap = np.bincount(codes * BINS + bins, weights=probability - target, minlength=students * BINS)
    errors = np.abs(draws @ gap.reshape(students, BINS)).sum(axis=1)
    errors = errors / np.maximum(draws @ np.bincount(codes), WEIGHTLESS)
    turned = 2 * calibration_error(probability, target) - np.quantile(errors, [0.5, 0.975, 0.025])
    return Interval(*np.maximum(0.0, turned).tolist())


def area_under_curve(target: npt.NDArray[np.floating[Any]], probability: Floats) -> float:
    """Returns the AUC; a target between 0 and 1 is that share of a positive and the rest of a negative.

    Example:
        >>> area_under_curve(np.array([0.0, 0.5, 1.0]), np.array([0.2, 0.4, 0.6]))
        0.9444444444444444
    """
    order = np.argsort(probability, kind="stable")
    edges = np.flatnonzero(np.diff(probability[order], prepend=-np.inf))
    return _auc_sorted(target[order].astype(np.float64), np.ones(1), np.zeros(len(target), np.int64), edges)


def resample_auc(target: Floats, probability: Floats, codes: npt.NDArray[np.int64], draws: Floats) -> Floats:
    """Returns the AUC of each resample of students; null where it is of one class only."""
    from joblib import Parallel, delayed  # noqa: PLC0415 - most figures need no threads

    order = np.argsort(probability, kind="stable")
    edges = np.flatnonzero(np.diff(probability[order], prepend=-np.inf))
    target, codes = target[order], codes[order]
    in_threads = Parallel(n_jobs=-1, prefer="threads")  # numpy works outside of Python's lock
    return np.array(in_threads(delayed(_auc_sorted)(target, draw, codes, edges) for draw in draws))


def _auc_sorted(target: Floats, draw: Floats, codes: npt.NDArray[np.int64], edges: npt.NDArray[np.int64]) -> float:
    """Computes the weighted AUC of rows sorted by score, where `edges` names the start of each run of equal scores."""
    weights = draw[codes]
    positive = np.add.reduceat(weights * target, edges)
    negative = np.add.reduceat(weights * (1 - target), edges)
    below = np.cumsum(negative) - negative
    total = positive.sum() * negative.sum()
    return float(np.sum(positive * (below + negative / 2)) / total) if total > 0 else np.nan


def bounds(values: Floats) -> tuple[float, float]:
    """Returns the ends of the 95 % interval of resampled values."""
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def _point(value: float) -> Interval:
    return Interval(float(value), float("nan"), float("nan"))
