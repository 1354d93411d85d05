"""What an audit shows of each group, and what it keeps to itself."""

import numpy as np
import pandas as pd
import pytest

from features.profiles.kernel import COLUMNS
from training.data.dataset import Block
from training.evaluation import fairness
from training.evaluation.fairness import MIN_STUDENTS, PERMUTATIONS, audit_groups, compare_curves
from training.models.boosting import FORECASTS


@pytest.fixture
def students():
    """Twenty-five students: twelve speak Spanish, nine Polish, of four nothing is known."""
    return pd.Index([f"s{number:02d}" for number in range(25)])


@pytest.fixture
def audit(students):
    languages = ["es"] * 12 + ["pl"] * 9
    return pd.DataFrame({"student_id": students[:21], "column": "language", "value": languages})


def make_block(target, student):
    zeros = np.zeros(len(target), np.int64)
    counts = zeros.astype(np.int32)
    rows = np.zeros((len(target), 1), np.float32)
    return Block(rows, np.array(target, np.float32), student, zeros, counts, counts, counts)


def test_a_group_of_few_students_is_not_reported(students, audit):
    """Nine students are too few for a figure, however many rows they have."""
    block = make_block([0, 1] * 125, np.repeat(np.arange(25), 10))

    (only,) = audit_groups(block, np.full(250, 0.5), students, audit, 0.2)

    assert (only.group, only.students, only.rows) == ("es", 12, 120)
    assert MIN_STUDENTS == 10


def test_no_group_of_few_students_is_left_when_those_shown_are_taken_away():
    """The nine who speak Polish are all less those who speak Spanish or Urdu, so Urdu is not shown either."""
    languages = ["es"] * 20 + ["ur"] * 10 + ["pl"] * 9
    more = pd.Index([f"s{number:02d}" for number in range(len(languages))])
    audit = pd.DataFrame({"student_id": more, "column": "language", "value": languages})
    block = make_block([0, 1] * 39, np.repeat(np.arange(39), 2))

    shown = audit_groups(block, np.full(78, 0.5), more, audit, 0.2)
    all_shown = audit_groups(block, np.full(78, 0.5), more, audit.replace("pl", "ur"), 0.2)

    assert [(each.group, each.shown) for each in shown] == [("es", True), ("ur", False)]
    assert [(each.group, each.shown) for each in all_shown] == [("es", True), ("ur", True)]


def test_a_rate_that_tells_the_outcome_of_nearly_everybody_is_not_shown():
    """One of ten who speak Urdu struggles; with Spanish shown, all less those would tell the same of Urdu."""
    languages = ["es"] * 20 + ["fr"] * 30 + ["ur"] * 10
    everybody = pd.Index([f"s{number:02d}" for number in range(len(languages))])
    audit = pd.DataFrame({"student_id": everybody, "column": "language", "value": languages})
    struggling = np.array([*([0, 1] * 25), 1, *[0] * 9])

    found = audit_groups(make_block(struggling, np.arange(60)), np.full(60, 0.5), everybody, audit, 0.2)

    assert [(each.group, each.shown) for each in found] == [("es", False), ("fr", True), ("ur", False)]


def test_a_group_that_is_underestimated_shows(students, audit):
    """All twelve struggle and the forecast says .1: a gap of .9, and nobody of them gets a place."""
    struggling = np.arange(25) < 12
    forecast = np.where(struggling, 0.1, 0.9)

    (group,) = audit_groups(make_block(struggling, np.arange(25)), forecast, students, audit, 0.2)

    assert (group.base_rate, group.mean_forecast, group.ece) == pytest.approx((1.0, 0.1, 0.9))
    assert group.missed_share == 1.0
    assert group.auc is None


def test_figures_of_a_group_are_its_own(students, audit):
    """Half of the twelve struggle and the forecast knows who."""
    struggling = np.arange(25) % 2 == 1
    forecast = np.where(struggling, 0.9, 0.1)

    (group,) = audit_groups(make_block(struggling, np.arange(25)), forecast, students, audit, 0.4)

    assert (group.base_rate, group.missed_share, group.auc) == (0.5, 0.0, 1.0)


def test_no_audit_facts_no_figures(students, audit):
    """A school that tells nothing gets no table."""
    block = make_block([0, 1], np.array([0, 1]))

    assert audit_groups(block, np.array([0.2, 0.8]), students, audit.head(0), 0.2) == []


def test_no_column_of_a_model_is_about_who_a_student_is(simulated_school):
    """The audit's columns are not among the features, which all come from the event log."""
    audited = set(pd.read_csv(simulated_school.folder / "roster" / "demographics.csv")["column"])

    assert audited
    assert all(not audited & {*COLUMNS, *each.columns} for each in FORECASTS)


def draw_rows(random, mine, blurred=0.0):
    """Twenty rows for each student, whose forecasts tell outcomes apart less well where they are blurred."""
    student = np.repeat(np.arange(len(mine)), 20)
    target = (random.random(len(student)) < 0.4).astype(np.int8)
    talent = random.normal(0, 0.5, len(mine))[student]
    forecast = target + talent + random.normal(0, 1 + blurred * mine[student], len(student))
    return target, 1 / (1 + np.exp(-forecast)), student, mine[student]


def test_curves_of_equal_area_that_cross_differ():
    """The group's step at one half and the others' diagonal: both areas are .5, a quarter lies between the curves."""
    target = np.array([1, 0, 0, 1, 1, 0, 0, 1], np.int8)
    forecast = np.array([0.9, 0.5, 0.5, 0.1, 0.5, 0.5, 0.5, 0.5])
    student = np.arange(8)

    found = compare_curves(target, forecast, student, student < 4)

    assert found.area == pytest.approx(0.25)


def test_without_both_outcomes_on_both_sides_there_is_no_area():
    """A curve needs rows of both outcomes."""
    student = np.arange(4)

    assert compare_curves(np.array([0, 1, 1, 1], np.int8), np.linspace(0, 1, 4), student, student < 2) is None


def test_where_groups_do_not_differ_p_is_uniform(monkeypatch):
    """It cries wolf as often as it says and no more, though a student's rows resemble each other."""
    monkeypatch.setattr(fairness, "PERMUTATIONS", 99)
    mine = np.arange(60) < 15

    found = [compare_curves(*draw_rows(np.random.default_rng(seed), mine)) for seed in range(40)]

    p = np.array([each.p for each in found])
    assert 0.3 < np.mean(p) < 0.7
    assert np.mean(p <= 0.05) <= 0.15
    assert np.mean([each.area > each.by_chance for each in found]) <= 0.15


def test_a_planted_difference_is_found():
    """The forecast is much blurrier for the group."""
    mine = np.arange(60) < 15

    found = compare_curves(*draw_rows(np.random.default_rng(1), mine, blurred=3.0))

    assert found.p == 1 / (1 + PERMUTATIONS)
    assert found.area > 2 * found.by_chance


def test_a_group_is_compared_with_ten_students_or_not_at_all(students, audit):
    """Twelve against nine tells too much of the nine; twelve against ten does not."""
    block = make_block([0, 1] * 125, np.repeat(np.arange(25), 10))
    forecast = np.linspace(0, 1, 250)
    one_more = pd.DataFrame({"student_id": students[21:22], "column": "language", "value": "pl"})

    (few,) = audit_groups(block, forecast, students, audit, 0.2)
    enough = audit_groups(block, forecast, students, pd.concat([audit, one_more]), 0.2)

    assert few.abroca is None
    assert [each.abroca.area for each in enough] == pytest.approx([enough[0].abroca.area] * 2)
