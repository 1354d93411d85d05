"""Seats that an absence moves: how many every plan has to, counted."""

from dataclasses import replace

import pytest

from experiments.benchmarks.planner.absences import fewest_moves, send_home
from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.changes.repair import repair_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups


@pytest.mark.parametrize("ratio", [15, 30])
def test_no_repair_moves_fewer_seats_than_were_counted(ratio):
    problem = replace(draw_day(24, 3), students_per_monitor=ratio, pins=())
    morning = suggest_groups(problem, Budget(rounds=50, seatings=0, bound_rounds=0)).sessions
    away = next(session.adults[0] for session in morning if session.led)
    without = send_home(problem, away)

    fewest = fewest_moves(without, morning)

    led = sum(len(session.students) for session in morning if session.led and session.adults[0] == away)
    assert led <= fewest <= repair_plan(without, morning, Budget(rounds=100, bound_rounds=0)).moved


def test_a_plan_that_still_holds_moves_nobody():
    problem = draw_day(24, 3)
    morning = suggest_groups(problem, Budget(rounds=0, seatings=0, bound_rounds=0)).sessions

    assert fewest_moves(problem, morning) == 0
