"""Cycles: which days they have, what is carried from the first to the others, and what changes there."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from features.roster import PolicyLayer
from serving.grouping import Need, Purpose, Session, SessionType, SizeBound, find_violations, suggest_groups
from serving.plans.cycles.cycle import MOVE_PENALTY, carry_grouping, list_school_days, read_grouping
from serving.plans.cycles.cycle_days import count_days
from serving.plans.cycles.series import Unit, hold_series
from serving.plans.problem import Absence
from tests.serving.plans.test_series import BLOCKS, KNOWN, MONDAY, NEEDS, PAIR, need, proficient, state, team

GROUP = Session("g", "mon-9", SessionType.SMALL_GROUP, "add", ("lead",), "hall", ("c", "d", "e", "f"))
ONLINE = Session("o", "mon-9", SessionType.ONLINE, None, ("tutor",), "nook", ("a", "b"))


def carry(known=KNOWN, needs=NEEDS, sessions=(GROUP, ONLINE), **request):
    return carry_grouping(state(needs=needs, **request), read_grouping(state(), sessions, ()), known)


def kept(day):
    """Who would pay for another seat than that in the group."""
    return {seat.student for seat in day.previous if seat.block == "mon-9" and seat.led}


def free_seats(day):
    """Who may sit anywhere in the block without a penalty."""
    return set("abcdef") - {seat.student for seat in day.previous}


def test_a_cycle_has_the_school_days_of_the_team():
    some = team(blocks=tuple(block for block in BLOCKS if block.weekday in {"mon", "wed"}))
    friday = MONDAY + timedelta(days=4)

    assert list_school_days(team(), friday, 3) == [friday, MONDAY + timedelta(7), MONDAY + timedelta(8)]
    assert list_school_days(some, MONDAY, 3) == [MONDAY, MONDAY + timedelta(2), MONDAY + timedelta(7)]


def test_days_without_school_are_skipped_and_a_week_with_one_is_shorter():
    closed = PolicyLayer(
        "", roster={"no_school": [str(MONDAY + timedelta(1)), f"{MONDAY + timedelta(3)} to 2026-03-22"]}
    )

    some = replace(team(), policies=(closed,))

    assert list_school_days(some, MONDAY, 3) == [MONDAY, MONDAY + timedelta(2), MONDAY + timedelta(7)]
    assert count_days(some, MONDAY, "weekly") == 2


@pytest.mark.parametrize(
    ("regroup", "first", "expected"),
    [("daily", 0, 1), ("weekly", 0, 5), ("weekly", 2, 3), ("weekly", 5, 1), (3, 4, 3), (60, 0, 20)],
)
def test_a_rhythm_says_how_long_a_cycle_is(regroup, first, expected):
    assert count_days(team(), MONDAY + timedelta(days=first), regroup) == expected


def test_a_day_on_which_nothing_changed_has_the_groups_of_the_first():
    problem = state()
    first = suggest_groups(problem)

    again = suggest_groups(carry_grouping(problem, read_grouping(problem, first.sessions, ()), KNOWN))

    assert seats_of(again) == seats_of(first)


def seats_of(plan):
    return {
        (student, session.block): (session.session_type, session.skill, session.adults[0] if session.led else None)
        for session in plan.sessions
        for student in session.students
    }


def test_who_is_absent_leaves_the_rest_in_their_group():
    day = carry(absences=(Absence(student="c"),))

    assert kept(day) == {"d", "e", "f"}
    assert find_violations(day, suggest_groups(day).sessions) == ()
    assert day.weights.perturbation == MOVE_PENALTY


def test_the_students_of_an_absent_adult_may_sit_anywhere():
    day = carry(absences=(Absence(staff="lead"),))

    assert kept(day) == set()
    assert free_seats(day) == set("cdef")


def test_who_missed_the_first_day_gets_a_seat_of_somebody_who_has_two():
    """The lead has four seats in each block, and the tutor only supervises."""
    later = replace(GROUP, id="h", block="mon-10", skill="carry")
    needs = [need("a", "add", 0.01), *(need(name, skill) for name in "cdef" for skill in ("add", "carry"))]
    day = state(needs=needs)
    only = {"lead": frozenset({SessionType.SMALL_GROUP}), "tutor": frozenset({SessionType.ONLINE})}
    day = replace(
        day,
        adults=tuple(replace(adult, session_types=only[adult.id]) for adult in day.adults),
        sizes=(SizeBound(SessionType.SMALL_GROUP, 3, 4),),
    )
    due = replace(day, students=tuple(replace(student, adult_time_due=student.id == "a") for student in day.students))

    without, with_a = (
        suggest_groups(carry_grouping(each, read_grouping(day, (GROUP, later), ()), KNOWN)) for each in (day, due)
    )

    assert led_seats(without) == Counter("ccddeeff")
    assert led_seats(with_a)["a"] == 1
    assert sorted(led_seats(with_a).values()) == [1, 1, 2, 2, 2]


def led_seats(plan):
    return Counter(name for session in plan.sessions if session.led for name in session.students)


def test_who_is_done_leaves_the_group():
    day = carry(Unit({("c", "add"): proficient("c", "add")}, 0.02, {}))

    assert kept(day) == {"d", "e", "f"}
    assert free_seats(day) == {"c"}


def test_who_came_to_go_further_was_done_before():
    first = [replace(each, need=replace(each.need, purpose=Purpose.EXTEND)) for each in NEEDS]
    known = Unit({("c", "add"): proficient("c", "add")}, 0.02, {})

    day = carry_grouping(state(needs=first), read_grouping(state(needs=first), (GROUP, ONLINE), ()), known)

    assert kept(day) == {"c", "d", "e", "f"}


def test_who_is_newly_in_trouble_may_sit_anywhere_and_others_may_not():
    trouble = Need("c", "carry", 0.9, struggle_risk=0.9, urgent=1.0, purpose=Purpose.RETEACH)
    worse = [replace(each, need=replace(each.need, urgent=1.0)) for each in NEEDS]
    new = [*NEEDS, replace(NEEDS[0], need=trouble)]
    before = read_grouping(state(needs=new), (GROUP, ONLINE), ())

    assert free_seats(carry(needs=new)) == {"c"}
    assert free_seats(carry(needs=worse)) == set("abcdef")
    assert free_seats(carry_grouping(state(needs=new), before, KNOWN)) == set()


def test_a_need_that_is_not_listed_any_more_is_that_of_the_first_day():
    """Not proficient, but greater needs took its place: the seat stays eligible."""
    day = carry(needs=[each for each in NEEDS if each.need.student != "c"])

    needs = {(each.student, each.skill): each.need for each in day.needs}
    assert needs["c", "add"] == 0.4
    assert kept(day) == {"c", "d", "e", "f"}


def test_series_go_their_own_way_in_a_cycle():
    """Their sessions are not carried to other days, and where one is due it takes its students and adult along."""
    tutored = Session("s", "mon-9", SessionType.TUTORING, "carry", ("tutor",), "nook", ("a", "b"))
    groups = (GROUP, replace(tutored, id="t", students=("b",)), replace(ONLINE, students=("a",)))

    without = read_grouping(state(), (GROUP, tutored), {"s"})
    held = hold_series(state(), [PAIR], KNOWN).problem
    day = carry_grouping(held, read_grouping(state(), groups, ()), KNOWN)

    assert [session.id for session in without.sessions] == ["g"]
    assert {pin.student: pin.adult for pin in day.pins} == {"a": "tutor", "b": "tutor"}
    assert {seat.student for seat in day.previous} == set("cdef")


def test_a_grouping_that_breaks_a_rule_gives_way():
    """Whoever may not be grouped together any more is not, and the rest stay."""
    apart = replace(state(), keep_apart=(("c", "d"),))

    problem = carry_grouping(apart, read_grouping(state(), (GROUP, ONLINE), ()), KNOWN)
    plan = suggest_groups(problem)

    assert find_violations(problem, plan.sessions) == ()
    together = next(session.students for session in plan.sessions if session.led and "e" in session.students)
    assert {"e", "f"} < set(together)


def test_blocks_match_by_their_place_in_the_day():
    tuesday = replace(state(), blocks=state().blocks[::-1])
    renamed = read_grouping(state(), (replace(GROUP, block="x"),), ())

    assert not carry_grouping(tuesday, renamed, KNOWN).previous
    moved = carry_grouping(state(), replace(renamed, blocks=("w", "x")), KNOWN)
    assert {seat.block for seat in moved.previous} == {"mon-10"}
