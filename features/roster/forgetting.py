"""Students who were erased and whom a roster names again: the school seats them, and nothing more is known of them."""

from dataclasses import replace

from features.erased import Erased
from features.roster.records import Roster


def drop_erased(roster: Roster, erased: Erased) -> tuple[Roster, int]:
    """The roster without demographics and past sessions of students who were erased, and how many of them it has.

    Who sits in the room tomorrow is a fact that the school decides, so membership and rules stay.
    """
    named = {each.student_id for each in roster.members} | {each.student_id for each in roster.demographics}
    gone = erased.among(named.union(*(each.students for each in roster.past_sessions)))
    if not gone:
        return roster, 0
    past = tuple(
        replace(each, students=tuple(student for student in each.students if student not in gone))
        for each in roster.past_sessions
    )
    facts = tuple(each for each in roster.demographics if each.student_id not in gone)
    return (
        replace(roster, demographics=facts, past_sessions=past),
        len(gone & {each.student_id for each in roster.members}),
    )
