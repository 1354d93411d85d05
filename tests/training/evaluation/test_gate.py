"""When a challenger becomes champion."""

import re
from dataclasses import replace

import pytest

from training.config import load_config
from training.evaluation.agreement import Cell
from training.evaluation.behavior import Behavior
from training.evaluation.comparison import Slice
from training.evaluation.fairness import GroupFigures
from training.evaluation.gate import Figures, decide
from training.evaluation.metrics import Interval

GATE = load_config().gate
FINE = Behavior(200, 0, 0, 0, 20.0, 2.0)
BETTER, WORSE, EVEN = Interval(-0.02, -0.03, -0.01), Interval(0.02, 0.01, 0.03), Interval(0.0, -0.01, 0.01)


def metrics(struggle=0.01, mastery=0.01):
    return {
        "struggle": {"ece": Interval(struggle + 0.01, struggle, 1.0)},
        "mastery": {"ece": Interval(mastery + 0.01, mastery, 1.0)},
    }


@pytest.mark.parametrize(
    ("struggle", "mastery", "promoted"),
    [
        (BETTER, EVEN, True),
        (BETTER, BETTER, True),
        (BETTER, WORSE, False),
        (EVEN, BETTER, True),
        (EVEN, EVEN, False),
        (WORSE, BETTER, False),
        (Interval(-0.0009, -0.001, -0.0008), EVEN, False),
        (Interval(-0.0011, -0.002, -0.0002), EVEN, True),
        (BETTER, Interval(0.003, -0.001, 0.007), False),
    ],
)
@pytest.mark.parametrize("names", [("struggle", "mastery"), ("mastery", "struggle")])
def test_one_forecast_must_be_better_and_the_other_not_worse(struggle, mastery, promoted, names):
    """Each with its whole interval, the one by a margin and the other within one, whichever it is."""
    decision = decide(Figures(metrics(), dict(zip(names, (struggle, mastery), strict=True))), GATE)

    assert (decision.promoted, decision.within_limits) == (promoted, True)


@pytest.mark.parametrize("against", [None, {"struggle": BETTER, "mastery": BETTER}])
@pytest.mark.parametrize("broken", ["struggle", "mastery"])
def test_a_challenger_above_a_limit_is_never_promoted(against, broken):
    """Neither for want of a champion nor for being better than it."""
    decision = decide(Figures(metrics(**{broken: 0.06}), against), GATE)

    assert (decision.promoted, decision.within_limits) == (False, False)
    assert any(re.match(f"{broken}: calibration .* is above the limit", reason) for reason in decision.reasons)


def test_the_first_challenger_has_only_to_be_within_the_limits():
    """Exactly on the limit is within it."""
    decision = decide(Figures(metrics(struggle=0.05)), GATE)

    assert decision.promoted
    assert decision.reasons[-1] == "there is no champion that can be compared"


def test_a_calibration_that_is_not_known_is_not_good_enough():
    """A figure that could not be computed must not pass for a small one."""
    assert not decide(Figures(metrics(mastery=float("nan"))), GATE).promoted


def test_every_figure_that_counted_is_told():
    """A person can read why, with the interval."""
    decision = decide(Figures(metrics(), {"struggle": EVEN, "mastery": WORSE}), GATE)

    told = "\n".join(decision.reasons)
    assert "struggle: log-loss +0.00000 against the champion's (95 % interval -0.01000 to +0.01000" in told
    assert "neither forecast is clearly better" in told
    assert "the mastery forecast is worse with the whole interval" in told


@pytest.mark.parametrize(("rows", "ece", "promoted"), [(500, 0.11, False), (499, 0.11, True), (500, 0.09, True)])
def test_an_audit_group_has_a_limit_of_its_own_once_it_has_rows_enough(rows, ece, promoted):
    """A badly calibrated group stops a promotion; a small one is only reported."""
    group = GroupFigures("language", "es", rows, 40, 0.2, 0.3, ece, 0.02, 0.1, 0.8, None)

    decision = decide(Figures(metrics(), groups={"struggle": [group]}), GATE)

    assert decision.promoted is promoted
    assert any("language es" in reason for reason in decision.reasons) is not promoted


@pytest.mark.parametrize(
    ("group", "said"),
    [
        (Slice("language", "es", 40, 900, 0.03, 0.005), "log-loss +0.0300 against the champion's for language es"),
        (Slice("language", "es", 40, 900, 0.03, 0.015), None),
        (Slice("language", "es", 40, 900, None, 0.0), None),
        (Slice("language", "es", 2, 9, 0.9, 0.01, missing=True), "nobody can say how language es is served"),
    ],
)
def test_no_audit_group_may_be_served_worse_or_be_missing(group, said):
    """Worse than the champion by more than the limit and than chance; a group that nobody can judge stops as well."""
    decision = decide(Figures(metrics(), {"struggle": BETTER, "mastery": EVEN}, slices={"struggle": [group]}), GATE)

    assert decision.promoted is (said is None)
    assert any(said in reason for reason in decision.reasons) if said else len(decision.reasons) == 5


def test_of_many_groups_one_is_worse_by_chance():
    """What would count of one group does not of twenty."""
    one, others = (
        Slice("language", "es", 40, 900, 0.03, 0.01),
        [Slice("c", str(n), 40, 900, 0.0, 0.01) for n in range(19)],
    )

    alone, among = (
        decide(Figures(metrics(), slices={"struggle": groups}), GATE).promoted for groups in ([one], [one, *others])
    )

    assert (alone, among) == (False, True)


def test_an_audit_column_that_must_be_there_is_missed():
    """A roster that lost its demographics ends no audit unseen."""
    gate = GATE.model_copy(update={"audit_columns": ("language",)})

    lost, there = (decide(Figures(metrics(), columns=frozenset(found)), gate) for found in ((), ("language",)))

    assert (lost.promoted, there.promoted) == (False, True)
    assert "the roster has no audit column language" in " ".join(lost.reasons)


@pytest.mark.parametrize(
    ("figure", "value", "said"),
    [
        ("leaks", 1, "in 1 of 200 changed histories a row knows what came after it"),
        ("falls", 2, "in 2 of 200 changed histories a wrong answer in place of a right one lowers the struggle risk"),
        ("moved", 3, "3 forecasts change with the rows beside them"),
        ("milliseconds", 501.0, "a forecast of 1000 rows takes 501 ms; the limit is 500"),
        ("megabytes", 200.1, "the models take 200.1 MB; the limit is 200"),
        ("histories", 180, None),
    ],
)
def test_a_challenger_behaves_or_is_refused_in_a_sentence(figure, value, said):
    """It knows nothing of the future, holds no wrong answer for a good sign, and is not slow or large."""
    decision = decide(Figures(metrics(), behavior=replace(FINE, **{figure: value})), GATE)

    assert decision.promoted is (said is None)
    assert said is None or said in decision.reasons


def test_a_forecast_that_contradicts_the_facts_is_refused():
    """Ten percent where half struggle, in a cell that is large enough to say so."""
    cell = Cell("4-5", "none right", -3, 400, 0.1, 0.5, 0.45, 0.55, 0.02)

    decision = decide(Figures(metrics(), cells=[cell]), GATE)

    assert not decision.promoted
    assert any(
        "0.10 is forecast where 0.50 struggle, of 400 rows with 4-5 attempts" in said for said in decision.reasons
    )
