"""Who has been in nothing but intervention groups."""

from dataclasses import replace
from datetime import date, timedelta

from features.roster import PastSession, Team
from serving.grouping import Need
from serving.plans.need.needs import Candidate
from serving.plans.rules.policy import load_policy
from serving.plans.watch import watch_intervention

TODAY = date(2026, 3, 16)
NEEDS = [Candidate(Need("a", "add", 0.5), None, catch_up=True), Candidate(Need("a", "tell", 0.5), None)]
POLICY = replace(load_policy(), watch_days=3, history_days=10)


def watch(*sessions, until=TODAY):
    past = tuple(
        PastSession(TODAY - timedelta(days=ago), "t", "mon-9", by, skill, students)
        for ago, skill, students, by in sessions
    )
    return watch_intervention(Team("t", "s", None, tuple("abc"), (), (), (), (), {}, past), NEEDS, POLICY, until)


def test_students_with_nothing_but_intervention_are_told_with_their_days():
    """One session on something else takes a student off the list; one online, or a gap between days, does not."""
    catching_up = [(ago, "add", ("a", "b", "c"), "lead") for ago in (1, 4, 6)]

    assert watch(*catching_up, (2, "tell", ("b",), "lead"), (2, "tell", ("c",), None)) == {"a": 3, "c": 3}


def test_fewer_days_days_long_ago_and_the_day_itself_do_not_count():
    assert watch(*((ago, "add", ("a",), "lead") for ago in (0, 1, 2, 11))) == {}
    assert watch(*((ago, "add", ("a",), "lead") for ago in (1, 2, 3)), (11, "tell", ("a",), "lead")) == {"a": 3}
    assert watch(*((ago, "add", ("a",), "lead") for ago in (0, 1, 2)), until=None) == {"a": 3}


def test_two_sessions_of_a_day_are_one_day_and_strangers_are_left_out():
    assert watch(*((ago, "add", ("a", "z"), "lead") for ago in (1, 1, 2))) == {}
    assert watch() == {}


def test_no_day_is_too_early_or_too_late_to_count_from():
    """Whatever a database of before holds."""
    for day in (date.min, date.max):
        past = PastSession(day, "t", "mon-9", "x", "add", ("a",))
        team = Team("t", "s", None, ("a",), (), (), (), (), {}, (past,))

        assert watch_intervention(team, NEEDS, replace(POLICY, watch_days=1)) == {"a": 1}
        assert watch_intervention(team, NEEDS, replace(POLICY, watch_days=1), day) == {}
