"""The compiled search says the same as the functions that people read, and finds what is there to be found."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations

import numba as nb
import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from experiments.benchmarks.planner.instances.team import draw_day as draw_team
from serving.grouping.errors import InfeasibleError
from serving.grouping.problem.people import Coaching, GroupmateCount
from serving.grouping.problem.policy import Weights
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search import bound, kernel
from serving.grouping.search.anneal import Budget, search_day
from serving.grouping.search.kernel import (
    NOT_LED,
    _swap_into_session,
    construct_day,
    copy_seats,
    empty_seats,
    improve_day,
    new_workspace,
    open_session,
    score_seats,
)
from serving.grouping.solve import suggest_groups, warm_up
from serving.grouping.state.arrays import build_data


def seats_of(arrays, draft):
    seats = empty_seats(arrays)
    for slot, students in draft.groups.items():
        open_session(arrays, seats, slot.block, slot.adult, slot.session_type, slot.skill, np.array(students))
    seats.co_teacher[:] = draft.co_teacher.T
    return seats


def draw_seats(problem, seed):
    """A day drawn once and not improved: arrays, seats, workspace, rng and score."""
    arrays = build_data(problem).arrays
    seats, workspace, rng = empty_seats(arrays), new_workspace(arrays), np.array([seed], np.uint64)
    return arrays, seats, workspace, rng, construct_day(arrays, seats, rng, workspace)


def score_anew(arrays, seats, workspace):
    """The score with nothing kept of when it was last scored."""
    workspace.touched[:] = True
    return score_seats(arrays, copy_seats(seats), workspace)


def draw_close_team(seed):
    """A team in which many pairs gain, lose or may not sit together, with urgent needs and students due for adults."""
    problem = draw_team(24, seed)
    pairs = list(combinations([student.id for student in problem.students], 2))
    np.random.default_rng(seed).shuffle(pairs)
    pairs = [(str(one), str(other)) for one, other in pairs]
    return replace(
        problem,
        keep_together=tuple(pairs[:60]),
        keep_apart=tuple(pairs[60:80]),
        recent_groupmates=tuple(GroupmateCount(one, other, 3) for one, other in pairs[80:200]),
        needs=tuple(replace(need, urgent=float(at % 5 == 0)) for at, need in enumerate(problem.needs)),
        students=tuple(replace(student, adult_time_due=at % 4 == 0) for at, student in enumerate(problem.students)),
        weights=Weights(keep_together=0.3, repeat_groupmates=0.1),
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_day_scores_the_same_as_seats_and_as_sessions(seed):
    problem = draw_edge_case(
        seed, students=20, adults=5, blocks=3, skills=4, rooms=seed % 2 == 0, pins=seed % 2, ratio=30, more=seed % 3 > 0
    )
    data = build_data(problem)
    try:
        draft, _ = search_day(data, Budget(rounds=30, seed=seed))
    except InfeasibleError:
        pytest.skip("this day has no plan")

    sessions = draft.finish()

    arrays = data.arrays
    workspace = new_workspace(arrays)
    workspace.touched[:] = True
    assert find_violations(problem, sessions) == ()
    assert score_seats(arrays, seats_of(arrays, draft), workspace) == pytest.approx(score_plan(problem, sessions).total)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_search_believes_in_no_score_that_its_day_does_not_have(seed):
    """A move that redraws a block and does not say so shows in one round of about two thousand."""
    arrays, seats, workspace, rng, value = draw_seats(draw_team(24, seed), seed)
    best, candidate, values = copy_seats(seats), copy_seats(seats), np.array([value, value])

    for _ in range(5000):
        improve_day(arrays, seats, best, candidate, values, rng, workspace, 1, 0.2)

        assert score_anew(arrays, seats, workspace) == pytest.approx(values[0])
    assert score_anew(arrays, best, workspace) == pytest.approx(values[1])


@pytest.mark.parametrize("seed", [8, 48])
def test_students_who_change_places_add_points_and_keep_every_rule(seed):
    arrays, seats, workspace, _, value = draw_seats(draw_close_team(seed), seed)
    swap_into_session = nb.njit(cache=True, error_model="numpy")(_swap_into_session.py_func)
    sizes = seats.size.copy()

    for block, adult in np.argwhere(seats.kind != NOT_LED):
        swap_into_session(arrays, seats, block, adult, workspace)

        after = score_anew(arrays, seats, workspace)
        assert after >= value - 1e-9
        value = after
    assert (seats.size == sizes).all()


def test_the_search_finds_all_coaching_that_is_worth_more_than_anything_else():
    problem = draw_team(24, seed=3)
    lead, other, _ = (adult.id for adult in problem.adults)
    asked = replace(
        problem, coaching=(Coaching(lead, other, 2),), weights=Weights(coaching=20.0), most_social_cost=1.0, pins=()
    )

    plan = suggest_groups(asked, Budget(rounds=200))

    assert sum({lead, other} <= set(session.adults) for session in plan.sessions if session.led) == 2


def test_more_rounds_never_score_less():
    problem = draw_team(60, seed=3)

    totals = [suggest_groups(problem, Budget(rounds=rounds)).score.total for rounds in (0, 300)]

    assert totals[0] < totals[1]


def test_a_plan_that_the_clock_cut_says_so():
    problem = draw_team(24, seed=3)

    assert suggest_groups(problem, Budget(seconds=0.05)).cut_by_clock
    assert not suggest_groups(problem, Budget(rounds=5)).cut_by_clock


@pytest.mark.long
def test_another_process_finds_the_same_plan():
    program = (
        "from experiments.benchmarks.planner.instances.team import draw_day;"
        "from serving.grouping.solve import suggest_groups;"
        "from serving.grouping.search.anneal import Budget;"
        "print(suggest_groups(draw_day(60, seed=5), Budget(rounds=100, seed=2)).sessions)"
    )
    here = suggest_groups(draw_team(60, seed=5), Budget(rounds=100, seed=2)).sessions

    there = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout

    assert there.rstrip() == str(here)


@pytest.mark.long
def test_a_new_process_reads_machine_code_that_every_problem_shares():
    program = """
from numba.core.dispatcher import Dispatcher
from experiments.benchmarks.planner.instances.team import draw_day
from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from serving.grouping.search import anneal, bound, kernel
from serving.grouping.solve import suggest_groups, warm_up

warm_up()
for problem in (draw_day(24, seed=1), draw_edge_case(1, ratio=30), draw_edge_case(2, rooms=False, ratio=30)):
    suggest_groups(problem, anneal.Budget(rounds=2, bound_rounds=2))
functions = [part for module in (kernel, bound) for part in vars(module).values() if isinstance(part, Dispatcher)]
print(sum(len(part.signatures) for part in functions), sum(part.stats.cache_misses.total() for part in functions))
"""
    warm_up()  # whatever was not compiled yet

    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout

    assert output == "9 0\n"  # each function that Python calls, once


def test_problems_of_all_kinds_share_machine_code():
    """Whatever a day has, nothing is compiled for it after `warm_up`."""
    functions = [part for module in (kernel, bound) for part in vars(module).values() if isinstance(part, Dispatcher)]
    warm_up()
    before = [part.signatures for part in functions]

    for problem in (draw_team(24, seed=1), draw_edge_case(1, ratio=30), draw_edge_case(2, rooms=False, ratio=30)):
        suggest_groups(problem, Budget(rounds=2, bound_rounds=2))

    assert sum(len(signatures) for signatures in before) >= 9
    assert [part.signatures for part in functions] == before


@pytest.mark.long
def test_every_compiled_function_has_one_signature(tmp_path):
    """In a cache of its own, since functions that only compiled code calls have no signature where it is read."""
    program = """
from numba.core.dispatcher import Dispatcher
from serving.grouping.search import bound, kernel
from serving.grouping.solve import warm_up

warm_up()
for module in (kernel, bound):
    for name, function in vars(module).items():
        if isinstance(function, Dispatcher) and function.targetoptions.get("inline") != "always":
            print(module.__name__, name, len(function.signatures))
"""
    cache = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator", "NUMBA_CACHE_DIR": str(tmp_path)}

    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, env={**os.environ, **cache}
    ).stdout

    functions = [line.split() for line in output.splitlines()]
    assert len(functions) > 40
    assert [function for function in functions if function[2] != "1"] == []


def test_a_term_of_no_weight_moves_nothing():
    problem = draw_team(24, seed=4)
    free = replace(problem, weights=Weights(repeat_groupmates=0.0, share=0.0, load=0.0))
    bare = replace(free, recent_groupmates=(), students=tuple(replace(s, subgroup=None) for s in problem.students))

    plans = [suggest_groups(day, Budget(rounds=50)) for day in (free, bare)]

    assert plans[0].sessions == plans[1].sessions
