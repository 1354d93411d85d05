"""The baseline policies of a school without a planner."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.benchmarks.planner.baselines import BASELINES, LARGEST, plan_baseline
from experiments.benchmarks.planner.instances.team import Size, draw_day
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.state.arrays import build_data


@pytest.mark.parametrize("name", BASELINES)
def test_every_student_is_in_one_group_of_at_most_eight(name):
    data = build_data(draw_day(60, seed=1))

    groups = BASELINES[name](data, np.random.default_rng(1))

    assert sorted(np.concatenate(groups).tolist()) == list(range(60))
    assert max(map(len, groups)) <= LARGEST


@pytest.mark.parametrize("name", BASELINES)
def test_the_baseline_policies_keep_every_rule(name):
    problem = replace(draw_day(60, seed=1), pins=())

    assert find_violations(problem, plan_baseline(problem, name, seed=1)) == ()


@pytest.mark.parametrize("name", BASELINES)
def test_whoever_may_supervise_does_so_where_adults_are_few(name):
    """65 students, the leader away in a block: two supervise sixty, and the trainee teaches the others."""
    problem = replace(draw_day(Size(66, 4, 2), seed=1), pins=())
    leader, block = problem.adults[0], problem.blocks[-1].id
    problem = replace(problem, adults=(replace(leader, blocks=leader.blocks - {block}), *problem.adults[1:]))

    sessions = plan_baseline(problem, name, seed=1)

    assert find_violations(problem, sessions) == ()
    assert [session.adults for session in sessions if session.block == block and session.led] == [("a03",)]


def test_like_needs_meet_more_than_chance():
    met = dict.fromkeys(BASELINES, 0.0)
    for seed in range(5):
        problem = replace(draw_day(60, seed), pins=())
        for name in BASELINES:
            met[name] += score_plan(problem, plan_baseline(problem, name, seed)).terms[0].value

    assert met["clusters"] > met["random"]
