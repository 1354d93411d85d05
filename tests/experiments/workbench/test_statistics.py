"""What is said of two runs, against published numbers and against what must be so."""

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.stats import t as student_t
from sklearn.metrics import precision_recall_curve, roc_curve

from experiments.workbench.comparison.figures import count_above
from experiments.workbench.comparison.statistics import adjust_holm, compare_folds, resample_gain
from tests.examples import holds_for

PUBLISHED = {-0.12: 1, -0.08: 2, -0.04: 10, 0.0: 53, 0.04: 29, 0.08: 4, 0.20: 1}
"""AUC of an rbf kernel minus that of a linear one, 10 times 10 folds of 100 rows: how many folds have which difference.

scikit-learn's example "Statistical comparison of models using grid search", whose page prints the numbers below.
"""


def test_folds_are_compared_as_in_the_published_example():
    gains = np.repeat(list(PUBLISHED), list(PUBLISHED.values()))

    found = compare_folds(gains, test_share=10 / 90, margin=0.01)

    assert found.folds == 100
    assert round(found.t, 3) == 0.750
    assert round(found.p / 2, 3) == 0.227  # the example tests one side
    assert round(found.equal, 3) == 0.432
    assert round(found.better + found.equal + found.worse, 12) == 1
    assert round(compare_folds(gains, 10 / 90, 0).better, 3) == 0.773


@pytest.mark.parametrize("digits", [1, 12])
def test_curves_are_those_of_scikit_learn(digits):
    random = np.random.default_rng(digits)
    target, chance = random.integers(0, 2, 300).astype(float), random.random(300).round(digits)

    right, wrong = count_above(target, chance)

    false_rate, true_rate, _ = roc_curve(target, chance, drop_intermediate=False)
    precision, recall, _ = precision_recall_curve(target, chance)
    assert np.array_equal(np.r_[0, wrong] / wrong[-1], false_rate)
    assert np.array_equal(np.r_[0, right] / right[-1], true_rate)
    assert np.array_equal((right / (right + wrong))[::-1], precision[:-1])
    assert np.array_equal(right[::-1] / right[-1], recall[:-1])


@pytest.mark.parametrize("folds", [2, 10])
def test_folds_are_compared_by_students_t_as_scipy_has_it(folds):
    gains = np.random.default_rng(folds).normal(0.01, 0.02, folds)

    found = compare_folds(gains, test_share=0.25, margin=0.005)

    posterior = student_t(folds - 1, loc=found.mean, scale=found.sd)
    assert found.better == pytest.approx(posterior.sf(0.005), abs=1e-12)
    assert found.worse == pytest.approx(posterior.cdf(-0.005), abs=1e-12)
    assert found.p == pytest.approx(2 * student_t.sf(abs(found.t), folds - 1), abs=1e-12)


def test_one_fold_says_nothing_of_folds():
    assert compare_folds(np.array([0.1]), 0.25, 0.01) is None


def test_folds_that_all_agree_are_no_division_by_zero():
    found = compare_folds(np.array([0.25, 0.25]), 0.25, 0.01)

    assert (found.better, found.equal, found.worse, found.p) == (1, 0, 0, 0)


def test_holm_multiplies_the_smallest_most():
    assert adjust_holm([0.02, 0.5, 0.01]) == pytest.approx([0.04, 0.5, 0.03])
    assert adjust_holm([]) == []


@holds_for(20, 300, st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_lowers_a_p(p):
    adjusted = adjust_holm(p)

    assert all(own <= after <= 1 for own, after in zip(p, adjusted, strict=True))
    assert [adjusted[place] for place in np.argsort(p, kind="stable")] == sorted(adjusted)


STUDENTS = np.repeat(np.arange(40), 10)
RNG = np.random.default_rng(1)
TARGET = RNG.integers(0, 2, 400).astype(float)
GOOD, BAD = np.clip(0.5 + 0.3 * (TARGET - 0.5), 0, 1), np.full(400, 0.5)


@pytest.mark.parametrize(("metric", "gain"), [("log_loss", np.log(2) + np.log(0.65)), ("auc", 0.5)])
def test_a_gain_is_what_one_is_better_by(metric, gain):
    found = resample_gain(metric, TARGET, [GOOD], [BAD], STUDENTS)
    turned = resample_gain(metric, TARGET, [BAD], [GOOD], STUDENTS)

    assert found.value == pytest.approx(gain)
    assert found.low > 0
    assert found.p < 0.01
    assert found.students == 40
    assert (turned.value, turned.high) == pytest.approx((-found.value, -found.low))


def test_a_run_is_as_good_as_itself():
    found = resample_gain("log_loss", TARGET, [GOOD], [GOOD], STUDENTS)

    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_few_students_with_many_rows_are_few():
    """Forty students whose rows all end alike say no more than forty rows."""
    alike = TARGET[:40][STUDENTS]
    sure = np.full(400, 0.6)

    of_students = resample_gain("log_loss", alike, [sure], [BAD], STUDENTS)
    of_rows = resample_gain("log_loss", alike, [sure], [BAD], np.arange(400))

    assert of_students.high - of_students.low > 2.5 * (of_rows.high - of_rows.low)
