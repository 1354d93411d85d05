"""The whole-day program as an independent verifier."""

from dataclasses import replace

import pytest

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from experiments.benchmarks.planner.instances.team import Size, draw_day
from experiments.benchmarks.planner.verify.optimum import prove_optimum
from features.errors import InputError
from serving.grouping.errors import InfeasibleError
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

SEARCH = Budget(rounds=2000, bound_rounds=50)


@pytest.mark.parametrize("seed", range(10))
def test_the_search_finds_what_is_proven_best_on_edge_cases(seed):
    """Without the price of uneven loads: for it a needless monitor pays, which the planner never posts."""
    problem = draw_edge_case(seed, students=6, adults=3, blocks=1 + seed % 2, skills=2, rooms=seed % 3 > 0)
    problem = replace(problem, weights=replace(problem.weights, load=0.0))

    optimum = prove_optimum(problem, 20)

    assert optimum.proven
    try:
        plan = suggest_groups(problem, SEARCH)
    except InfeasibleError:
        assert not optimum.sessions
        return
    assert plan.bound >= optimum.value - 1e-6
    assert plan.score.total == pytest.approx(optimum.value, abs=1e-6)


def test_the_program_counts_loads_shares_pins_and_tables_as_the_checker_and_the_score_do():
    """The value of its own solution is compared within `prove_optimum`, and the rules are checked there."""
    problem = draw_edge_case(8, students=9, adults=3, blocks=2, skills=2, pins=1)

    optimum = prove_optimum(problem, 20)

    assert optimum.proven
    assert optimum.sessions
    assert optimum.value >= suggest_groups(problem, SEARCH).score.total - 1e-6
    assert optimum.bound == pytest.approx(optimum.value, abs=1e-5)


@pytest.mark.parametrize("seed", range(5, 10))
def test_what_is_owed_and_caught_up_on_is_counted_as_the_checker_and_the_score_do(seed):
    problem = draw_edge_case(seed, students=6, adults=3, blocks=1 + seed % 2, skills=2, rooms=seed % 3 > 0, more=True)
    problem = replace(problem, coaching=())

    optimum = prove_optimum(problem, 20)
    plan = suggest_groups(problem, SEARCH)

    assert optimum.proven
    assert plan.score.total - 1e-6 <= optimum.value <= plan.bound + 1e-6


@pytest.mark.parametrize("seed", range(6, 10))
def test_the_search_finds_what_is_proven_best_with_owed_seats_and_catching_up(seed):
    """Seed 5 it does not: three of its sessions would have to change at once."""
    problem = draw_edge_case(seed, students=6, adults=3, blocks=1 + seed % 2, skills=2, rooms=seed % 3 > 0, more=True)
    problem = replace(problem, coaching=(), weights=replace(problem.weights, load=0.0))

    optimum = prove_optimum(problem, 20)

    assert optimum.proven
    assert suggest_groups(problem, SEARCH).score.total == pytest.approx(optimum.value, abs=1e-6)


def test_a_day_with_coaching_is_refused():
    problem = draw_edge_case(9, students=6, adults=3, skills=2, more=True)

    with pytest.raises(InputError, match="coaching puts two adults"):
        prove_optimum(problem, 20)


def test_a_value_that_no_plan_reaches_leaves_nothing():
    problem = draw_day(Size(6, 2, 1, 2), seed=1)
    best = prove_optimum(problem, 20)

    assert prove_optimum(problem, 20, best.value).value == pytest.approx(best.value)
    assert prove_optimum(problem, 20, best.value + 0.1).sessions == ()
