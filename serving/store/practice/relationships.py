"""Adults' own marks that they know a student, as they are stored."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete

from features.database.dialects import upsert
from serving.store.practice.of_students import read_rows
from serving.store.tables import RELATIONSHIP_MARKS

Mark = tuple[str, str]
"""A student, and an adult who says to know the student."""


def set_mark(connection: Connection, mark: Mark, *, known: bool, now: datetime, key_id: str) -> None:
    """Stores a mark or takes it away; one that is there stays as it is.

    Args:
        connection: A transaction of `Database.changing`.
        mark: The student and the adult.
        known: Whether the adult knows the student.
        now: The moment, in UTC.
        key_id: Id of the key that sent it.
    """
    student_id, staff_id = mark
    marks = RELATIONSHIP_MARKS
    if known:
        row = {"student_id": student_id, "staff_id": staff_id, "marked_at": now, "key_id": key_id}
        connection.execute(upsert(connection, marks).values(row))
    else:
        connection.execute(delete(marks).where(marks.c.student_id == student_id, marks.c.staff_id == staff_id))


def read_marks(connection: Connection, student_ids: Collection[str]) -> frozenset[Mark]:
    """The marks on students, without those who were erased."""
    rows = read_rows(connection, RELATIONSHIP_MARKS, student_ids)
    return frozenset((row["student_id"], row["staff_id"]) for row in rows)
