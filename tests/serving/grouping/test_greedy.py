"""An infeasible block of a given plan is made feasible by the fewest who join or lose a session."""

from dataclasses import replace

import pytest

from serving.grouping.problem.policy import SessionType, SizeBound
from serving.grouping.search.greedy import draw_plan
from serving.grouping.search.warm_start import build_warm_start, read_groups
from serving.grouping.state.arrays import build_data


def groups(problem, sessions, block=0):
    """Students by session of a block, before and after its repair."""
    data = build_data(problem)
    draft = build_warm_start(data, read_groups(data, sessions))
    found = []
    for plan in (draft, draw_plan(data, data.arrays, draft)):
        here = [students for slot, students in plan.groups.items() if slot.block == block]
        found.append({tuple(sorted(problem.students[at].id for at in students)) for students in here})
        found.append(plan.violated_rule(block))
    return found


def test_a_feasible_block_is_left_alone(team, sessions):
    assert groups(team, sessions) == [{("a", "b", "c")}, None, {("a", "b", "c")}, None]


def test_one_too_many_online_joins_the_group_that_is_worth_most_to_them(team, sessions, swap):
    watched = replace(team, students_per_monitor=2, adults=team.adults[:2])
    keen = replace(
        watched,
        needs=tuple(
            replace(need, need=0.6) if (need.student, need.skill) == ("e", "fractions") else need
            for need in watched.needs
        ),
    )

    assert groups(keen, sessions[:1]) == [{("a", "b", "c")}, "monitors", {("a", "b", "c", "e")}, None]


@pytest.mark.parametrize("tutored", [("d",), ("d", "e")])
def test_for_want_of_a_monitor_the_smallest_session_closes(team, sessions, swap, tutored):
    """All adults lead, and sessions are full, so that nobody can join one."""
    full = replace(
        team, sizes=(SizeBound(SessionType.SMALL_GROUP, 3, 3), SizeBound(SessionType.TUTORING, 1, len(tutored)))
    )
    tutoring = replace(
        sessions[0], id="t", session_type=SessionType.TUTORING, skill="ratios", adults=("help",), students=tutored
    )

    before, rule, after, none = groups(replace(full, adults=team.adults[:2]), (sessions[0], tutoring))

    assert (rule, none) == ("monitors", None)
    assert before - after == {tutored}


def test_where_nothing_helps_the_block_stays_infeasible(team, sessions):
    threes = (SizeBound(SessionType.SMALL_GROUP, 3, 3),)
    nobody = replace(team, adults=team.adults[1:2], sizes=threes, students_per_monitor=2)

    _, rule, _, still = groups(nobody, sessions[:1])

    assert (rule, still) == ("monitors", "monitors")
