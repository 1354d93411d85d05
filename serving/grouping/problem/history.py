"""The history that past days add to a problem, such as who met whom, counted from the sessions that were held."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import NamedTuple

from serving.grouping.errors import require_range
from serving.grouping.problem.people import Adult, Contact, GroupmateCount, Student
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Pair, Problem


@dataclass(frozen=True, slots=True)
class PastDay:
    """One day that is over, or that counts as if it were.

    Attributes:
        days_ago: how many days before the day to plan it was, 1 for yesterday, weekends counted.
        sessions: what was held, online work included where it is known.
        there: in how many blocks each adult was there; empty where that is not known, and then duties do not count.
    """

    days_ago: int
    sessions: tuple[Session, ...]
    there: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_range("PastDay.days_ago", self.days_ago, 1)

    @property
    def led(self) -> tuple[Session, ...]:
        """The adult-led sessions."""
        return tuple(session for session in self.sessions if session.led)


def remember_day(problem: Problem, sessions: tuple[Session, ...], days_ago: int) -> PastDay:
    """Returns a planned day as part of another day's history."""
    return PastDay(days_ago, sessions, {adult.id: len(adult.blocks) for adult in problem.adults})


class Carried(NamedTuple):
    """The parts of a problem that past days change."""

    adults: tuple[Adult, ...]
    recent_groupmates: tuple[GroupmateCount, ...]
    contacts: tuple[Contact, ...]


def recollect(
    students: Sequence[Student],
    adults: Sequence[Adult],
    past: Sequence[PastDay],
    window_days: int,
    contacts: Iterable[Contact] = (),
) -> Carried:
    """Returns the people of a day to plan with the history that past days add.

    Groupmates, contacts and duties count within the window. People who are not of the day are left out.

    Args:
        students: those of the day to plan.
        adults: those of the day to plan.
        past: days in any order.
        window_days: how far back groupmates, contacts and duties count.
        contacts: counts from before the past days.
    """
    names, leaders = {student.id for student in students}, {adult.id for adult in adults}
    near = [day for day in past if day.days_ago <= window_days]
    met = count_groupmates(near, names)
    before = {(contact.student, contact.adult): contact for contact in contacts}
    led = Counter({pair: contact.sessions for pair, contact in before.items()})
    led.update(count_contacts(near, names, leaders))
    ahead = count_load_off(near)
    return Carried(
        adults=tuple(replace(adult, load_ahead=adult.load_ahead + ahead.get(adult.id, 0.0)) for adult in adults),
        recent_groupmates=tuple(GroupmateCount(*pair, count) for pair, count in met.items()),
        contacts=tuple(Contact(*pair, n, known=pair in before and before[pair].known) for pair, n in led.items()),
    )


def count_groupmates(past: Iterable[PastDay], students: Collection[str]) -> Counter[Pair]:
    """Returns how many adult-led sessions each pair of these students shared, the pair in order of ids."""
    return Counter(
        pair
        for day in past
        for session in day.led
        for pair in combinations(sorted(set(session.students).intersection(students)), 2)
    )


def count_contacts(past: Iterable[PastDay], students: Collection[str], adults: Collection[str]) -> Counter[Pair]:
    """Returns how many sessions each of these adults led for each of these students."""
    return Counter(
        (student, session.adults[0])
        for day in past
        for session in day.led
        if session.adults[0] in adults
        for student in set(session.students).intersection(students)
    )


def count_load_off(past: Iterable[PastDay]) -> dict[str, float]:
    """Returns the blocks by which each adult's duties lie above an even share of the time there; below it, negative.

    A duty is a block in which the adult leads, co-teaches or supervises online work. Days on which nobody is known to
    have been there do not count.
    """
    known = [day for day in past if day.there]
    there = Counter[str]()
    for day in known:
        there.update(day.there)
    duties = Counter(adult for day in known for s in day.sessions for adult in s.adults if adult in there)
    rate = duties.total() / max(1, there.total())
    return {adult: duties[adult] - rate * blocks for adult, blocks in there.items()}
