"""The fold of past days against counts that go through every session for every pair."""

from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.grouping.errors import ProblemError
from serving.grouping.problem.history import (
    PastDay,
    count_load_off,
    recollect,
)
from serving.grouping.problem.people import Contact
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import SessionType

STUDENTS, ADULTS = "abcdefz", ("lead", "help", "new", "gone")  # z and gone are not of the team
FEW = settings(max_examples=40)


@st.composite
def past_days(draw):
    days = []
    for ago in sorted(draw(st.sets(st.integers(1, 9), max_size=5))):
        sessions = []
        for at in range(draw(st.integers(0, 3))):
            led = draw(st.booleans())
            adults = tuple(draw(st.lists(st.sampled_from(ADULTS), min_size=1, max_size=2, unique=True)))
            students = tuple(draw(st.lists(st.sampled_from(STUDENTS), min_size=1, max_size=4, unique=True)))
            kind, skill = (SessionType.SMALL_GROUP, draw(st.sampled_from("xy"))) if led else (SessionType.ONLINE, None)
            sessions.append(Session(f"s{at}", "m1", kind, skill, adults, None, students))
        there = draw(st.dictionaries(st.sampled_from(ADULTS), st.integers(0, 3)))
        days.append(PastDay(ago, tuple(sessions), there))
    return days


@settings(FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])  # the team is frozen
@given(past=past_days(), window=st.integers(0, 9), had=st.integers(0, 3))
def test_groupmates_and_contacts_are_those_of_a_naive_count(team, past, window, had):
    carried = recollect(team.students, team.adults, past, window, [Contact("a", "lead", had)])

    led = [session for day in past if day.days_ago <= window for session in day.sessions if session.skill is not None]
    recent_groupmates = {(m.first, m.second): m.sessions for m in carried.recent_groupmates}
    contacts = {(c.student, c.adult): c.sessions for c in carried.contacts}
    for one, other in combinations("abcdef", 2):
        together = sum(one in s.students and other in s.students for s in led)
        assert recent_groupmates.get((one, other), 0) == together
    for student in "abcdef":
        for adult in ("lead", "help", "new"):
            met = sum(student in s.students and s.adults[0] == adult for s in led)
            assert contacts.get((student, adult), 0) == met + had * ((student, adult) == ("a", "lead"))
    assert not any("z" in pair for pair in recent_groupmates)
    assert not any({"z", "gone"} & {*pair} for pair in contacts)


@FEW
@given(past=past_days())
def test_duties_are_those_of_a_naive_count(past):
    off = count_load_off(past)

    known = [session for day in past if day.there for session in day.sessions]
    there = {adult: sum(day.there.get(adult, 0) for day in past) for adult in ADULTS}
    held = {adult: sum(adult in s.adults for s in known) for adult in ADULTS if there[adult] or adult in off}
    for adult in off:
        even = sum(held.values()) * there[adult] / max(1, sum(there.values()))
        assert off[adult] == pytest.approx(held[adult] - even)


@pytest.mark.parametrize("ago", [0, -1])
def test_neither_a_day_itself_nor_one_after_it_is_its_history(ago):
    with pytest.raises(ProblemError, match=rf"PastDay.days_ago: {ago}"):
        PastDay(ago, ())
