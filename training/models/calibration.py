"""Makes a model's scores mean what they say, on a later block of time than it was trained on."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from features.model_bundle import Sigmoid

Floats = npt.NDArray[np.float64]


def fit_sigmoid(score: Floats, target: npt.NDArray[np.int8]) -> Sigmoid:
    """The sigmoid with the smallest log-loss; the slope stays positive, so the ranking stays.

    Args:
        score: Raw scores in logits on the calibration block.
        target: 1 or 0.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> score = rng.normal(size=5000)
        >>> target = (rng.random(5000) < 1 / (1 + np.exp(-2 * score))).astype(np.int8)
        >>> round(fit_sigmoid(score, target).slope, 1)
        2.0
    """
    if len(target) == 0 or target.min() == target.max():
        return Sigmoid(1.0, 0.0)
    sign = np.where(target == 1, 1.0, -1.0)

    def loss(at: Floats) -> tuple[float, Floats]:
        margin = sign * (np.exp(at[0]) * score + at[1])
        pull = -sign / (1.0 + np.exp(np.clip(margin, -500, 500)))
        gradient = np.array([np.mean(pull * score) * np.exp(at[0]), np.mean(pull)])
        return float(np.mean(np.logaddexp(0.0, -margin))), gradient

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-3, 3), (-10, 10)])
    return Sigmoid(float(np.exp(found.x[0])), float(found.x[1]))
