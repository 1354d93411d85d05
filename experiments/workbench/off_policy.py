"""Estimates of what another policy would have come to, from days whose plans were chosen with known probabilities.

A team that sets `explore_within` has each day's plan drawn among those that score about as much, and the answer keeps
the probability (`exploration.probability`). What happened on such days can be weighted to stand for any policy that
chooses among the same plans, such as always the best one. Days without exploration say nothing of other plans.

Source: Horvitz and Thompson (1952); Hájek (1971) for the self-normalized form; Dudík, Langford and Li (2011), "Doubly
robust policy evaluation and learning".
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from features.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """The mean reward of a policy that was not followed, with a 95 % interval.

    Attributes:
        value: The mean reward of a decision.
        low: Lower end of its interval.
        high: Upper end.
        days: Decisions that the weights leave: Kish's effective sample size.
    """

    value: float
    low: float
    high: float
    days: float


def estimate_inverse_propensity(reward: Floats, logged: Floats, target: Floats) -> Estimate:
    """Weights each reward by how much likelier the policy makes the plan that was followed; unbiased.

    Args:
        reward: What each decision came to.
        logged: The probability with which its plan was chosen, above 0 to 1.
        target: The probability with which the policy would have chosen that same plan, 0-1.

    Raises:
        InputError: Lengths differ, there are fewer than two decisions, or a probability is none.
    """
    weights = _weigh(reward, logged, target)
    return _estimate(weights * reward, weights)


def estimate_self_normalized(reward: Floats, logged: Floats, target: Floats) -> Estimate:
    """The same relative to the sum of the weights: a little biased, and much steadier where rewards are far from 0.

    Args and errors are those of `estimate_inverse_propensity`; it is an error too if the policy never chooses a plan
    that was followed.
    """
    weights = _weigh(reward, logged, target)
    if not weights.any():
        raise InputError("target is 0 for every decision: nothing that was followed says anything of this policy")
    value = float(np.average(reward, weights=weights))
    return _estimate(value + weights / weights.mean() * (reward - value), weights)


def estimate_doubly_robust(
    reward: Floats, logged: Floats, target: Floats, expected: Floats, expected_of_target: Floats
) -> Estimate:
    """What a model expects of the policy, corrected by what it missed; right if the model or the probabilities are.

    Args:
        reward: As for `estimate_inverse_propensity`, whose errors it shares, as are the next two.
        logged: Probability of the plan that was followed.
        target: Probability of it by the policy.
        expected: The reward that a model expects of the plan that was followed; fitted on other decisions.
        expected_of_target: The reward that it expects of the policy, mean over the plans that it chooses from.
    """
    weights = _weigh(reward, logged, target)
    return _estimate(expected_of_target + weights * (reward - expected), weights)


def _weigh(reward: Floats, logged: Floats, target: Floats) -> Floats:
    if not len(reward) == len(logged) == len(target) or len(reward) < 2:  # noqa: PLR2004 - one has no spread
        raise InputError(
            f"{len(reward)} rewards, {len(logged)} logged and {len(target)} target probabilities: there must be as "
            "many of each, and two at least"
        )
    for name, values, least in (("logged", logged, np.nextafter(0.0, 1.0)), ("target", target, 0.0)):
        wrong = values[~((values >= least) & (values <= 1.0))]
        if len(wrong):
            raise InputError(f"{name} has {wrong[0]}, which is no probability of a plan that was followed")
    return target / logged


def _estimate(parts: Floats, weights: Floats) -> Estimate:
    value = float(parts.mean())
    reach = float(norm.ppf(0.975) * parts.std(ddof=1) / np.sqrt(len(parts)))
    squares = float((weights**2).sum())
    return Estimate(value, value - reach, value + reach, float(weights.sum()) ** 2 / squares if squares else 0.0)
