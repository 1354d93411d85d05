"""A goal decides between needs that are nearly equal, and never against a clearly larger one."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.roster import Block, Room, SkillMap, Staff, Team
from features.roster.records import ROLE_MAY_LEAD
from serving.grouping import Need, Purpose, suggest_groups
from serving.plans.need.goal_needs import favor_goals
from serving.plans.need.needs import Candidate
from serving.plans.problem import DayRequest, state_day
from serving.plans.rules.policy import load_policy
from serving.store.practice.of_team import Practice

MONDAY, POLICY = date(2026, 3, 16), load_policy()
MORE = POLICY.need.goal_more
SHARE = st.floats(0.01, 0.9)


@given(goal=SHARE, other=SHARE, urgent=st.tuples(st.floats(0, 8), st.floats(0, 8)))
def test_a_goal_changes_the_order_of_near_ties_alone(goal, other, urgent):
    before = [Need("a", "goal", goal, urgent=urgent[0]), Need("a", "other", other, urgent=urgent[1])]

    mine, others = favor_goals(before, {("a", "goal")}, MORE)

    assert others == before[1]
    for name in ("need", "urgent"):
        old, larger = getattr(before[0], name), getattr(before[1], name)
        new = getattr(mine, name)
        assert old <= new <= old * (1 + MORE) + 1e-12
        if larger > old * (1 + MORE):  # clearly larger
            assert larger > new
        if 0 < larger < old * (1 + MORE):
            assert new > larger or new == min(1.0, old * (1 + MORE))


def test_a_goal_counts_for_the_weak_prerequisite_that_comes_before_it():
    need = Need("a", "add", 0.4, because_of="carry")

    assert next(favor_goals([need], {("a", "carry")}, 0.1)).need == pytest.approx(0.44)
    assert next(favor_goals([need], {("b", "carry")}, 0.1)) == need


@pytest.mark.parametrize(
    ("goal_need", "taught"), [(0.60, "goal"), (0.585, "goal"), (0.55, "other")], ids=["tie", "near tie", "clear"]
)
def test_of_two_needs_that_are_nearly_equal_the_plan_meets_the_goal(goal_need, taught):
    """One adult, one block, one student with two needs."""
    lead = Staff("lead", "t", "teacher_leader", ROLE_MAY_LEAD["teacher_leader"])
    block = Block("mon-9", "t", "mon", time(9), time(9, 45))
    team = Team("t", "s", None, ("a",), (lead,), (Room("hall", "t", 9),), (block,), (), {}, ())
    purpose = Purpose.RETEACH
    needs = [
        Need("a", "goal", goal_need, 0.6, 0.4, purpose=purpose),
        Need("a", "other", 0.60, 0.6, 0.4, purpose=purpose),
    ]
    candidates = [Candidate(need, None) for need in needs]

    def plan(goals):
        day = state_day(team, SkillMap({}, {}), DayRequest(MONDAY), candidates, POLICY, Practice(goals))
        return next(s.skill for s in suggest_groups(day.problem).sessions if s.led)

    assert plan(frozenset({("a", "goal")})) == taught
    assert plan(frozenset({("a", "other")})) == "other"
