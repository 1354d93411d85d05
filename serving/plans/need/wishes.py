"""Which wishes of students a day can meet; they decide between plans that meet about as much need."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from serving.grouping import Wish
from serving.store.practice.wishes import StoredWish


def state_wishes(
    stored: Iterable[StoredWish], day: date, students: Collection[str], adults: Collection[str], skills: Collection[str]
) -> Iterator[Wish]:
    """Yields the open wishes that a day can meet, each once: of people who are of it, on skills that it is about."""
    found = {
        Wish(each.student_id, each.other_student_id, each.staff_id, each.skill_id): None
        for each in stored
        if each.is_open(day)
    }
    for wish in found:
        people = {wish.student, wish.other} - {None}
        if people <= set(students) and (wish.adult in (None, *adults)) and (wish.skill in (None, *skills)):
            yield wish
