"""The bound of hand-made days whose best plan is obvious."""

import time

import pytest

from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.problem.people import Adult, Need, Student
from serving.grouping.problem.places import Block, Skill
from serving.grouping.problem.policy import Effect, Role, SessionType, SizeBound
from serving.grouping.problem.problem import Problem
from serving.grouping.search.anneal import Budget
from serving.grouping.search.bound import bound_day
from serving.grouping.solve import suggest_groups
from serving.grouping.state.arrays import build_data

ALONE = {"p": "k1", "q": "k1", "r": "k2", "s": "k3"}
TOGETHER = {"p": "k1", "q": "k1", "r": "k2", "s": "k2"}


def draw(needs):
    block, kind = frozenset({"b"}), SessionType.SMALL_GROUP
    return Problem(
        blocks=(Block("b", "09:00-09:45", 0),),
        students=tuple(Student(name, block) for name in needs),
        adults=tuple(Adult(name, Role.TEACHER_LEADER, block, frozenset(SessionType)) for name in "xy"),
        skills=tuple(Skill(name, name) for name in sorted(set(needs.values()))),
        effects=(Effect(kind, Role.TEACHER_LEADER, 0.5),),
        needs=tuple(Need(name, skill, 0.5) for name, skill in needs.items()),
        sizes=(SizeBound(kind, 1, 3),),
    )


@pytest.mark.parametrize("needs", [ALONE, TOGETHER])
def test_all_adults_lead_only_where_their_skills_suit_everybody(needs):
    plan = suggest_groups(draw(needs))

    assert sum(session.led for session in plan.sessions) == (1 if needs is ALONE else 2)
    assert plan.bound == pytest.approx(plan.score.total, abs=0.02)


def test_a_bound_that_the_clock_cuts_is_a_bound_all_the_same():
    problem = draw_day(24, seed=3)
    plan = suggest_groups(problem, Budget(rounds=300))
    arrays = build_data(problem).arrays

    at_once = bound_day(arrays, plan.score.total, 200, until=time.perf_counter())
    soon = bound_day(arrays, plan.score.total, 200, until=time.perf_counter() + 3600)
    in_full = bound_day(arrays, plan.score.total, 200)

    assert at_once > soon > plan.score.total
    assert soon == pytest.approx(in_full)


def test_a_plan_that_misses_the_bound_by_rounding_alone_is_optimal():
    arrays = build_data(draw(TOGETHER)).arrays
    bound = bound_day(arrays, 0.0, 1)
    value = bound - 1e-10 * abs(bound)

    assert bound_day(arrays, value, 1) == value < bound
