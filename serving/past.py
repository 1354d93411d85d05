"""What past sessions tell about a day: who sat with whom, who met which adult, who has been catching up for long."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from itertools import combinations, takewhile

from features.roster import PastSession
from serving.grouping.people import Contact, MateCount


def count_mates(past: Sequence[PastSession], members: Collection[str]) -> tuple[MateCount, ...]:
    """How often two members shared a session."""
    own = set(members)
    counts = Counter(pair for session in past for pair in combinations(sorted(set(session.students) & own), 2))
    return tuple(MateCount(first, second, count) for (first, second), count in sorted(counts.items()))


def count_contacts(
    past: Sequence[PastSession], members: Collection[str], adults: Collection[str]
) -> tuple[Contact, ...]:
    """How often an adult of the team led a member's session."""
    own = set(members)
    counts = Counter(
        (student, session.staff_id)
        for session in past
        if session.staff_id in adults
        for student in set(session.students) & own
    )
    return tuple(Contact(student, str(adult), count) for (student, adult), count in sorted(counts.items()))


def count_catch_up_days(past: Sequence[PastSession], behind: Collection[str]) -> Mapping[str, int]:
    """Per student, days in a row up to the last on which every session was on a skill to catch up on.

    A day without any session of the student, such as an absence, neither counts nor breaks the row.

    Args:
        past: Led sessions before the day, in any order.
        behind: The skills; those of now, since nobody wrote down what they were then.

    Example:
        >>> led = PastSession(date(2026, 3, 9), "t", "mon-1", "a.rivera", "fractions", ("s0412",))
        >>> count_catch_up_days([led], {"fractions"})
        {'s0412': 1}
    """
    days: dict[str, dict[date, bool]] = defaultdict(dict)
    for session in past:
        for student in session.students:
            mine = days[student]
            mine[session.date] = mine.get(session.date, True) and session.skill_id in behind
    return {
        student: len(list(takewhile(mine.__getitem__, sorted(mine, reverse=True)))) for student, mine in days.items()
    }
