"""With a clock every day is answered in time: planned, or refused with what is known by then."""

import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.changes.alternatives import find_alternatives
from serving.grouping.changes.evaluation import evaluate_edit
from serving.grouping.changes.repair import QUICK, repair_plan
from serving.grouping.changes.seat_options import rank_seat_options
from serving.grouping.changes.why_not import FEW, ask_why_not
from serving.grouping.errors import InfeasibleError
from serving.grouping.infeasible.counting import MOST, find_conflicts
from serving.grouping.infeasible.diagnosis import explain_conflict
from serving.grouping.infeasible.minimal_set import FeasibilityOracle, Verdict
from serving.grouping.problem.places import Pin
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import SessionType
from serving.grouping.rules.check import find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.search.greedy import construct_plan
from serving.grouping.solve import suggest_groups, warm_up
from serving.grouping.state.arrays import build_data

LATE = 2.0
"""Seconds that a loaded machine may take beside the clock of a request."""


def draw_crowded(seed, skills):
    """60 students in 7 blocks, of whom one adult may monitor 10: in some blocks two have to begin to lead at once."""
    return draw_edge_case(
        seed, students=60, adults=6, blocks=7, skills=skills, rooms=False, ratio=10, more=seed % 2 == 1
    )


@pytest.mark.long
@pytest.mark.parametrize(("seed", "skills"), [(72, 20), (79, 12)])
def test_a_crowded_day_that_exact_programs_take_long_for_is_planned_in_time(seed, skills):
    """A second is enough on an idle machine; a loaded one may take some more, and says so in time."""
    problem = draw_crowded(seed, skills)
    warm_up()
    plan = None
    for seconds in (1.0, 2.0, 4.0, 8.0):
        began = time.perf_counter()
        with suppress(InfeasibleError):
            plan = suggest_groups(problem, Budget(seconds=seconds))
        assert time.perf_counter() - began < seconds + LATE
        if plan is not None:
            break

    assert plan is not None
    assert find_violations(problem, plan.sessions) == ()


@pytest.mark.parametrize("seconds", [0.05, 1.0])
def test_a_day_that_is_hard_to_refuse_is_refused_and_explained_in_time(seconds):
    """Whether the day has a plan takes exact programs most of a minute."""
    problem = draw_crowded(3, 12)
    warm_up()
    began = time.perf_counter()

    with pytest.raises(InfeasibleError) as caught:
        suggest_groups(problem, Budget(seconds=seconds))
    diagnosis = explain_conflict(problem, caught.value.conflicts, until=began + seconds)

    assert time.perf_counter() - began < seconds + LATE
    assert not caught.value.proven
    assert caught.value.sentence.endswith("; some may exist.")
    assert diagnosis.verdict is not Verdict.FEASIBLE
    assert not diagnosis.minimal


def test_nothing_is_said_of_a_day_once_the_clock_has_ended(team):
    oracle = FeasibilityOracle(until=time.perf_counter())

    assert FeasibilityOracle().judge(team) is Verdict.FEASIBLE
    assert oracle.judge(team) is Verdict.UNKNOWN
    assert not oracle.is_enough(team, ())


def test_a_crowded_day_is_constructed_the_same_way_each_time():
    data = build_data(draw_crowded(79, 12))

    first, second = (construct_plan(data, data.arrays) for _ in range(2))

    assert first.groups == second.groups
    assert all(first.violated_rule(block) is None for block in range(7))


@pytest.fixture(scope="module")
def planned():
    """A day of 60 students with its sessions."""
    problem = draw_day(60, 1)
    return problem, suggest_groups(problem, Budget(rounds=200, bound_rounds=0)).sessions


def draw_edit(problem, sessions, count, students, seed=1):
    """So many sessions of students, adults and skills at random."""
    rng = np.random.default_rng(seed)

    def pick(parts, size=None):
        return rng.choice([part.id for part in parts], size, replace=False)

    names = [tuple(sorted(pick(problem.students, students).tolist())) for _ in range(count)]
    return tuple(
        Session(
            id=f"edited-{at}",
            block=str(pick(problem.blocks)),
            session_type=SessionType.SMALL_GROUP,
            skill=str(pick(problem.skills)),
            adults=(str(pick(problem.adults)),),
            room=sessions[0].room,
            students=students,
        )
        for at, students in enumerate(names)
    )


def pin_at_random(problem, count):
    rng = np.random.default_rng(1)
    students, blocks, skills = (
        [part.id for part in parts] for parts in (problem.students, problem.blocks, problem.skills)
    )
    pins = (
        Pin(str(rng.choice(students)), str(rng.choice(blocks)), skill=str(rng.choice(skills))) for _ in range(count)
    )
    return replace(problem, pins=tuple(dict.fromkeys(pins)))


def test_a_thousand_fixed_assignments_are_refused_and_explained_in_time(planned):
    problem = pin_at_random(planned[0], 1000)
    began = time.process_time()

    conflicts = find_conflicts(problem)
    diagnosis = explain_conflict(problem, conflicts, until=time.perf_counter() + 0.2)

    assert time.process_time() - began < 0.2 + LATE
    assert len(conflicts) == MOST
    assert diagnosis.proven


OPERATIONS = {
    "evaluation": lambda problem, sessions, edited, now: evaluate_edit(problem, edited, sessions, now).cut_by_clock,
    "seat options": lambda problem, sessions, _, now: (
        rank_seat_options(problem, sessions, problem.students[0].id, until=now).cut_by_clock
    ),
    "why not": lambda problem, sessions, _, now: ask_why_not(
        problem, sessions, Pin(problem.students[0].id, problem.blocks[0].id), replace(FEW, deadline=now)
    ),
    "repair": lambda problem, _, edited, now: repair_plan(problem, edited, replace(QUICK, deadline=now)).cut_by_clock,
    "alternatives": lambda problem, _sessions, _edited, now: (
        not find_alternatives(problem, 3, Budget(deadline=now)).others
    ),
    "plan": lambda problem, _sessions, _edited, now: suggest_groups(problem, Budget(deadline=now)).cut_by_clock,
}
"""Everything that a caller waits for, and whether it says that the time ran out."""


@pytest.mark.parametrize("name", OPERATIONS)
def test_once_the_time_is_over_nothing_begins_that_takes_long(planned, name):
    """A plan of fifteen random sessions took 29 s to evaluate and repair, one of 200 sessions of everybody 80 s."""
    problem, sessions = planned
    edited = draw_edit(problem, sessions, 200, 60) if name == "evaluation" else draw_edit(problem, sessions, 15, 30)
    began = time.process_time()

    with suppress(InfeasibleError):  # none was found by then
        assert OPERATIONS[name](problem, sessions, edited, time.perf_counter())

    assert time.process_time() - began < LATE


def test_a_deadline_that_does_not_come_changes_nothing(planned):
    problem, sessions = planned
    far = time.perf_counter() + 3600
    moved = (replace(sessions[0], students=sessions[0].students[1:]), *sessions[1:])
    pin = Pin(problem.students[0].id, problem.blocks[0].id)
    few = Budget(rounds=100, bound_rounds=5)

    assert suggest_groups(problem, replace(few, deadline=far)) == suggest_groups(problem, few)
    assert repair_plan(problem, moved, replace(few, deadline=far)) == repair_plan(problem, moved, few)
    assert ask_why_not(problem, sessions, pin, replace(few, deadline=far)) == ask_why_not(problem, sessions, pin, few)
