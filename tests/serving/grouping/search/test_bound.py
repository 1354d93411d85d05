"""The bound of hand-made days whose best plan is obvious."""

import time
from dataclasses import replace

import numpy as np
import pytest

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.errors import InfeasibleError
from serving.grouping.problem.people import Adult, Need, Purpose, Student
from serving.grouping.problem.places import Block, Skill
from serving.grouping.problem.policy import Effect, Role, SessionType, SizeBound, SizeCurve, Weights
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


def draw_crowd(students, adults, ratio, curve=None, **weights):
    """So many students who all need one skill, in groups of one to four."""
    names, block, kind = [f"s{at:02}" for at in range(students)], frozenset({"b"}), SessionType.SMALL_GROUP
    return replace(
        draw(dict.fromkeys(names, "k1")),
        adults=tuple(Adult(f"t{at}", Role.TEACHER_LEADER, block, frozenset(SessionType)) for at in range(adults)),
        sizes=(SizeBound(kind, 1, 4),),
        students_per_monitor=ratio,
        size_curve=curve or SizeCurve(),
        weights=Weights(relationships=0.0, load=0.0, **weights),
    )


def test_adults_monitor_in_whole_numbers():
    """Two groups of four leave 12 online, for whom the third adult and a fifth of another would do."""
    plan = suggest_groups(draw_crowd(20, 3, 10))

    assert sum(session.led for session in plan.sessions) == 1
    assert plan.bound == pytest.approx(plan.score.total, abs=0.01)


def test_the_bound_knows_what_a_group_of_each_size_is_worth():
    """So crowded a group of one is worth most."""
    plan = suggest_groups(draw_crowd(14, 2, 14, SizeCurve(1, 2.0), coverage=0.0))

    assert [len(session.students) for session in plan.sessions if session.led] == [1]
    assert plan.bound == pytest.approx(plan.score.total, abs=0.01)


def test_a_pair_to_keep_together_that_shares_no_skill_promises_nothing():
    day = draw({"p": "k1", "q": "k1", "r": "k2", "s": "k2"})
    near, far = (
        build_data(replace(day, keep_together=(pair,), weights=Weights(keep_together=5.0))).arrays
        for pair in (("p", "q"), ("p", "r"))
    )

    assert bound_day(far, 0.0, 300) < 2.5
    assert bound_day(near, 0.0, 300) > 5.0


@pytest.mark.parametrize("seed", range(10))
def test_no_plan_of_a_day_with_everything_exceeds_its_bound(seed):
    problem = draw_everything(seed)
    try:
        scores = [
            suggest_groups(problem, Budget(rounds=rounds, seed=rounds, bound_rounds=0)).score.total
            for rounds in (3, 60, 400)
        ]
    except InfeasibleError:
        return
    arrays = build_data(problem).arrays

    for rounds, exact in ((1, 0), (60, 0), (20, 6)):
        assert bound_day(arrays, min(scores), rounds, exact) >= max(scores) - 1e-9


def draw_everything(seed):
    """A small day with all that the bound prices: urgent needs, time due, crowding, pairs, aims and exclusions."""
    rng = np.random.default_rng(seed)
    problem = draw_edge_case(seed, students=14, adults=4, blocks=3, skills=4, rooms=False, ratio=6, more=True)
    aims = list(Purpose)
    return replace(
        problem,
        needs=tuple(
            replace(need, urgent=float(rng.random() < 0.3), purpose=aims[rng.integers(len(aims))])
            for need in problem.needs
        ),
        students=tuple(
            replace(student, adult_time_due=bool(rng.random() < 0.4), group_time_due=bool(rng.random() < 0.4))
            for student in problem.students
        ),
        adult_exclusions=tuple((f"s{at:02}", "t0") for at in range(0, 14, 5)),
        size_curve=SizeCurve(int(rng.integers(1, 4)), float(rng.random())),
        weights=Weights(keep_together=1.0, repeat_groupmates=0.1),
        most_social_cost=1.0,
    )


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
