"""Histories that are changed on purpose find what a challenger should not do."""

import numpy as np
import pytest

from features.profiles.fold import fold
from features.profiles.kernel import COLUMNS
from features.profiles.state import State
from training.evaluation.behavior import observe_behavior
from training.models.boosting import FORECASTS, train_model

SHARE = COLUMNS.index("student_correct_share")


@pytest.fixture(scope="module")
def models(school_dataset, quick_config):
    """Both forecasts of the small school, of few trees."""
    boosting = quick_config.boosting.model_copy(update={"rounds": 5})
    return {
        each.name: train_model(
            each, *(getattr(school_dataset, each.name)[block] for block in ("train", "calibration")), boosting
        )
        for each in FORECASTS
    }


def test_an_ordinary_challenger_behaves(models, school_dataset):
    """None of the histories of the small school shows anything."""
    seen = observe_behavior(models, school_dataset, 2_000_000)

    assert seen.histories > 20
    assert (seen.falls, seen.leaks, seen.moved, seen.megabytes) == (0, 0, 0, 2.0)
    assert 0 < seen.milliseconds < 60_000


def test_rows_that_hold_the_answer_are_found(models, school_dataset):
    """A fold that counts the answer at hand gives most forecasts away."""

    def fold_one_too_far(timeline, statistics):
        rows = fold(timeline, statistics, State.empty())[0].copy()
        rows[:, SHARE] += np.where(timeline.correct == 1, 0.2, 0.0)
        return rows

    seen = observe_behavior(models, school_dataset, 0, fold_one_too_far)

    assert seen.leaks > seen.histories / 2


class Turned:
    """A model whose every forecast is the opposite."""

    def __init__(self, model):
        self.model = model

    def predict(self, rows):
        return 1 - self.model.predict(rows)


class Ranked:
    """A model that knows which rows it was asked with."""

    def __init__(self, model):
        self.model = model

    def predict(self, rows):
        return self.model.predict(rows) * np.linspace(0.5, 1, len(rows))


def test_a_risk_that_falls_with_wrong_answers_is_found(models, school_dataset):
    """Turned round, it falls in nearly every history."""
    seen = observe_behavior({**models, "struggle": Turned(models["struggle"])}, school_dataset, 0)

    assert seen.falls > seen.histories / 2


def test_a_forecast_that_leans_on_other_rows_is_found(models, school_dataset):
    """Of two orders of the same rows it says two things."""
    assert observe_behavior({**models, "struggle": Ranked(models["struggle"])}, school_dataset, 0).moved > 100
