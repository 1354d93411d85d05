"""An edited plan is checked, scored and compared with the original."""

from dataclasses import replace

import pytest

from serving.grouping.changes.evaluation import evaluate_edit
from serving.grouping.rules.objective import score_plan


def test_an_unchanged_plan_has_no_moves_and_no_impact(team, sessions):
    judged = evaluate_edit(team, sessions, sessions)

    assert (judged.violations, judged.moves, judged.changes) == ((), (), ())
    assert judged.score_impact.points == 0
    assert judged.score == score_plan(team, sessions)


def test_an_edit_is_measured_against_the_original(team, sessions, swap):
    joined = swap(swap(sessions, "g1", students=("a", "b", "c", "d")), "o1", students=("e", "f"))

    judged = evaluate_edit(team, joined, sessions)

    assert judged.violations == ()
    assert [(move.student, move.block, move.before.led, move.after.led) for move in judged.moves] == [
        ("d", "m1", False, True)
    ]
    assert judged.score_impact.points == pytest.approx(
        score_plan(team, joined).total - score_plan(team, sessions).total
    )


def test_each_of_several_changes_has_an_impact_of_its_own_and_says_what_it_has_to_do_with_breaches(
    team, sessions, swap
):
    """A leaves a group of three, which is too small then, and d joins it, whom it would do without."""
    traded = swap(swap(sessions, "g1", students=("b", "c", "d")), "o1", students=("a", "e", "f"))

    judged = evaluate_edit(team, traded, sessions)

    leaves, joins = judged.changes
    assert (leaves.move.student, joins.move.student) == ("a", "d")
    assert (leaves.breaks, leaves.fixes) == ((), ())
    assert [violation.rule for violation in joins.breaks] == ["group_size"]
    assert leaves.score_impact.points < 0 < joins.score_impact.points
    together = swap(swap(sessions, "g1", students=("a", "b", "c", "d")), "o1", students=("e", "f"))
    assert leaves.score_impact.points == pytest.approx(
        score_plan(team, traded).total - score_plan(team, together).total
    )


def test_the_change_that_breaks_a_rule_is_named(team, sessions, swap):
    apart = replace(team, keep_apart=(("a", "d"),))
    joined = swap(swap(sessions, "g1", students=("a", "b", "c", "d", "e")), "o1", students=("f",))

    judged = evaluate_edit(apart, joined, sessions)

    assert [violation.rule for violation in judged.violations] == ["keep_apart"]
    assert {change.move.student: [v.rule for v in change.fixes] for change in judged.changes} == {
        "d": ["keep_apart"],
        "e": [],
    }


def test_undoing_into_a_session_that_is_not_held_any_more_holds_it_again(team, sessions, swap):
    """All of the second block work online; back in their group alone, each would be too few."""
    online = tuple(s for s in sessions if s.id not in {"g2", "o2"})
    edited = (*online, replace(sessions[3], students=tuple("abcdef")))

    judged = evaluate_edit(team, edited, sessions)

    assert judged.violations == ()
    assert [change.move.student for change in judged.changes] == ["d", "e", "f"]
    assert all({v.rule for v in change.breaks} == {"group_size"} for change in judged.changes)


def test_a_plan_that_names_unknown_people_is_not_scored(team, sessions, swap):
    judged = evaluate_edit(team, swap(sessions, "g1", adults=("nobody",)), sessions)

    assert judged.score is None
    assert {violation.rule for violation in judged.violations} == {"form"}


def test_a_name_left_at_the_online_station_does_not_hide_the_seat_in_the_group(team, sessions, swap):
    twice = swap(sessions, "g1", students=("a", "b", "c", "d"))

    judged = evaluate_edit(team, twice, sessions)

    assert [violation.rule for violation in judged.violations] == ["one_session"]
    assert [move.after.skill for move in judged.moves] == ["fractions"]
