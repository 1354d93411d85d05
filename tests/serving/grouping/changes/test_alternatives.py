"""Other good plans of the same day: near the best in score, apart in seats, and honestly counted."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.changes.alternatives import find_alternatives
from serving.grouping.changes.difference import find_moves
from serving.grouping.errors import InfeasibleError, ProblemError
from serving.grouping.problem.policy import SessionType, SizeBound
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget

QUICK = Budget(rounds=40, bound_rounds=2)


def require_near_and_apart(problem, found, max_score_loss, min_difference):
    plans = [found.best, *(other.plan for other in found.others)]
    seats = sum(len(student.blocks) for student in problem.students)
    value = found.best.score.total - found.best.online_score
    for plan in plans:
        assert find_violations(problem, plan.sessions) == ()
        assert plan.score == score_plan(problem, plan.sessions)
        assert found.best.score.total - plan.score.total <= max_score_loss * value + 1e-9
    for one, other in combinations(plans, 2):
        assert len(find_moves(problem, one.sessions, other.sessions)) >= min_difference * seats - 1e-9


def test_a_day_that_can_be_held_in_two_ways_gets_both(team):
    """Either group may come first, with either adult; no third plan is as different."""
    groups = replace(team, sizes=(SizeBound(SessionType.SMALL_GROUP, 3, 3),))

    found = find_alternatives(groups, 1, Budget(rounds=100), max_score_loss=0.2, min_difference=0.5)

    assert len(found.others) == 1
    assert found.sentence == "1 further plan within 20.0% of the best and different in at least 50% of all seats."
    require_near_and_apart(groups, found, 0.2, 0.5)


def test_where_there_is_no_other_plan_it_says_so(team):
    found = find_alternatives(replace(team, sizes=()), 2, QUICK)

    assert found.others == ()
    assert found.sentence.startswith("Asked for 2 further plans, found none within 5.0% of the best")


def test_a_team_of_sixty_gets_three(team):
    problem = draw_day(60, seed=1)

    found = find_alternatives(problem, 3, Budget(rounds=200, bound_rounds=2))

    assert len(found.others) == 3
    assert [other.score_loss for other in found.others] == sorted(other.score_loss for other in found.others)
    require_near_and_apart(problem, found, 0.05, 0.2)


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), pins=st.integers(0, 2), max_score_loss=st.sampled_from([0.02, 0.2]))
def test_alternatives_are_near_apart_and_the_same_each_time(seed, pins, max_score_loss):
    problem = draw_edge_case(seed, students=10, pins=pins, ratio=30)
    try:
        found = find_alternatives(problem, 2, QUICK, max_score_loss=max_score_loss)
    except InfeasibleError:
        assume(False)

    require_near_and_apart(problem, found, max_score_loss, 0.2)
    assert found == find_alternatives(problem, 2, QUICK, max_score_loss=max_score_loss)


@pytest.mark.parametrize(
    "wrong", [{"count": 0}, {"count": 1, "max_score_loss": 2.0}, {"count": 1, "min_difference": 0.0}]
)
def test_limits_out_of_range_are_named(team, wrong):
    with pytest.raises(ProblemError, match=next(reversed(wrong))):
        find_alternatives(team, wrong.pop("count"), QUICK, **wrong)
