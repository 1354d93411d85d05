"""What a team's students had of its adults lately: minutes, adults who know them, doses of series, coached sessions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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


@dataclass(frozen=True)
class Share:
    """Adult-led sessions on record, and their minutes."""

    sessions: int = 0
    minutes: int = 0

    def add(self, minutes: int) -> "Share":
        """The same with one session more."""
        return Share(self.sessions + 1, self.minutes + minutes)


@dataclass(frozen=True)
class Balance:
    """How a team's adults and students were together in some days.

    Attributes:
        of_students: What each student had of each adult, by the ids of both; pairs that never met are left out.
        of_adults: What each adult led, by id.
        met: Ids of the members whom each adult led, by id.
    """

    of_students: Mapping[tuple[str, str], Share]
    of_adults: Mapping[str, Share]
    met: Mapping[str, frozenset[str]]


def balance_adults(team: Team, first: date, last: date) -> Balance:
    """What each member of a team had of each adult, from a first to a last day; adults who left the team included."""
    lengths = {block.block_id: minutes_of(block) for block in team.blocks}
    members = set(team.members)
    of_students: dict[tuple[str, str], Share] = defaultdict(Share)
    of_adults: dict[str, Share] = defaultdict(Share)
    met: dict[str, set[str]] = defaultdict(set)
    for past in _held(team, first, last):
        adult, minutes = past.staff_id or "", lengths.get(past.block_id, 0)
        of_adults[adult] = of_adults[adult].add(minutes)
        for student in members.intersection(past.students):
            of_students[student, adult] = of_students[student, adult].add(minutes)
            met[adult].add(student)
    return Balance(dict(of_students), dict(of_adults), {adult: frozenset(found) for adult, found in met.items()})


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
        held: Sessions of its adult on its unit with half of its students or more.
        lengths: Minutes of each block, by its id.
    """

    series: Series
    held: tuple[PastSession, ...]
    lengths: Mapping[str, int]

    @property
    def wanted(self) -> str:
        """What was held of what is wanted, in words."""
        return self._describe(self.held)

    @property
    def is_met(self) -> bool:
        """Whether the wanted dose was given; never for a series that wants one a day."""
        if self.series.minutes_per_week is not None:
            return self._count_minutes(self.held) >= self.series.minutes_per_week
        days = len({past.date for past in self.held})
        return self.series.sessions_per_week is not None and days >= self.series.sessions_per_week

    def received_by(self, student: str) -> str:
        """What one student of the series had of what is wanted, in words."""
        return self._describe([past for past in self.held if student in past.students])

    def _describe(self, held: Sequence[PastSession]) -> str:
        if self.series.minutes_per_week is not None:
            return f"{self._count_minutes(held)} of {self.series.minutes_per_week} minutes"
        days = len({past.date for past in held})
        if self.series.sessions_per_week is not None:
            return f"{days} of {self.series.sessions_per_week} sessions"
        return f"{days} {'session' if days == 1 else 'sessions'}, one a day is wanted"

    def _count_minutes(self, held: Sequence[PastSession]) -> int:
        return sum(self.lengths.get(past.block_id, 0) for past in held)


def measure_doses(team: Team, first: date, last: date) -> list[Dose]:
    """What each series that runs in these days had of its dose."""
    lengths = {block.block_id: minutes_of(block) for block in team.blocks}
    doses = []
    for series in team.series:
        if last < series.from_date or (series.until is not None and series.until < first):
            continue
        held = tuple(
            past
            for past in _held(team, first, last)
            if past.staff_id == series.staff_id
            and past.skill_id in series.skills
            and len(set(past.students).intersection(series.students)) >= HALF * len(series.students)
        )
        doses.append(Dose(series, held, lengths))
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
