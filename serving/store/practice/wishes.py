"""Wishes of students for their sessions, as they are stored."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Connection, and_, func, insert, select, update

from features.database.dialects import in_parts
from features.roster import find_gone
from serving.store.tables import WISHES


@dataclass(frozen=True)
class StoredWish:
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

    def is_open(self, day: date) -> bool:
        """Whether nobody ended it and its last day has not passed."""
        return self.ended_at is None and self.until >= day


def keep_wish(connection: Connection, wish: StoredWish) -> None:
    """Stores a new wish."""
    connection.execute(insert(WISHES).values(**asdict(wish)))


def end_wish(connection: Connection, student_id: str, wish_id: str, now: datetime) -> bool:
    """Ends a wish of a student, unless it was ended before, and returns whether there is one."""
    wishes = WISHES.c
    mine = and_(wishes.wish_id == wish_id, wishes.student_id == student_id)
    connection.execute(update(WISHES).where(mine, wishes.ended_at.is_(None)).values(ended_at=now))
    return bool(connection.execute(select(func.count()).select_from(WISHES).where(mine)).scalar())


def list_wishes(connection: Connection, student_ids: Collection[str]) -> tuple[StoredWish, ...]:
    """The wishes of students, the newest first, without those that name a student who was erased."""
    wishes = WISHES.c
    rows = [
        StoredWish(**row)
        for some in in_parts(set(student_ids) - find_gone(connection, student_ids))
        for row in connection.execute(select(WISHES).where(wishes.student_id.in_(some))).mappings()
    ]
    gone = find_gone(connection, {row.other_student_id for row in rows if row.other_student_id})
    kept = (row for row in rows if row.other_student_id not in gone)
    return tuple(sorted(kept, key=lambda wish: (wish.wished_at, wish.wish_id), reverse=True))
