"""What is exhausted in each block of a plan, and what is not."""

from dataclasses import replace

from serving.grouping.changes.bottlenecks import find_bottlenecks
from serving.grouping.problem.policy import SessionType, SizeBound


def describe(problem, sessions, block="m1"):
    found = find_bottlenecks(problem, sessions)
    return {bottleneck.resource: bottleneck.sentence for bottleneck in found if bottleneck.block == block}


def test_a_day_with_something_left_of_everything_has_no_bottleneck(team, sessions):
    """An adult is free in each block, a room too, and groups of three could be eight."""
    assert find_bottlenecks(team, sessions) == ()


def test_adults_are_exhausted_where_nobody_is_free_and_the_monitor_is_needed(team, sessions):
    two = replace(team, adults=team.adults[:2])

    assert describe(two, sessions[:2])["adults"] == (
        "All 2 adults are taken in 09:00-09:45: 1 leads and 1 must supervise 3 online, 30 each at most."
    )


def test_a_trainee_without_a_teacher_counts_for_nobody(team, sessions, swap):
    alone = replace(team, adults=swap(team.adults, "lead", blocks=frozenset({"m2"})))

    assert "adults" in describe(alone, (replace(sessions[1], students=tuple("abcdef")),))


def test_full_groups_full_stations_and_taken_rooms_are_described_with_figures(team, sessions):
    tight = replace(
        team, sizes=(SizeBound(SessionType.SMALL_GROUP, 3, 3),), rooms=team.rooms[:2], students_per_monitor=3
    )

    sentences = describe(tight, sessions)

    assert sentences["small_group"] == "All 3 seats of small group are taken in 09:00-09:45: 1 session at its largest."
    assert sentences["rooms"] == "No room for a further adult-led session is free in 09:00-09:45: all 2 are in use."
    assert sentences["monitors"] == (
        "Online work is full in 09:00-09:45: 3 students, as many as its rooms and its adults, 1 for up to 3 each, take."
    )
