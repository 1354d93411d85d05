"""Why somebody does not sit somewhere: what it would cost, or what stands in the way."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from serving.grouping.changes.difference import find_moves
from serving.grouping.changes.why_not import ask_why_not
from serving.grouping.errors import InfeasibleError, ProblemError
from serving.grouping.problem.places import Pin
from serving.grouping.problem.policy import ADULT_LED, SessionType, SizeBound, Weights
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

QUICK = Budget(rounds=30, bound_rounds=0)
GROUPS = (SizeBound(SessionType.SMALL_GROUP, 3, 3),)


def test_a_free_seat_in_a_group_moves_nobody_else(team, sessions):
    lazy = replace(team, weights=Weights(perturbation=5.0))

    answer = ask_why_not(lazy, sessions, Pin("d", "m1", adult="lead"), QUICK)

    assert answer.moves == ()
    assert answer.sentence == (
        "The seat would cost 0.01: 0.06 less need met (-0.06), 1.00 more first meetings with adults (+0.05); "
        "no other seat moves."
    )
    assert "d" in next(session for session in answer.sessions if session.id == "g1").students


def test_a_full_group_takes_somebody_only_in_exchange(team, sessions):
    """Groups of three, and one adult to lead: d comes in for one of those who need fractions more."""
    settled = tuple(Pin(name, "m1", skill="fractions", adult="lead") for name in "bc")
    tight = replace(team, sizes=GROUPS, pins=settled, weights=Weights(perturbation=1.0))

    answer = ask_why_not(tight, sessions, Pin("d", "m1", adult="lead"), QUICK)

    assert next(s.students for s in answer.sessions if s.id == "g1") == ("b", "c", "d")
    assert [(move.student, move.block) for move in answer.moves] == [("a", "m1")]
    assert answer.score_impact.terms[0].name == "benefit"
    assert answer.sentence.endswith("; 1 other seat would move.")


def test_a_student_who_sits_there_already_is_named_as_such(team, sessions):
    answer = ask_why_not(team, sessions, Pin("a", "m1", skill="fractions"), QUICK)

    assert answer.sentence == "The student sits there already."
    assert answer.sessions == sessions


@pytest.mark.parametrize(
    ("pin", "rule", "sentence"),
    [
        (Pin("a", "m1", skill="decimals"), "eligibility", "the skill asked for is not among the student's needs"),
        (Pin("a", "m1", SessionType.SMALL_GROUP, adult="help"), "permission", "the adult may not lead such a session"),
        (Pin("d", "m2", adult="ill"), "adult_available", "the adult is not there"),
        (Pin("z", "m1"), "presence", "The student is absent in 09:00-09:45"),
        (Pin("f", "m1", adult="lead"), "pinned", "pinned to two places at once"),
    ],
)
def test_the_rule_in_the_way_is_named(team, sessions, pin, rule, sentence):
    day = replace(
        team,
        students=(*team.students, replace(team.students[0], id="z", blocks=frozenset())),
        adults=(*team.adults, replace(team.adults[0], id="ill", blocks=frozenset({"m1"}))),
        skills=(*team.skills, replace(team.skills[0], id="decimals")),
        pins=(Pin("f", "m1", SessionType.ONLINE),),
    )

    answer = ask_why_not(day, sessions, pin, QUICK)

    assert answer.sessions is None
    assert answer.conflicts[0].rules[0] == rule
    assert answer.conflicts[0].proven
    assert answer.sentence.startswith("No plan can: ")
    assert sentence in answer.sentence


def test_a_plan_that_breaks_a_rule_is_not_asked_about(team, sessions, swap):
    with pytest.raises(ProblemError, match="breaks the rule group_size"):
        ask_why_not(team, swap(swap(sessions, "g1", students=("a",)), "o1", students=tuple("bcdef")), Pin("a", "m1"))


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    rooms=st.booleans(),
    who=st.integers(0, 11),
    block=st.sampled_from(["b0", "b1"]),
    kind=st.sampled_from([None, SessionType.ONLINE, *ADULT_LED]),
    skill=st.sampled_from([None, "k0", "k1"]),
    adult=st.sampled_from([None, "t0", "t1"]),
)
def test_an_impact_is_the_difference_of_two_scores_of_plans_that_keep_the_rules(
    seed, rooms, who, block, kind, skill, adult
):
    problem = draw_edge_case(seed, rooms=rooms, ratio=30)
    pin = Pin(f"s{who:02}", block) if kind is None else Pin(f"s{who:02}", block, kind)
    pin = pin if pin.online else replace(pin, skill=skill, adult=adult)
    try:
        sessions = suggest_groups(problem, QUICK).sessions
    except InfeasibleError:
        assume(False)

    answer = ask_why_not(problem, sessions, pin, QUICK)

    if answer.sessions is None:
        assert answer.conflicts
    else:
        assert find_violations(replace(problem, pins=(pin,)), answer.sessions) == ()
        gained = score_plan(problem, answer.sessions).total - score_plan(problem, sessions).total
        assert answer.score_impact.points == pytest.approx(gained)
        moved = find_moves(problem, sessions, answer.sessions)
        assert {*answer.moves} == {move for move in moved if (move.student, move.block) != (pin.student, pin.block)}
        assert answer == ask_why_not(problem, sessions, pin, QUICK)


def test_a_seat_that_meets_more_need_and_is_given_up_says_for_what(team, sessions):
    """Those who sit with the lead are due for time with an adult, which counts for more than the need of d."""
    due = replace(
        team,
        blocks=team.blocks[:1],
        students=tuple(
            replace(student, blocks=frozenset({"m1"}), adult_time_due=student.id in "abc") for student in team.students
        ),
        adults=tuple(replace(adult, blocks=frozenset({"m1"})) for adult in team.adults if adult.id != "new"),
        needs=tuple(replace(need, need=1.0) if need.student == "d" else need for need in team.needs),
        sizes=GROUPS,
        weights=Weights(perturbation=5.0),
    )
    due = replace(due, adults=tuple(
        adult if adult.id == "lead" else replace(adult, session_types=frozenset({SessionType.ONLINE}))
        for adult in due.adults
    ))  # fmt: skip

    answer = ask_why_not(due, sessions[:2], Pin("d", "m1", skill="fractions"), QUICK)

    assert answer.score_impact.points < 0
    assert answer.sentence.startswith("The seat would meet 0.10 more need, and was given up since in all it would cost")
    assert "1 more student due for time with an adult without it (-1.00)" in answer.sentence
