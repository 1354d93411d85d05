"""When to say nothing: a distance from one half that training students chose, judged on others."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.benchmarks.parts import abstain_by_rule, tell_rule
from training.config import load_config
from training.data.dataset import Block
from training.models.boosting import Trial

SETTINGS = load_config().evaluation


def draw(seed):
    """A hundred students with fifty outcomes each that come as often as their forecast says."""
    rng = np.random.default_rng(seed)
    told = rng.random(5000)
    target = (rng.random(5000) < told).astype(np.int8)
    student = np.repeat(np.arange(100), 50)
    return Block(told[:, None].astype(np.float32), target, student, np.zeros(5000, np.int32), student)


def trial_of(block):
    return Trial(SimpleNamespace(predict=lambda rows: rows[:, 0].astype(np.float64)), block)


def test_the_distance_that_training_students_chose_holds_for_others():
    """Of forecasts that are true and even, those beyond t are wrong in .25 - t / 2: .15 wants .2 and a little more."""
    test = draw(2)

    rule = abstain_by_rule(trial_of(draw(1)), test, test.rows[:, 0].astype(np.float64), 0.15, SETTINGS)

    assert rule["least_distance"] == pytest.approx(0.23, abs=0.04)
    assert rule["coverage"] == pytest.approx(1 - 2 * rule["least_distance"], abs=0.02)
    assert rule["error_low"] <= rule["error"] <= rule["error_high"]
    assert rule["held"]
    assert "speaks on" in tell_rule(rule)


def test_an_easy_goal_keeps_every_row_and_one_out_of_reach_keeps_none():
    test = draw(2)
    told = test.rows[:, 0].astype(np.float64)

    easy = abstain_by_rule(trial_of(draw(1)), test, told, 0.5, SETTINGS)
    hard = abstain_by_rule(trial_of(draw(1)), test, 0.5 + (told - 0.5) / 9, 0.0, SETTINGS)

    assert (easy["least_distance"], easy["coverage"]) == (0, 1)
    assert (hard["coverage"], hard["error"], hard["held"]) == (0, None, None)
    assert "no distance" in tell_rule(hard)
