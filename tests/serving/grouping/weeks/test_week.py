"""Weeks of a hand-made team: a teacher with three places a day, six students, and what is due to them."""

from collections import Counter
from dataclasses import replace

import pytest

from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.errors import InfeasibleError, ProblemError
from serving.grouping.problem.history import PastDay
from serving.grouping.problem.people import Coaching, Need
from serving.grouping.problem.policy import SessionType
from serving.grouping.rules.check import find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.weeks.targets import WeekTargets, find_teacher_time_due
from serving.grouping.weeks.week import plan_week

QUICK = Budget(rounds=40, seatings=0, bound_rounds=0)
COACHED = Coaching("lead", "new", 3)


@pytest.fixture
def day(team, swap):
    """The teacher has one block with three places; three students need it far more than the others."""
    one = frozenset({"m1"})
    adults = swap(team.adults, "lead", blocks=one, max_group=3, session_types=frozenset({SessionType.SMALL_GROUP}))
    needs = tuple(
        Need(student.id, skill.id, 0.9 if student.id in "abc" else 0.1)
        for student in team.students
        for skill in team.skills
    )
    return replace(team, adults=tuple(adult for adult in adults if adult.id != "new"), needs=needs)


def seats_with(adult, plans):
    return Counter(s for plan in plans for session in plan.sessions if session.led and session.adults[0] == adult
                   for s in session.students)  # fmt: skip


def test_every_student_is_with_a_teacher_as_often_as_the_week_asks(day):
    quiet = replace(day, weights=replace(day.weights, coverage=0.0, relationships=0.0, repeat_groupmates=0.0))

    asked = plan_week([quiet] * 4, WeekTargets(teacher_seats=2), QUICK)
    unasked = plan_week([quiet] * 4, WeekTargets(), QUICK)

    assert seats_with("lead", asked.plans) == dict.fromkeys("abcdef", 2)
    assert [(outcome.reached, outcome.reason) for outcome in asked.outcomes] == [(2, None)] * 6
    assert min(seats_with("lead", unasked.plans)[student] for student in "abcdef") < 2


def test_a_student_who_could_otherwise_not_reach_the_target_is_due_today(day, swap):
    """Student f is there today only, and e has had both seats."""
    later = replace(day, students=swap(day.students, "f", blocks=frozenset()))
    week = plan_week([day], WeekTargets(), QUICK)
    had = replace(week.plans[0].sessions[0], id="x", session_type=SessionType.SMALL_GROUP, skill="ratios",
                  adults=("lead",), students=("e",))  # fmt: skip
    held = [PastDay(1, (had,)), PastDay(2, (had,))]

    due = find_teacher_time_due([day, later, later, later, later], WeekTargets(teacher_seats=2), held)

    assert "f" in due
    assert "e" not in due
    assert len(due) == 2  # ten seats are missing in five days


def test_a_coach_and_a_colleague_share_as_many_sessions_as_the_week_asks(team):
    week = plan_week([team] * 3, WeekTargets(coaching=(COACHED,)), QUICK)

    shared = [sum({"lead", "new"} <= set(s.adults) for s in plan.sessions if s.led) for plan in week.plans]
    assert sum(shared) == 3
    assert next(pair.sessions for problem in week.problems for pair in problem.coaching) == 1
    assert [(outcome.target, outcome.reached, outcome.reason) for outcome in week.outcomes] == [("coaching", 3, None)]


def test_a_target_that_cannot_be_reached_has_a_reason(day, swap):
    students = swap(day.students, "a", blocks=frozenset())
    students = swap(students, "b", needs_certified=True)
    students = swap(students, "c", blocks=frozenset({"m2"}))
    adults = (*day.adults, replace(day.adults[0], id="new", blocks=frozenset({"m2"})))
    days = [replace(day, students=students, adults=adults), day]
    days[1] = replace(days[0], students=swap(students, "d", blocks=frozenset()))
    targets = WeekTargets(teacher_seats=2, coaching=(COACHED,), most_together=1, most_load_off=0.0)

    week = plan_week(days, targets, QUICK)

    reasons = {(outcome.target, *outcome.who): outcome.reason for outcome in week.outcomes}
    assert reasons["teacher_seats", "a"] == "absent"
    assert reasons["teacher_seats", "b"] == "nobody_eligible"
    assert reasons["teacher_seats", "c"] == "nobody_eligible"
    assert reasons["teacher_seats", "d"] == "too_few_chances"
    assert {outcome.reached for outcome in week.outcomes if outcome.target == "teacher_seats"} <= {0, 1, 2}
    assert reasons["coaching", "lead", "new"] == "never_together"
    for outcome in week.outcomes:
        more = outcome.target in {"teacher_seats", "coaching"}
        kept = outcome.reached >= outcome.asked if more else outcome.reached <= outcome.asked
        assert (outcome.reason is None) == kept


def test_the_rest_of_a_week_goes_on_from_what_is_over(day):
    """Two days are over, on which a, b and c had the teacher; the rest belongs to the others."""
    first = plan_week([day] * 4, WeekTargets(), QUICK).plans[0].sessions
    over = tuple(replace(s, students=("a", "b", "c")) if s.led and s.adults[0] == "lead" else s for s in first)
    past = [PastDay(2, over), PastDay(1, over)]

    week = plan_week([day] * 2, WeekTargets(teacher_seats=2), QUICK, past)

    assert len(week.plans) == 2
    assert all(seats_with("lead", week.plans)[student] == 2 for student in "def")
    assert {outcome.who: outcome.reached for outcome in week.outcomes} == {(student,): 2 for student in "abcdef"}
    assert {(m.first, m.second): m.sessions for m in week.problems[0].recent_groupmates}["a", "b"] >= 2


def test_planning_days_again_keeps_every_rule_and_never_loses():
    days = [replace(draw_day(24, seed), recent_groupmates=(), contacts=()) for seed in (1, 1, 1)]
    targets = WeekTargets(teacher_seats=2, most_together=2, most_load_off=1.0)

    week = plan_week(days, targets, QUICK, passes=2)

    again = plan_week(days, targets, QUICK, passes=2)
    assert week == again
    assert week.value >= week.first_value
    for problem, plan in zip(week.problems, week.plans, strict=True):
        assert find_violations(problem, plan.sessions) == ()


def test_a_day_without_a_plan_is_named(day):
    alone = replace(day, adults=())

    with pytest.raises(InfeasibleError) as caught:
        plan_week([day, alone], WeekTargets(), QUICK)

    assert caught.value.sentence.startswith("On day 2 of those to plan: ")


def test_a_target_below_nothing_is_refused():
    with pytest.raises(ProblemError, match=r"WeekTargets.teacher_seats: -1"):
        WeekTargets(teacher_seats=-1)
