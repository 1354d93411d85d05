"""Whose urgent needs come first: those of students furthest behind, and of whom it is the turn."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from features.roster import Team
from serving.grouping import Need
from serving.plans.rules.policy import NeedPolicy


def weigh_urgent(team: Team, today: date, needs: Sequence[Need], policy: NeedPolicy) -> Iterator[Need]:
    """Yields the needs, those that are urgent by whose they are: of students far behind, and of whom it is the turn.

    Args:
        team: Members and past sessions.
        today: The day that is planned.
        needs: Needs, urgent from 0 to 1.
        policy: How much more both count.
    """
    urgent = [need for need in needs if need.urgent >= policy.urgent_from]
    shares, turns = _share_of_most(urgent), _count_turns(team, today, urgent, policy.waiting_days)
    for need in needs:
        if need.urgent:
            times = 1 + policy.furthest_behind * shares.get(need.student, 0.0)
            more = turns.get((need.student, need.skill), 0) * policy.waiting_more
            yield replace(need, urgent=round(need.urgent * times + more, 2))
        else:
            yield need


def _share_of_most(urgent: Sequence[Need]) -> dict[str, float]:
    """Returns how many urgent needs each student has who has any, as a share of the most that anybody has.

    Were each urgent need worth the same, adults' time would go where groups fill most easily: to those who need one
    skill that many need, and least to those who need everything.
    """
    count = Counter(need.student for need in urgent)
    most = max(count.values(), default=1)
    return {student: mine / most for student, mine in count.items()}


def _count_turns(team: Team, today: date, urgent: Sequence[Need], days: int) -> dict[tuple[str, str], int]:
    """Returns the urgent need of each student who waited for a seat on any of them, and how often it was so many days.

    So those whose needs few share, and whom every day's plan would leave out, have their turn: on the need that most
    others share, and the more surely the longer they have waited. Waiting is counted in school days on record since the
    student's last seat on a skill of these needs. Since when a need is urgent is not known, so that one of today may
    count as long waited for: who had no such seat lately comes before who had.
    """
    earlier = [past for past in team.past_sessions if past.date < today and past.staff_id is not None]
    school_days = sorted({past.date for past in earlier})
    listed = {(need.student, need.skill) for need in urgent}
    last: dict[str, date] = {}
    for past in earlier:
        for student in past.students:
            if (student, past.skill_id) in listed:
                last[student] = max(past.date, last.get(student, past.date))
    shared = Counter(need.skill for need in urgent)
    turns: dict[str, tuple[str, int]] = {}
    for need in sorted(urgent, key=lambda need: (-shared[need.skill], -need.need, need.skill)):
        since = last.get(need.student)
        waited = len(school_days) - (0 if since is None else bisect_right(school_days, since))
        turns.setdefault(need.student, (need.skill, waited // days))
    return {(student, skill): count for student, (skill, count) in turns.items() if count}
