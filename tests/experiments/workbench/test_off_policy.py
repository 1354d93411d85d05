"""Estimates of policies that were not followed, on simulated decisions whose truth is known."""

import numpy as np
import pytest

from experiments.workbench.off_policy import (
    estimate_doubly_robust,
    estimate_inverse_propensity,
    estimate_self_normalized,
)
from features.errors import InputError

PLANS, DAYS, REPEATS = 3, 250, 400
WORTH = np.array([2.0, 1.6, 1.3])
"""What a plan comes to on a usual day, the best one first."""


def simulate(random):
    """A day is easy or hard, plans are drawn at random among one to three, and the best one is the first."""
    ease = random.normal(0.0, 0.5, DAYS)
    plans = random.integers(1, PLANS + 1, DAYS)
    chosen = (random.random(DAYS) * plans).astype(int)
    reward = WORTH[chosen] + ease + random.normal(0.0, 1.0, DAYS)
    return reward, 1.0 / plans, (chosen == 0).astype(float), chosen, ease


def estimate_all(random, model):
    reward, logged, target, chosen, ease = simulate(random)
    return {
        "inverse propensity": estimate_inverse_propensity(reward, logged, target),
        "self-normalized": estimate_self_normalized(reward, logged, target),
        "doubly robust": estimate_doubly_robust(reward, logged, target, model[chosen] + ease, model[0] + ease),
    }


@pytest.mark.parametrize("model", [WORTH, np.array([0.5, 2.5, 0.0])], ids=["right model", "wrong model"])
def test_intervals_hold_the_truth_about_as_often_as_they_say(model):
    random = np.random.default_rng(5)

    found = [estimate_all(random, model) for _ in range(REPEATS)]

    for name in found[0]:
        covered = np.mean([one[name].low <= WORTH[0] <= one[name].high for one in found])
        bias = np.mean([one[name].value for one in found]) - WORTH[0]
        assert 0.92 <= covered <= 0.98, name  # .95 +- 3 standard errors
        assert abs(bias) < 0.03, name


def test_a_right_model_makes_the_interval_narrower():
    found = estimate_all(np.random.default_rng(6), WORTH)

    width = {name: one.high - one.low for name, one in found.items()}

    assert width["doubly robust"] < width["self-normalized"] < width["inverse propensity"]


def test_the_policy_that_was_followed_is_estimated_by_its_mean():
    reward, logged, _, _, _ = simulate(np.random.default_rng(7))

    for estimate in (estimate_inverse_propensity, estimate_self_normalized):
        found = estimate(reward, logged, logged)

        assert found.value == pytest.approx(reward.mean())
        assert found.days == pytest.approx(DAYS)


@pytest.mark.parametrize(
    ("logged", "target", "said"),
    [
        ([0.0, 0.5], [1.0, 1.0], "logged has 0.0"),
        ([0.5, 0.5], [1.0, 1.5], "target has 1.5"),
        ([0.5, np.nan], [1.0, 1.0], "logged has nan"),
        ([0.5], [1.0], "2 rewards, 1 logged and 1 target"),
    ],
)
def test_what_is_no_probability_is_refused(logged, target, said):
    with pytest.raises(InputError, match=said):
        estimate_inverse_propensity(np.ones(2), np.array(logged), np.array(target))


def test_a_policy_that_shares_no_plan_cannot_be_estimated():
    with pytest.raises(InputError, match="nothing that was followed"):
        estimate_self_normalized(np.ones(2), np.full(2, 0.5), np.zeros(2))
