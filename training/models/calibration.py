"""Makes a model's scores mean what they say, on a later block of time than it was trained on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sigmoid:
    """Probability = 1 / (1 + exp(-(slope x score + offset))), with the score in logits.

    Two numbers that cannot overfit a small school, and can be read in the artifact.
    Source: Platt (1999), "Probabilistic outputs for support vector machines".
    """

    slope: float
    offset: float

    def apply(self, score: Floats) -> Floats:
        """Probabilities of the scores."""
        return 1.0 / (1.0 + np.exp(-(self.slope * score + self.offset)))

    def to_json(self) -> dict[str, object]:
        """What the artifact stores."""
        return {"kind": "sigmoid", "slope": self.slope, "offset": self.offset}


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
