"""What a team's students had of its adults lately: minutes, adults who know them, doses of series, coached sessions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from features.roster import PastSession, Series, Team
from features.roster.series_checks import minutes_of
from serving.plans.cycles.series import HALF


def count_minutes(team: Team, first: date, last: date) -> dict[str, int]:
    """Minutes of each member in adult-led sessions on record, from a first to a last day; 0 for those without any."""
    lengths = {block.block_id: minutes_of(block) for block in team.blocks}
    minutes = dict.fromkeys(team.members, 0)
    for past in _held(team, first, last):
        for student in past.students:
            if student in minutes:
                minutes[student] += lengths.get(past.block_id, 0)
    return minutes


KNOWN_WEEKS = 4
"""Weeks within which an adult led a session with a student, so that they know each other."""


def list_known_adults(team: Team, last: date) -> dict[str, frozenset[str]]:
    """Ids of the adults who led a session with each member in `KNOWN_WEEKS` weeks up to a last day."""
    known: dict[str, set[str]] = {student: set() for student in team.members}
    for past in _held(team, last - timedelta(weeks=KNOWN_WEEKS, days=-1), last):
        for student in past.students:
            if student in known and past.staff_id is not None:
                known[student].add(past.staff_id)
    return {student: frozenset(adults) for student, adults in known.items()}


@dataclass(frozen=True)
class Dose:
    """What a series had in a week.

    Attributes:
        series: The series.
        days: Days on which it was held.
        minutes: Minutes of these sessions.
    """

    series: Series
    days: int
    minutes: int

    @property
    def wanted(self) -> str:
        """What was held of what is wanted, in words."""
        if self.series.minutes_per_week is not None:
            return f"{self.minutes} of {self.series.minutes_per_week} minutes"
        if self.series.sessions_per_week is not None:
            return f"{self.days} of {self.series.sessions_per_week} sessions"
        return f"{self.days} {'session' if self.days == 1 else 'sessions'}, one a day is wanted"

    @property
    def is_met(self) -> bool:
        """Whether the wanted dose was given; never for a series that wants one a day."""
        if self.series.minutes_per_week is not None:
            return self.minutes >= self.series.minutes_per_week
        return self.series.sessions_per_week is not None and self.days >= self.series.sessions_per_week


def measure_doses(team: Team, first: date, last: date) -> list[Dose]:
    """What each series that runs in these days had of its dose: sessions of its adult on its unit with half of it."""
    lengths = {block.block_id: minutes_of(block) for block in team.blocks}
    doses = []
    for series in team.series:
        if last < series.from_date or (series.until is not None and series.until < first):
            continue
        held = [
            past
            for past in _held(team, first, last)
            if past.staff_id == series.staff_id
            and past.skill_id in series.skills
            and len(set(past.students).intersection(series.students)) >= HALF * len(series.students)
        ]
        minutes = sum(lengths.get(past.block_id, 0) for past in held)
        doses.append(Dose(series, len({past.date for past in held}), minutes))
    return doses


def sum_coached(
    pairs: Iterable[tuple[str, str]], sessions: Iterable[tuple[tuple[str, ...], int]]
) -> dict[tuple[str, str], int]:
    """How much each coach and trainee shared.

    Args:
        pairs: Ids of coach and trainee.
        sessions: Ids of the adults of each adult-led session, and what it counts, such as its minutes.

    Example:
        >>> sum_coached([("a", "t")], [(("t", "a"), 45), (("a",), 45), (("b", "t"), 45)])
        {('a', 't'): 45}
    """
    shared = [(set(adults), amount) for adults, amount in sessions]
    return {pair: sum(amount for adults, amount in shared if adults.issuperset(pair)) for pair in pairs}


def _held(team: Team, first: date, last: date) -> Iterable[PastSession]:
    return (past for past in team.past_sessions if first <= past.date <= last and past.staff_id is not None)
