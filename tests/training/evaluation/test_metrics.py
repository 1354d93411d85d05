"""Figures that agree with sums done by hand and with scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from training.config import load_config
from training.data.dataset import Block
from training.evaluation.metrics import (
    _auc_sorted,
    _ece_interval,
    calibration_error,
    chance_error,
    evaluate,
    paired_difference,
    resample_students,
)


def make_block(target, student=None):
    size = len(target)
    return Block(
        rows=np.zeros((size, 1), np.float32),
        target=np.array(target, np.float32),
        student=np.arange(size) if student is None else np.array(student),
        episode=np.arange(size),
        opportunity=np.zeros(size, np.int32),
        right=np.zeros(size, np.int32),
        run=np.zeros(size, np.int32),
    )


@pytest.fixture
def judge(quick_config):
    """200 resamples, and places for a fifth of the rows."""
    return quick_config.evaluation.model_copy(update={"bootstrap": 200, "places_share": 0.2})


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=2, max_size=30))
def test_the_weighted_area_is_that_of_scikit_learn(rows):
    """With tied scores and with rows that a resample drew never, once or several times."""
    score, target, weight = (np.array(column, float) for column in zip(*sorted(rows), strict=True))
    edges = np.flatnonzero(np.diff(score, prepend=-np.inf))

    area = _auc_sorted(target, weight, np.arange(len(rows)), edges)

    drawn = weight > 0
    if len(set(target[drawn])) < 2:
        assert np.isnan(area)
    else:
        assert area == pytest.approx(roc_auc_score(target[drawn], score[drawn], sample_weight=weight[drawn]))


def test_log_loss_brier_and_area_are_what_a_hand_gets(judge):
    """Two rows forecast at .8 and .4, of which the first happened."""
    found = evaluate(make_block([1, 0]), np.array([0.8, 0.4]), judge)

    assert found["log_loss"].value == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert found["brier"].value == pytest.approx((0.2**2 + 0.4**2) / 2)
    assert found["auc"].value == 1.0


def test_calibration_error_weighs_bins_by_their_rows():
    """Three rows said .1 of which none happened, and one said .9 that did not: (3 x .1 + .9) / 4."""
    error = calibration_error(np.array([0.1, 0.1, 0.1, 0.9]), np.zeros(4))

    assert error == pytest.approx(0.3)


def test_every_interval_holds_its_value(school_dataset, judge):
    """A forecast that knows a little, judged on real rows, lies within its own bounds."""
    block = school_dataset.mastery["holdout"]
    forecast = np.clip(0.6 + 0.2 * block.target + np.random.default_rng(1).normal(0, 0.1, len(block)), 0.01, 0.99)

    found = evaluate(block, forecast, judge)

    for name in ("log_loss", "brier", "auc", "ece"):
        assert found[name].low < found[name].value < found[name].high


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 6)), min_size=1, max_size=40),
    st.integers(20, 60),
)
def test_a_calibration_error_lies_in_its_interval_whatever_the_rows(rows, times):
    """The resampled error is too high by chance, so that it had been printed outside."""
    probability, target, student = (np.array(column) for column in zip(*rows, strict=True))
    judge = load_config().evaluation.model_copy(update={"bootstrap": times})

    found = evaluate(make_block(target, student), probability, judge)["ece"]

    assert 0 <= found.low <= found.value <= found.high


def test_a_calibration_error_is_without_most_of_what_chance_adds():
    """Twenty schools of 100 students: the plain error of an honest forecast is .035; one off by .05 is found."""
    draws, codes, rng = resample_students(100, 200), np.arange(1000) % 100, np.random.default_rng(5)
    plain, honest, off = [], [], []
    for _ in range(20):
        chance = rng.uniform(0.2, 0.8, 1000)
        target = (rng.random(1000) < chance).astype(float)
        plain.append(calibration_error(chance, target))
        honest.append(_ece_interval(chance, target, codes, draws))
        off.append(_ece_interval(chance + 0.05, target, codes, draws))

    assert np.mean([found.value for found in honest]) < 0.7 * np.mean(plain)
    assert np.mean([found.value for found in off]) == pytest.approx(0.05, abs=0.01)
    assert np.mean([found.low <= 0.05 <= found.high for found in off]) >= 0.85


def test_one_outcome_has_no_area(judge):
    """Where everybody masters there is nothing to rank, and no figure pretends otherwise."""
    assert set(evaluate(make_block([0, 0, 0]), np.full(3, 0.2), judge, places=True)) == {"log_loss", "brier", "ece"}


def test_places_go_by_lot_among_equals(judge):
    """A forecast that says the same to all finds no more than chance, whichever rows come first."""
    first = evaluate(make_block([1] * 100 + [0] * 400), np.full(500, 0.3), judge, places=True)
    last = evaluate(make_block([0] * 400 + [1] * 100), np.full(500, 0.3), judge, places=True)

    for found in (first, last):
        assert found["precision_at_places"].value == pytest.approx(0.2, abs=0.1)
        assert found["recall_at_places"].value == pytest.approx(0.2, abs=0.1)


def test_a_target_between_is_that_share_of_either_outcome(judge):
    """Figures of rows with target .25 are those of four rows each, of which one happened."""
    chance = np.array([0.1, 0.3, 0.6, 0.9])
    shares, outcomes = [0.25, 0.5, 0.75, 1.0], [1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1]

    between = evaluate(make_block(shares), chance, judge, places=True)
    single = evaluate(make_block(outcomes), np.repeat(chance, 4), judge, places=True)

    for name in ("log_loss", "brier", "auc", "average_precision"):
        assert between[name].value == pytest.approx(single[name].value), name
    plain = [calibration_error(np.repeat(chance, len(each) // 4), np.array(each)) for each in (shares, outcomes)]
    assert plain[0] == pytest.approx(plain[1])
    assert between["precision_at_places"].value == 1.0
    assert between["recall_at_places"].value == pytest.approx(1 / 2.5)


def test_the_better_of_two_is_below_zero(judge):
    """Ours minus theirs in log-loss: negative where ours is better, zero against itself."""
    block = make_block([1, 0] * 50)
    good, poor = np.where(block.target == 1, 0.7, 0.3), np.full(100, 0.5)

    ours, theirs = paired_difference(block, good, poor, judge), paired_difference(block, poor, good, judge)

    assert ours.value == pytest.approx(np.log(0.5) - np.log(0.7))
    assert ours.high < 0 < theirs.low
    assert paired_difference(block, good, good, judge).value == 0


def test_rows_of_one_student_are_not_counted_as_independent(judge):
    """Twenty students with fifty equal rows each: the interval is as wide as twenty rows', not as a thousand's."""
    by_student = np.random.default_rng(3).random(20) < 0.5
    target = np.repeat(by_student, 50).astype(np.int8)

    clustered = evaluate(make_block(target, student=np.repeat(np.arange(20), 50)), np.full(1000, 0.4), judge)["brier"]
    rows = evaluate(make_block(target), np.full(1000, 0.4), judge)["brier"]

    assert clustered.value == pytest.approx(rows.value)
    assert clustered.high - clustered.low > 4 * (rows.high - rows.low)


def test_a_resample_draws_as_many_students_as_there_are():
    """Each with its number of draws, the same for the same seed."""
    draws = resample_students(7, 30)

    assert draws.shape == (30, 7)
    assert set(draws.sum(axis=1)) == {7}
    np.testing.assert_array_equal(draws, resample_students(7, 30))


def test_chance_alone_makes_a_larger_error_of_fewer_outcomes():
    """A thousand rows that say one half: 30 of them are off as a coin is, and so are 1000 that share 30 outcomes."""
    half = np.full(1000, 0.5)

    alone, few = chance_error(half), chance_error(half[:30])
    shared = chance_error(half, np.arange(1000) % 30)

    assert alone == pytest.approx(2 * 0.5 / 1000**0.5, rel=0.2)
    assert shared == pytest.approx(few, rel=0.1)
    assert few > 4 * alone
