"""What is used up in each block of a plan, and what is not."""

from dataclasses import replace

from serving.grouping.changes.bottlenecks import find_bounds
from serving.grouping.problem.policy import SessionType, SizeBound


def told(problem, sessions, block="m1"):
    return {bound.resource: bound.sentence for bound in find_bounds(problem, sessions) if bound.block == block}


def test_a_day_with_something_left_of_everything_is_not_bound(team, sessions):
    """An adult is free in each block, a room too, and groups of three could be eight."""
    assert find_bounds(team, sessions) == ()


def test_adults_are_used_up_where_nobody_is_free_and_the_monitor_is_needed(team, sessions):
    two = replace(team, adults=team.adults[:2])

    assert told(two, sessions[:2])["adults"] == (
        "All 2 adults are taken in 09:00-09:45: 1 leads and 1 must watch over 3 online, 30 each at most."
    )


def test_a_trainee_without_a_teacher_counts_for_nobody(team, sessions, swap):
    alone = replace(team, adults=swap(team.adults, "lead", blocks=frozenset({"m2"})))

    assert "adults" in told(alone, (replace(sessions[1], students=tuple("abcdef")),))


def test_full_groups_full_stations_and_taken_rooms_are_told_with_figures(team, sessions):
    tight = replace(
        team, sizes=(SizeBound(SessionType.SMALL_GROUP, 3, 3),), rooms=team.rooms[:2], students_per_monitor=3
    )

    bounds = told(tight, sessions)

    assert bounds["small_group"] == "All 3 seats of small group are taken in 09:00-09:45: 1 session at its largest."
    assert bounds["rooms"] == "No room for a further led session is free in 09:00-09:45: all 2 are in use."
    assert bounds["monitors"] == (
        "Online work is full in 09:00-09:45: 3 students, as many as its rooms and its adults, 1 for up to 3 each, take."
    )
