"""Wishes of students for their sessions, as they are stored."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert

from features.roster import find_gone
from serving.store.practice.of_students import OpenUntil, end_row, read_rows
from serving.store.tables import WISHES


@dataclass(frozen=True)
class StoredWish(OpenUntil):
    """What a student wishes for sessions with an adult; one of the four is set.

    Attributes:
        wish_id: 32 hexadecimal digits.
        student_id: The student.
        other_student_id: The student with whom this one wishes to work.
        staff_id: The adult with whom.
        skill_id: The skill that the student would like to work on.
        room_id: The room of the roster in which.
        wished_at: The moment of the wish, UTC.
        until: The last day, by the school's calendar.
        key_id: Id of the key that sent it.
        ended_at: The moment at which somebody ended it, UTC; null where nobody did.
    """

    wish_id: str
    student_id: str
    other_student_id: str | None
    staff_id: str | None
    skill_id: str | None
    wished_at: datetime
    until: date
    key_id: str
    ended_at: datetime | None = None
    room_id: str | None = None


def keep_wish(connection: Connection, wish: StoredWish) -> None:
    """Stores a new wish."""
    connection.execute(insert(WISHES).values(**asdict(wish)))


def end_wish(connection: Connection, student_id: str, wish_id: str, now: datetime) -> bool:
    """Ends a wish of a student, unless it was ended before, and returns whether there is one."""
    return end_row(connection, WISHES, student_id, wish_id, ended_at=now)


def list_wishes(connection: Connection, student_ids: Collection[str]) -> tuple[StoredWish, ...]:
    """The wishes of students, the newest first, without those that name a student who was erased."""
    rows = [StoredWish(**row) for row in read_rows(connection, WISHES, student_ids)]
    gone = find_gone(connection, {row.other_student_id for row in rows if row.other_student_id})
    kept = (row for row in rows if row.other_student_id not in gone)
    return tuple(sorted(kept, key=lambda wish: (wish.wished_at, wish.wish_id), reverse=True))
