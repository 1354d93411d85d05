"""One row of a result table: how good a model's forecasts of the scored rows are, and how long they took."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from training.config import Evaluation
from training.data.dataset import Block
from training.evaluation.metrics import (
    Interval,
    area_under_curve,
    bounds,
    calibration_error,
    evaluate,
    resample_auc,
    resample_students,
)

Floats = npt.NDArray[np.float64]
Result = TypeVar("Result")

OURS = "regroup"


@dataclass(frozen=True)
class Forecast:
    """What `regroup` or a peer forecasts for the scored rows, and how long it took, counting from the answers.

    Attributes:
        model: Name of the model.
        probability: One entry per row.
        fit_s: Seconds to learn from the training students.
        predict_s: Seconds to forecast all test rows.
    """

    model: str
    probability: Floats
    fit_s: float
    predict_s: float

    def take(self, keep: npt.NDArray[np.bool_]) -> "Forecast":
        """Returns the same for the rows that `keep` names."""
        return Forecast(self.model, self.probability[keep], self.fit_s, self.predict_s)


@dataclass(frozen=True)
class Score:
    """Figures of one model; null where the rows are of one class only. Bounds are 95 % over resampled students."""

    model: str
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    average_precision: float | None
    log_loss: float
    rmse: float
    ece: float
    fit_s: float
    predict_s: float

    def metrics(self) -> dict[str, float]:
        """Returns the figures that are numbers."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, float)}


def score_forecast(forecast: Forecast, block: Block, settings: Evaluation) -> Score:
    """Returns the figures of one model on the block's rows."""
    found = evaluate(block, forecast.probability, settings)
    auc, precision = found.get("auc"), found.get("average_precision")
    return Score(
        model=forecast.model,
        auc=None if auc is None else auc.value,
        auc_low=None if auc is None else to_number(auc.low),
        auc_high=None if auc is None else to_number(auc.high),
        average_precision=None if precision is None else precision.value,
        log_loss=found["log_loss"].value,
        rmse=math.sqrt(found["brier"].value),
        ece=calibration_error(forecast.probability, block.target.astype(np.float64)),  # as published ones are
        fit_s=forecast.fit_s,
        predict_s=forecast.predict_s,
    )


def find_best_peer(scores: Sequence[Score]) -> str:
    """Returns the peer with the highest AUC, the first of equals."""
    peers = [score for score in scores if score.model != OURS]
    return max(peers, key=lambda score: -math.inf if score.auc is None else score.auc).model


def pair_with(best: str, forecasts: Sequence[Forecast], block: Block, settings: Evaluation) -> dict[str, Any] | None:
    """Returns our AUC minus the best peer's, both resampled together; None where there is one class only."""
    if block.target.min() == block.target.max():
        return None
    of = {forecast.model: forecast.probability for forecast in forecasts}
    difference = paired_auc(block, of[OURS], of[best], settings)
    return {"against": best, "difference": difference.value, "low": difference.low, "high": difference.high}


def paired_auc(block: Block, ours: Floats, theirs: Floats, settings: Evaluation) -> Interval:
    """Returns our AUC minus theirs on the same rows, with both resampled together; above zero, we are better.

    The rows must be of both classes.
    """
    target = block.target.astype(np.float64)
    codes = np.unique(block.student, return_inverse=True)[1]
    draws = resample_students(int(codes.max(initial=-1)) + 1, settings.bootstrap)
    difference = resample_auc(target, ours, codes, draws) - resample_auc(target, theirs, codes, draws)
    return Interval(area_under_curve(target, ours) - area_under_curve(target, theirs), *bounds(difference))


def to_number(value: float) -> float | None:
    """Returns the value, or null for NaN, which JSON does not have."""
    return None if math.isnan(value) else value


def clock(work: Callable[[], Result]) -> tuple[Result, float]:
    """Returns what the work returns, and the seconds it took."""
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began
