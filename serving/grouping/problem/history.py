"""What past days leave behind: who met whom lately, counted from the sessions that were really held."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from serving.grouping.errors import require_range
from serving.grouping.problem.people import Adult, Contact, GroupmateCount, Student
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Pair, Problem


@dataclass(frozen=True, slots=True)
class PastDay:
    """One day that is over, or that counts as if it were.

    Attributes:
        days_ago: how many days before the day to plan it was, 1 for yesterday, weekends counted; below 0 for a day
            after it that is already planned.
        sessions: what was held, online work included where it is known.
        catch_up: pairs of student and skill that counted as catching up on that day.
        there: in how many blocks each adult was there; empty where that is not known, and then duties do not count.
    """

    days_ago: int
    sessions: tuple[Session, ...]
    catch_up: frozenset[Pair] = frozenset()
    there: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_range("PastDay.days_ago", abs(self.days_ago), 1)

    @property
    def led(self) -> tuple[Session, ...]:
        """The sessions that an adult led."""
        return tuple(session for session in self.sessions if session.led)


def remember_day(problem: Problem, sessions: tuple[Session, ...], days_ago: int) -> PastDay:
    """Returns a day that was planned as one of the history of another day."""
    behind = frozenset((need.student, need.skill) for need in problem.needs if need.catch_up)
    return PastDay(days_ago, sessions, behind, {adult.id: len(adult.blocks) for adult in problem.adults})


@dataclass(frozen=True, slots=True)
class Carried:
    """The parts of a problem that past days change, with what they leave behind."""

    students: tuple[Student, ...]
    adults: tuple[Adult, ...]
    recent_groupmates: tuple[GroupmateCount, ...]
    contacts: tuple[Contact, ...]


def carry_history(problem: Problem, past: Sequence[PastDay], window_days: int) -> Problem:
    """Returns a problem with past days added to the history that it holds already; see `recollect`.

    Args:
        problem: The day to plan; its own history is of before the days given.
        past: In any order.
        window_days: How far back, and forth, mates and contacts count.

    Example:
        Two students who shared a session yesterday, and two days ago, have met twice within a window of 2 days.
    """
    carried = recollect(
        problem.students,
        problem.adults,
        past,
        window_days,
        recent_groupmates=problem.recent_groupmates,
        contacts=problem.contacts,
    )
    return replace(
        problem,
        students=carried.students,
        adults=carried.adults,
        recent_groupmates=carried.recent_groupmates,
        contacts=carried.contacts,
    )


def recollect(
    students: Sequence[Student],
    adults: Sequence[Adult],
    past: Sequence[PastDay],
    window_days: int,
    *,
    recent_groupmates: Iterable[GroupmateCount] = (),
    contacts: Iterable[Contact] = (),
) -> Carried:
    """Returns what past days leave behind with the people of a day to plan.

    Mates, contacts and duties count within the window, and days in a row of catching up go on from those that students
    had before the days given. People who are not of the day are left out.

    Args:
        students: Of the day to plan.
        adults: Likewise.
        past: In any order.
        window_days: How far back, and forth, mates and contacts count.
        recent_groupmates: From before the days given.
        contacts: Likewise.
    """
    names, leaders = {student.id for student in students}, {adult.id for adult in adults}
    near = [day for day in past if abs(day.days_ago) <= window_days]
    met = Counter({(mate.first, mate.second): mate.sessions for mate in recent_groupmates})
    met.update(count_mates(near, names))
    led = Counter({(contact.student, contact.adult): contact.sessions for contact in contacts})
    led.update(count_contacts(near, names, leaders))
    before = {student.id: student.catch_up_days for student in students}
    row = count_catch_up_days([day for day in past if day.days_ago > 0], before)
    off = count_load_off(near)
    return Carried(
        students=tuple(replace(student, catch_up_days=row[student.id]) for student in students),
        adults=tuple(replace(each, load_ahead=each.load_ahead + off.get(each.id, 0.0)) for each in adults),
        recent_groupmates=tuple(GroupmateCount(*pair, count) for pair, count in met.items()),
        contacts=tuple(Contact(*pair, count) for pair, count in led.items()),
    )


def count_mates(past: Iterable[PastDay], students: Collection[str]) -> Counter[Pair]:
    """Returns how many led sessions each pair of these students shared, the pair in order of ids."""
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


def count_seats_with(past: Iterable[PastDay], adults: Collection[str]) -> Counter[str]:
    """Returns how many sessions that one of these adults led each student sat in."""
    return Counter(
        student for day in past for session in day.led if session.adults[0] in adults for student in session.students
    )


def count_load_off(past: Iterable[PastDay]) -> dict[str, float]:
    """Returns the blocks by which each adult's duties lie above an even share of the time there; below it, negative.

    A duty is a block in which the adult leads, sits beside or monitors. Days on which nobody is known to have been
    there do not count.
    """
    known = [day for day in past if day.there]
    there = Counter[str]()
    for day in known:
        there.update(day.there)
    duties = Counter(adult for day in known for s in day.sessions for adult in s.adults if adult in there)
    rate = duties.total() / max(1, there.total())
    return {adult: duties[adult] - rate * blocks for adult, blocks in there.items()}


def count_coached(past: Iterable[PastDay]) -> Counter[Pair]:
    """Returns in how many blocks each pair of adults was in one led session, the pair in order of ids."""
    return Counter(pair for day in past for s in day.led for pair in combinations(sorted(set(s.adults)), 2))


def count_catch_up_days(past: Iterable[PastDay], before: Mapping[str, int] | None = None) -> Counter[str]:
    """Returns for how many days in a row, up to the last one given, all led seats of a student were catching up.

    A day without a led seat, such as an absence, neither adds to the row nor ends it.

    Args:
        past: In any order.
        before: The row that each student had before the days given; none if not given.

    Example:
        Catching up today and yesterday, away the day before, and on something new before that: 2 days.
    """
    row = Counter(before or {})
    for day in sorted(past, key=lambda day: -day.days_ago):
        new = {student for s in day.led for student in s.students if (student, s.skill) not in day.catch_up}
        for student in {student for session in day.led for student in session.students}:
            row[student] = 0 if student in new else row[student] + 1
    return row
