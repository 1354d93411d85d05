"""A day without a plan is explained: a smallest set of rules in conflict, and relaxations that leave a plan."""

from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from serving.grouping.infeasible.diagnosis import explain_conflict
from serving.grouping.infeasible.minimal_set import FeasibilityOracle, Verdict, list_constraints, restrict_to_blocks
from serving.grouping.infeasible.relaxed_problem import relax
from serving.grouping.problem.people import Purpose
from serving.grouping.problem.places import Pin
from serving.grouping.problem.policy import SessionType
from serving.grouping.rules.check import find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

QUICK = Budget(rounds=2, seatings=1, bound_rounds=0)


def away(team, swap):
    """In the first block the teacher alone is there, for six students of whom an adult may supervise four."""
    adults = swap(swap(team.adults, "help", blocks=frozenset({"m2"})), "new", blocks=frozenset({"m2"}))
    return replace(team, adults=adults, needs=(), students_per_monitor=4)


def crowd(team, swap):
    return replace(team, pins=tuple(Pin(student, "m1", SessionType.TUTORING, adult="help") for student in "abc"))


def pair(team, swap):
    pins = (Pin("a", "m1", adult="lead"), Pin("b", "m1", adult="lead"))
    return replace(team, keep_apart=(("a", "b"),), keep_together=(("a", "b"),), pins=pins)


def alone(team, swap):
    adults = swap(team.adults, "lead", blocks=frozenset({"m2"}))
    return replace(team, adults=adults, pins=(Pin("d", "m1", adult="new"),))


def certified(team, swap):
    return replace(team, students=swap(team.students, "a", needs_certified=True), pins=(Pin("a", "m1"),))


def roomless(team, swap):
    return replace(team, rooms=tuple(replace(room, blocks=frozenset({"m1"})) for room in team.rooms))


def small(team, swap):
    return replace(team, needs=(), rooms=(replace(team.rooms[0], capacity=5),))


def no_need(team, swap):
    needs = tuple(need for need in team.needs if need.student != "a")
    return replace(team, needs=needs, pins=(Pin("a", "m1", skill="ratios"),))


def absent(team, swap):
    return replace(team, students=swap(team.students, "a", blocks=frozenset({"m2"})), pins=(Pin("a", "m1"),))


def unqualified(team, swap):
    adults = tuple(replace(adult, skills={"ratios": 1.0}) for adult in team.adults)
    return replace(team, adults=adults, pins=(Pin("a", "m1", skill="fractions"),))


def forbidden(team, swap):
    return replace(team, pins=(Pin("a", "m1", SessionType.SMALL_GROUP, adult="help"),))


def excluded(team, swap):
    return replace(team, adult_exclusions=(("a", "lead"),), pins=(Pin("a", "m1", adult="lead"),))


def other_subject(team, swap):
    blocks = (replace(team.blocks[0], skills=frozenset({"ratios"})), team.blocks[1])
    return replace(team, blocks=blocks, pins=tuple(Pin(name, "m1", skill="fractions") for name in "abcd"))


def mixed(team, swap):
    """Two have another aim than the others, too few for a small group."""
    needs = tuple(replace(n, purpose=Purpose.EXTEND) if n.student in "ab" else n for n in team.needs)
    return replace(team, needs=needs, pins=(Pin("a", "m1", SessionType.SMALL_GROUP, "fractions"),))


@pytest.mark.parametrize(
    ("inject", "smallest", "cheapest"),
    [
        (
            excluded,
            ["adult_exclusions", "pinned"],
            "Drop the pin of a student to an adult-led session with lead in 09:00-09:45.",
        ),
        (other_subject, ["block_skills", "pinned"], "Let any skill be taught in 09:00-09:45."),
        (
            mixed,
            ["group_size", "one_aim", "pinned"],
            "Drop the pin of a student to small group work on Fractions in 09:00-09:45.",
        ),
        (
            away,
            ["adult_available", "adult_available", "monitors"],
            "Let one adult supervise 6 students online instead of 4.",
        ),
        (
            crowd,
            ["group_size", "pinned", "pinned", "pinned"],
            "Drop the pin of a student to tutoring work with help in 09:00-09:45.",
        ),
        (
            pair,
            ["keep_apart", "pinned", "pinned"],
            "Drop the pin of a student to an adult-led session with lead in 09:00-09:45.",
        ),
        (
            alone,
            ["adult_available", "pinned", "supervision"],
            "Drop the pin of a student to an adult-led session with new in 09:00-09:45.",
        ),
        (certified, ["certified", "pinned"], "Drop the pin of a student to an adult-led session in 09:00-09:45."),
        (roomless, ["rooms"], "Find 1 more room for 30 students."),
        (small, ["room_capacity", "rooms"], "Let room big hold 6 students instead of 5."),
        (
            no_need,
            ["eligibility", "pinned"],
            "Drop the pin of a student to an adult-led session on Ratios in 09:00-09:45.",
        ),
        (absent, ["pinned"], "Drop the pin of a student to an adult-led session in 09:00-09:45."),
        (
            unqualified,
            ["pinned", "qualified", "qualified", "qualified"],
            "Drop the pin of a student to an adult-led session on Fractions in 09:00-09:45.",
        ),
        (
            forbidden,
            ["permission", "pinned"],
            "Drop the pin of a student to small group work with help in 09:00-09:45.",
        ),
    ],
)
def test_each_conflict_has_a_smallest_set_and_a_cheapest_relaxation(team, swap, inject, smallest, cheapest):
    diagnosis = explain_conflict(inject(team, swap))

    assert diagnosis.proven
    assert diagnosis.conflicts
    assert diagnosis.minimal
    assert sorted(rule.rule for rule in diagnosis.minimal_set) == smallest
    assert diagnosis.relaxations[0].sentence == cheapest
    penalties = [relaxation.penalty for relaxation in diagnosis.relaxations]
    assert penalties == sorted(penalties)
    for relaxation in diagnosis.relaxations:
        assert find_violations(relaxation.problem, suggest_groups(relaxation.problem, QUICK).sessions) == ()


def test_a_wish_against_a_rule_is_a_note_and_no_conflict(team, swap):
    problem = replace(pair(team, swap), pins=())

    diagnosis = explain_conflict(problem)

    assert diagnosis.verdict is Verdict.FEASIBLE
    assert diagnosis.conflicts == diagnosis.minimal_set == diagnosis.relaxations == ()
    assert diagnosis.notes == (
        "1 pair of students is listed both to be grouped together and not to be; the second is a rule.",
    )


def test_days_with_several_conflicts_get_relaxations_of_several_rules(team, swap):
    problem = replace(away(team, swap), rooms=(), students=swap(team.students, "a", blocks=frozenset({"m2"})))
    problem = replace(problem, pins=(Pin("a", "m1"),))

    cheapest = explain_conflict(problem).relaxations[0]

    assert {"pinned", "rooms"} < set(cheapest.rules)
    assert find_violations(cheapest.problem, suggest_groups(cheapest.problem, QUICK).sessions) == ()


def test_an_oracle_without_programs_left_knows_less_and_claims_no_more():
    problem = draw_edge_case(23, students=9, adults=3, rooms=False, ratio=3)
    patient, tired = FeasibilityOracle(), FeasibilityOracle(programs=0)

    verdicts = patient.judge(problem), tired.judge(problem)

    assert verdicts[1] in (verdicts[0], Verdict.UNKNOWN)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    students=st.integers(3, 9),
    adults=st.integers(1, 3),
    rooms=st.booleans(),
    pins=st.integers(0, 2),
    ratio=st.sampled_from([2, 4, 9]),
)
def test_a_smallest_set_holds_a_conflict_and_lacks_one_without_any_of_its_rules(
    seed, students, adults, rooms, pins, ratio
):
    problem = draw_edge_case(
        seed, students=students, adults=adults, blocks=1, skills=2, rooms=rooms, pins=pins, ratio=ratio
    )
    diagnosis = explain_conflict(problem, nodes=50)

    event(f"{diagnosis.verdict}, {len(diagnosis.minimal_set)} rules")
    feasibility, rules = FeasibilityOracle(), list_constraints(problem)
    if diagnosis.minimal and diagnosis.minimal_set:
        rest = [rule for rule in rules if rule not in diagnosis.minimal_set]
        held = restrict_to_blocks(problem, [block.id for block in problem.blocks])
        assert feasibility.judge(relax(held, rest)) is Verdict.INFEASIBLE
        for rule in diagnosis.minimal_set:
            assert feasibility.judge(relax(held, [*rest, rule])) is Verdict.FEASIBLE
    if diagnosis.proven and problem.students:
        assert diagnosis.relaxations
    for relaxation in diagnosis.relaxations:
        assert find_violations(relaxation.problem, suggest_groups(relaxation.problem, QUICK).sessions) == ()
