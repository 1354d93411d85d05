"""Need comes first: what is social costs no more of it than the problem says."""

import random
from dataclasses import replace

import pytest

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.changes.difference import previous_seats
from serving.grouping.errors import InfeasibleError
from serving.grouping.problem.plan import SOCIAL_TERMS
from serving.grouping.problem.policy import Weights
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import TERMS, score_plan
from serving.grouping.search import starts
from serving.grouping.search.anneal import Budget
from serving.grouping.search.bound import online_score
from serving.grouping.search.starts import scale_social, search_starts
from serving.grouping.solve import suggest_groups
from serving.grouping.state.arrays import build_data


def draw_social(seed):
    """A team that would give up most of the need met for meetings, if it might."""
    return replace(draw_day(24, seed), weights=Weights(relationships=0.5, repeat_groupmates=0.1))


def test_social_terms_are_terms():
    assert {term.__name__ for term in TERMS} > SOCIAL_TERMS


@pytest.mark.parametrize("cost", [0.0, 0.05, 0.3])
def test_what_is_social_costs_at_most_the_share_allowed(cost):
    plan = suggest_groups(replace(draw_social(3), most_social_cost=cost), Budget(rounds=600))

    assert plan.need_gain >= (1 - cost) * plan.most_need_gain - 1e-6
    assert plan.score.need_points == pytest.approx(
        sum(term.points for term in plan.score.terms if term.name not in SOCIAL_TERMS)
    )


def test_a_smaller_cost_meets_more_need_and_a_greater_one_scores_more():
    strict, free = (
        suggest_groups(replace(draw_social(3), most_social_cost=cost), Budget(rounds=1500)) for cost in (0.02, 0.5)
    )

    assert strict.need_gain > free.need_gain
    assert free.score.total > strict.score.total


def test_the_need_alone_is_what_a_plan_without_social_weights_scores():
    problem = draw_social(5)
    none = replace(problem, weights=Weights(relationships=0.0, repeat_groupmates=0.0, load=0.0, share=0.0))
    found = search_starts(build_data(problem), Budget(rounds=300))
    arrays = scale_social(build_data(problem), 0.0)

    assert not arrays.weights[[1, 4, 5]].any()
    assert arrays.has_pairs == build_data(none).arrays.has_pairs
    gain = score_plan(none, found.sessions).total - online_score(arrays)
    assert found.least_need - 1e-6 <= gain <= found.most_need + 1e-6


@pytest.mark.parametrize("seed", range(8))
def test_equal_problems_and_rounds_give_equal_plans(seed):
    problem = draw_edge_case(seed, students=20, adults=5, blocks=3, skills=4, rooms=False, ratio=30, more=True)
    try:
        first, second = (search_starts(build_data(problem), Budget(rounds=90, seed=seed)) for _ in range(2))
    except InfeasibleError:
        return

    assert first == second
    assert find_violations(problem, first.sessions) == ()


def test_the_searches_share_all_rounds(monkeypatch):
    rounds, search = [], starts.search_day

    def spy(data, budget, *args, **kwargs):
        rounds.append(budget.rounds)
        return search(data, budget, *args, **kwargs)

    monkeypatch.setattr(starts, "search_day", spy)
    for total in (1, 2, 7, 100):
        rounds.clear()
        search_starts(build_data(draw_day(24, 1)), Budget(rounds=total))
        assert sum(rounds) == total


def test_in_hardly_any_time_there_is_a_plan_of_the_first_search():
    problem = draw_day(60, 1)
    search_starts(build_data(problem), Budget(rounds=3))

    found = search_starts(build_data(problem), Budget(seconds=1e-6))

    assert found.cut
    assert find_violations(problem, found.sessions) == ()


@pytest.mark.parametrize("seed", range(4))
def test_from_an_earlier_plan_no_seat_is_moved_that_does_not_gain_its_price(seed):
    """The needs have changed since; however short the search, the plan is worth as much as keeping the seats."""
    first = suggest_groups(draw_day(60, seed), Budget(rounds=300, bound_rounds=0))
    problem, draw = draw_day(60, seed), random.Random(seed)
    later = replace(
        problem,
        needs=tuple(replace(need, need=min(1.0, need.need * draw.uniform(0.7, 1.3))) for need in problem.needs),
        previous=previous_seats(problem, first.sessions),
        weights=replace(problem.weights, perturbation=0.05),
    )

    plan = suggest_groups(later, Budget(rounds=30, bound_rounds=0))

    assert plan.score.total >= score_plan(later, first.sessions).total
