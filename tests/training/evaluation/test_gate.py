"""When a challenger becomes champion."""

import re

import pytest

from training.config import load_config
from training.evaluation.fairness import GroupFigures
from training.evaluation.gate import decide
from training.evaluation.metrics import Interval

GATE = load_config().gate
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
        (EVEN, BETTER, False),
        (EVEN, EVEN, False),
        (WORSE, BETTER, False),
    ],
)
def test_struggle_must_be_better_and_mastery_not_worse(struggle, mastery, promoted):
    """Each with its whole interval."""
    decision = decide(metrics(), {"struggle": struggle, "mastery": mastery}, GATE)

    assert (decision.promoted, decision.within_limits) == (promoted, True)


@pytest.mark.parametrize("against", [None, {"struggle": BETTER, "mastery": BETTER}])
@pytest.mark.parametrize("broken", ["struggle", "mastery"])
def test_a_challenger_above_a_limit_is_never_promoted(against, broken):
    """Neither for want of a champion nor for being better than it."""
    decision = decide(metrics(**{broken: 0.06}), against, GATE)

    assert (decision.promoted, decision.within_limits) == (False, False)
    assert any(re.match(f"{broken}: calibration .* is above the limit", reason) for reason in decision.reasons)


def test_the_first_challenger_has_only_to_be_within_the_limits():
    """Exactly on the limit is within it."""
    decision = decide(metrics(struggle=0.05), None, GATE)

    assert decision.promoted
    assert decision.reasons[-1] == "there is no champion that can be compared"


def test_a_calibration_that_is_not_known_is_not_good_enough():
    """A figure that could not be computed must not pass for a small one."""
    assert not decide(metrics(mastery=float("nan")), None, GATE).promoted


def test_every_figure_that_counted_is_told():
    """A person can read why, with the interval."""
    decision = decide(metrics(), {"struggle": EVEN, "mastery": WORSE}, GATE)

    told = "\n".join(decision.reasons)
    assert "struggle: log-loss +0.00000 against the champion's (95 % interval -0.01000 to +0.01000" in told
    assert "not clearly better" in told
    assert "the mastery forecast is worse with the whole interval" in told


@pytest.mark.parametrize(("rows", "ece", "promoted"), [(500, 0.11, False), (499, 0.11, True), (500, 0.09, True)])
def test_an_audit_group_has_a_limit_of_its_own_once_it_has_rows_enough(rows, ece, promoted):
    """A badly calibrated group stops a promotion; a small one is only reported."""
    group = GroupFigures("language", "es", rows, 40, 0.2, 0.3, ece, 0.02, 0.1, 0.8, None)

    decision = decide(metrics(), None, GATE, {"struggle": [group]})

    assert decision.promoted is promoted
    assert any("language es" in reason for reason in decision.reasons) is not promoted
