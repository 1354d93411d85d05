"""Repairs of edited plans: they keep every rule, and move as few seats as that takes."""

import random
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from serving import formats
from serving.formats import read_instance
from serving.grouping.changes.difference import count_moved, find_moves, previous_seats
from serving.grouping.changes.repair import repair_plan
from serving.grouping.errors import InfeasibleError, ProblemError
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import ADULT_LED, SessionType, SizeBound
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

QUICK = Budget(rounds=60, bound_rounds=0)


def edit(sessions, seed, times):
    """Moves students at random to other sessions of their blocks."""
    draw = random.Random(seed)
    held = [replace(session) for session in sessions]
    for _ in range(times):
        here = draw.randrange(len(held))
        others = [at for at, session in enumerate(held) if session.block == held[here].block and at != here]
        if not others or not held[here].students:
            continue
        there, student = draw.choice(others), draw.choice(held[here].students)
        held[here] = replace(held[here], students=tuple(s for s in held[here].students if s != student))
        held[there] = replace(held[there], students=tuple(sorted((*held[there].students, student))))
    return tuple(held)


def test_a_plan_that_keeps_every_rule_is_left_alone(team, sessions):
    repair = repair_plan(team, sessions)

    assert repair.sessions is sessions
    assert (repair.moved, repair.at_least, repair.fixes) == (0, 0, ())


def test_two_who_are_to_be_kept_apart_part_by_one_move(team, sessions, swap):
    apart = replace(team, keep_apart=(("a", "d"),), sizes=(SizeBound(SessionType.SMALL_GROUP, 3, 8),))
    joined = swap(swap(sessions, "g1", students=("a", "b", "c", "d", "e")), "o1", students=("f",))

    repair = repair_plan(apart, joined)

    assert [violation.rule for violation in repair.fixes] == ["keep_apart"]
    assert [move.student for move in repair.moves] == ["d"]  # who needs fractions less
    assert {session.id for session in repair.sessions} == {session.id for session in sessions}


def test_an_emptied_session_goes_and_nobody_moves(team, sessions, swap):
    emptied = swap(swap(sessions, "g1", students=()), "o1", students=tuple("abcdef"))

    repair = repair_plan(team, emptied)

    assert [violation.rule for violation in repair.fixes] == ["form"]
    assert repair.moved == 0
    assert {session.id for session in repair.sessions} == {"o1", "g2", "o2"}


def test_seats_that_cannot_stay_are_counted_and_no_others_move(team, sessions, swap):
    """The only lead of the group is ill in the first block."""
    ill = replace(team, adults=swap(team.adults, "lead", blocks=frozenset({"m2"})))

    repair = repair_plan(ill, sessions)

    assert (repair.moved, repair.at_least) == (3, 3)
    assert {(move.student, move.block) for move in repair.moves} == {(name, "m1") for name in "abc"}


def test_a_student_without_a_seat_gets_one_and_nobody_moves(team, sessions, swap):
    forgotten = swap(sessions, "o1", students=("d", "e"))

    repair = repair_plan(team, forgotten)

    assert [(move.student, move.before) for move in repair.moves] == [("f", None)]
    assert repair.moved == 0


def test_a_day_without_a_plan_has_no_repair(team, sessions):
    with pytest.raises(InfeasibleError):
        repair_plan(replace(team, students_per_monitor=1, sizes=()), sessions)


def test_an_unknown_adult_is_named(team, sessions, swap):
    with pytest.raises(ProblemError, match=r"sessions\[0\]\.adults\[0\]: 'nobody'"):
        repair_plan(team, swap(sessions, "g1", adults=("nobody",)))


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), rooms=st.booleans(), pins=st.integers(0, 2), times=st.integers(1, 6))
def test_a_repair_keeps_every_rule_and_moves_no_more_than_a_plan_anew(seed, rooms, pins, times):
    problem = draw_edge_case(seed, students=14, rooms=rooms, pins=pins, ratio=30)
    try:
        anew = suggest_groups(problem, QUICK).sessions
    except InfeasibleError:
        assume(False)
    edited = edit(anew, seed, times)

    repair = repair_plan(problem, edited, QUICK)

    assert find_violations(problem, repair.sessions) == ()
    assert repair.at_least <= repair.moved <= count_moved(find_moves(problem, edited, anew))
    assert repair.moved == count_moved(repair.moves)
    near = replace(problem, previous=previous_seats(problem, edited))
    changed = next(term.value for term in score_plan(near, repair.sessions).terms if term.name == "perturbation")
    assert repair.moved == changed
    assert repair == repair_plan(problem, edited, QUICK)


def fewest_moves(problem, edited):
    """Moves of the nearest plan of one block, among all that keep the rules."""
    students = [student.id for student in problem.students if student.blocks]
    acts = [
        [None, *product(sorted(adult.session_types - {SessionType.ONLINE}), (skill.id for skill in problem.skills))]
        for adult in problem.adults
    ]
    fewest = None
    for chosen in product(*acts):
        led = [(adult.id, *act) for adult, act in zip(problem.adults, chosen, strict=True) if act and adult.blocks]
        free = [a.id for a, act in zip(problem.adults, chosen, strict=True) if not act and a.blocks]
        watch = tuple(
            a for a in free if SessionType.ONLINE in next(x for x in problem.adults if x.id == a).session_types
        )
        for places in product(range(len(led) + 1), repeat=len(students)):
            groups = [tuple(s for s, at in zip(students, places, strict=True) if at == n) for n in range(len(led) + 1)]
            if not all(groups[:-1]):
                continue
            plan = [
                Session(f"g{at}", "b0", kind, skill, (adult,), None, groups[at])
                for at, (adult, kind, skill) in enumerate(led)
            ]
            for staff in ((watch,), *((alone,) for alone in zip(watch))) if groups[-1] else ((),):
                online = [
                    Session("o", "b0", SessionType.ONLINE, None, monitors, None, groups[-1]) for monitors in staff
                ]
                moved = count_moved(find_moves(problem, edited, (*plan, *online)))
                if (fewest is None or moved < fewest) and not find_violations(problem, (*plan, *online)):
                    fewest = moved
    return fewest


@pytest.mark.parametrize("seed", range(8))
def test_a_tiny_day_is_repaired_by_the_fewest_moves_of_all_plans(seed):
    sizes = (SizeBound(ADULT_LED[0], 2, 3), SizeBound(ADULT_LED[1], 1, 1))
    problem = draw_edge_case(seed, students=5, adults=2, blocks=1, skills=2, rooms=False, ratio=30, sizes=sizes)
    try:
        edited = edit(suggest_groups(problem, QUICK).sessions, seed, 3)
    except InfeasibleError:
        pytest.skip("no adult to supervise anybody")

    repair = repair_plan(problem, edited, QUICK)

    assert repair.moved == fewest_moves(problem, edited)


def test_a_pinned_student_whose_session_is_gone_is_seated_again():
    """Of the day beside the format, where Cleo is pinned to the tutor, one seat is left, which the repair keeps."""
    day = read_instance(Path(formats.__file__).with_name("day.example.json").read_text(encoding="utf-8"))
    left = (Session("a", "m1", SessionType.SMALL_GROUP, "fractions", ("lead",), None, ("Ada",)),)

    repair = repair_plan(day, left)

    assert [pin.student for pin in day.pins] == ["Cleo"]
    assert find_violations(day, repair.sessions) == ()
