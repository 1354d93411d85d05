"""Which wishes of students a day can meet; they decide between plans that meet about as much need."""

from collections.abc import Collection, Iterable
from datetime import date

from serving.grouping import Room, Wish
from serving.plans.rooms import is_of_room
from serving.store.practice.wishes import StoredWish


def state_wishes(
    stored: Iterable[StoredWish],
    day: date,
    students: Collection[str],
    adults: Collection[str],
    skills: Collection[str],
    rooms: Collection[Room],
) -> tuple[Wish, ...]:
    """The open wishes that a day can meet, each once: of its people, on skills that it is about, in rooms it has."""
    found: dict[Wish, None] = {}
    for each in stored:
        places = tuple(room.id for room in rooms if each.room_id and is_of_room(room.id, each.room_id))
        if (
            each.is_open(day)
            and {each.student_id, each.other_student_id} - {None} <= set(students)
            and each.staff_id in (None, *adults)
            and each.skill_id in (None, *skills)
            and (places or each.room_id is None)
        ):
            found[Wish(each.student_id, each.other_student_id, each.staff_id, each.skill_id, places)] = None
    return tuple(found)
