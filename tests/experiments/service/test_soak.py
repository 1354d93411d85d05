"""The soak tells a plateau from growth, and draws every kind of request."""

import json
import random

import pytest

from experiments.benchmarks.service.attack import ATTACKS
from experiments.benchmarks.service.attacks.soak import SHARES, _draw, _slope
from experiments.benchmarks.service.school import School

NEW_ITEMS = {f"new-{number}" for number in range(100)}


@pytest.mark.parametrize(
    ("growth_mb", "judged"), [(0.0, []), (0.5, ["slope_mb_per_10k is 5, not at most 1"])], ids=["plateau", "growth"]
)
def test_only_growth_in_the_last_half_counts(tmp_path, growth_mb, judged):
    first_half = [300 + 10 * at for at in range(25)]
    last_half = [550 + growth_mb * at for at in range(26)]

    slope = _slope([*first_half, *last_half])

    assert slope == pytest.approx(10 * growth_mb, abs=1e-6)
    figures = {"slope_mb_per_10k": slope, "rss_mb": 600.0, "failed": 0}
    assert ATTACKS["soak"].judge(figures) == judged
    assert ATTACKS["soak"].judge({**figures, "slope_mb_per_10k": None, "failed": 2}) == ["failed is 2, not at most 0"]


def test_every_kind_is_drawn_and_no_event_twice(tmp_path):
    school, rng = School(tmp_path, "rg_key", ("t1", "t2")), random.Random(1)
    students = {team: [f"{team}-{at}" for at in range(5)] for team in school.team_ids}

    items = {student: [f"item-{student}"] for each in students.values() for student in each}

    drawn = [_draw(school, students, items, rng, number) for number in range(2000)]

    assert {request.route for request in drawn} == set(SHARES)
    bodies = [request.body for request in drawn if request.route == "events"]
    assert len(set(bodies)) == len(bodies) > 100
    events = [event for body in bodies for event in json.loads(body)["events"]]
    assert {event["item_id"] for event in events if event["item_id"] != f"item-{event['student_id']}"} <= NEW_ITEMS
