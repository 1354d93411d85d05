"""Scores become probabilities that mean what they say, in the same order."""

import numpy as np
import pytest

from features.model_bundle import Sigmoid
from training.evaluation.metrics import calibration_error
from training.models.boosting import fit_sigmoid


def test_overconfident_scores_are_brought_back():
    """Scores three times too extreme and shifted are mapped back to what happens."""
    random = np.random.default_rng(1)
    logit = random.normal(size=20_000)
    target = (random.random(20_000) < 1 / (1 + np.exp(-logit))).astype(np.int8)

    found = fit_sigmoid(3 * logit + 1, target)

    assert found.slope == pytest.approx(1 / 3, rel=0.05)
    assert found.offset == pytest.approx(-1 / 3, abs=0.05)
    assert calibration_error(Sigmoid(1, 0).apply(3 * logit + 1), target) > 0.1
    assert calibration_error(found.apply(3 * logit + 1), target) < 0.02


def test_calibration_never_turns_the_ranking_round():
    """Even where the later block says the opposite of the scores."""
    score = np.array([-2.0, -1.0, 1.0, 2.0])

    found = fit_sigmoid(score, np.array([1, 1, 0, 0], np.int8))

    assert found.slope > 0
    assert (np.diff(found.apply(score)) > 0).all()


@pytest.mark.parametrize("target", [[], [0, 0], [1, 1]])
def test_one_outcome_changes_nothing(target):
    """Without both outcomes there is nothing to calibrate on."""
    assert fit_sigmoid(np.arange(len(target), dtype=float), np.array(target, np.int8)) == Sigmoid(1.0, 0.0)
