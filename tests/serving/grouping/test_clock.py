"""With a clock every day is answered in time: planned, or refused with what is known by then."""

import time

import pytest

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from serving.grouping.errors import InfeasibleError
from serving.grouping.infeasible.diagnosis import explain_conflict
from serving.grouping.infeasible.minimal_set import FeasibilityOracle, Verdict
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


@pytest.mark.parametrize(("seed", "skills"), [(72, 20), (79, 12)])
def test_a_crowded_day_that_exact_programs_take_long_for_is_planned_in_time(seed, skills):
    problem = draw_crowded(seed, skills)
    warm_up()
    began = time.perf_counter()

    plan = suggest_groups(problem, Budget(seconds=1.0))

    assert time.perf_counter() - began < 1.0 + LATE
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
