"""Plans drawn at random: as near as asked, as likely as stored, and the same for the same seed."""

from collections import Counter

import pytest

from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping import Budget, find_alternatives, find_violations
from serving.plans.exploration import OTHERS, explore_plans

QUICK, WITHIN = Budget(rounds=60, bound_rounds=0), 0.1


@pytest.fixture(scope="module")
def problem():
    return draw_day(24, seed=3)


def test_the_plan_is_one_of_those_near_the_best(problem):
    near = find_alternatives(problem, OTHERS, QUICK, max_score_loss=WITHIN)
    losses = {near.best.sessions: 0.0} | {other.plan.sessions: other.score_loss for other in near.others}

    plan, exploration = explore_plans(problem, WITHIN, QUICK)

    assert not find_violations(problem, plan.sessions)
    assert exploration.plans == len(losses)
    assert exploration.probability == 1 / len(losses)
    assert exploration.score_loss == losses[plan.sessions] <= WITHIN
    assert explore_plans(problem, WITHIN, QUICK) == (plan, exploration)


def test_each_plan_is_drawn_about_as_often_as_its_probability_says(problem, monkeypatch):
    """Seeds change the search too, so that the search is done once here and only the draw is repeated."""
    near = find_alternatives(problem, OTHERS, QUICK, max_score_loss=WITHIN)
    monkeypatch.setattr("serving.plans.exploration.find_alternatives", lambda *_, **__: near)

    drawn = Counter(explore_plans(problem, WITHIN, Budget(seed=seed))[0].sessions for seed in range(300))

    assert len(drawn) == 1 + len(near.others) > 1
    for count in drawn.values():
        assert count / 300 == pytest.approx(1 / len(drawn), abs=0.09)  # 3 standard errors


def test_where_no_other_plan_is_near_the_best_is_certain(problem):
    plan, exploration = explore_plans(problem, 1e-9, QUICK)

    assert (exploration.plans, exploration.probability, exploration.notes) == (1, 1.0, ())
    assert not find_violations(problem, plan.sessions)
