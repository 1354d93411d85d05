"""The instance set has days as the demo school's are: what is needed, on what evidence, after what history."""

from collections import Counter

import numpy as np
import pytest

from experiments.benchmarks.planner.instances.evidence import Curriculum, draw_forecasts
from experiments.benchmarks.planner.instances.team import FAMILIES, MONDAY, SIZES, Size, draw_day, draw_family
from serving.grouping.problem.people import Purpose
from serving.grouping.problem.policy import Role


def test_equal_seeds_give_equal_days_of_the_size_asked_for():
    assert draw_family("60 x 5", 3) == draw_day(SIZES[60], 3) == draw_day(60, 3) != draw_day(60, 4)
    assert {len(draw_family("open team room", seed).students) for seed in range(6)} == {100, 110, 120}
    assert len(draw_day(Size(30, 4, 1, 6), seed=1).students) == 30


def test_needs_are_spread_as_the_demo_school_has_them():
    """As in the demo school's four teams: six needs for nearly all, three in ten urgent, few without forecast."""
    days = [draw_family("60 x 5", seed) for seed in range(101, 121)]
    needs = [need for day in days for need in day.needs]
    purposes = Counter(need.purpose for need in needs)

    assert 5.5 < len(needs) / sum(len(day.students) for day in days) <= 6.0
    assert 0.2 < np.mean([need.urgent > 0 for need in needs]) < 0.4
    assert 0.09 < np.mean([need.struggle_risk is None for need in needs]) < 0.22
    assert 0.03 < purposes[Purpose.INTRODUCE] / len(needs) < 0.10
    assert all(purposes[purpose] > 0.03 * len(needs) for purpose in Purpose)
    assert any(need.because_of for need in needs)


def test_a_day_has_all_that_a_team_has():
    days = [draw_family(family, seed) for family in FAMILIES for seed in (101, 102)]

    for day in days:
        students = {student.id: student for student in day.students}
        assert day.keep_apart
        assert day.keep_together
        assert 0.1 < np.mean([student.adult_time_due for student in day.students]) < 0.6
        assert len({contact.student for contact in day.contacts}) > 0.8 * len(students)
        assert not any(students[pin.student].needs_certified for pin in day.pins)
        assert any(len(student.blocks) < len(day.blocks) for student in day.students)
    assert all(any(getattr(day, part) for day in days) for part in ("pins", "coaching", "rooms"))
    assert any(adult.role == Role.TEACHER_IN_TRAINING and adult.coach for day in days for adult in day.adults)
    assert any(student.needs_certified for day in days for student in day.students)


def test_what_lies_behind_the_unit_is_known_and_little_of_what_lies_ahead_is_begun():
    curriculum = Curriculum(tuple(f"k{at:02}" for at in range(20)), 10.0)
    students = tuple(f"s{at}" for at in range(200))
    as_of = np.datetime64(MONDAY).astype("datetime64[s]").item()

    forecasts = draw_forecasts(students, curriculum, as_of, np.random.default_rng(1))

    known = Counter(forecast.skill for forecast in forecasts)
    assert known["k00"] == known["k10"] == 200 > known["k11"] > known["k13"] > known["k15"]
    assert known["k19"] == 0
    for forecast in forecasts:
        thin = forecast.status == "thin_evidence"
        assert (forecast.struggle_risk is None) == (forecast.mastery is None) == thin
        assert not thin or forecast.opportunities == 1
    risks = {
        status: np.mean([f.struggle_risk for f in forecasts if f.status == status])
        for status in ("learning", "review_due", "not_yet_proficient")
    }
    assert risks["learning"] < risks["review_due"] < risks["not_yet_proficient"]


@pytest.mark.parametrize("middle", [0.6, 19.9])
def test_a_unit_at_either_end_of_the_curriculum_has_skills(middle):
    focus = Curriculum(tuple(f"k{at:02}" for at in range(20)), middle).focus

    assert focus
    assert all(0 < weight <= 1 for weight in focus.values())
