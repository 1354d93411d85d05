"""What goals, wishes and marks of students have in common as they are stored."""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, func, select, update

from features.database.dialects import in_parts
from features.roster import find_gone


class OpenUntil:
    """A goal or wish, which is open until its last day unless somebody ends it before."""

    until: date
    ended_at: datetime | None

    def is_open(self, day: date) -> bool:
        """Whether nobody ended it and its last day has not passed."""
        return self.ended_at is None and self.until >= day


def end_row(connection: Connection, table: Table, student_id: str, key: str, **values: Any) -> bool:  # noqa: ANN401
    """Ends a goal or wish of a student, unless it was ended before, and returns whether there is one.

    Args:
        connection: A transaction of `Database.changing`.
        table: The table, with one column as its key.
        student_id: The student.
        key: The id of the goal or wish.
        values: What its row says from then on.
    """
    (column,) = table.primary_key.columns
    mine = and_(column == key, table.c.student_id == student_id)
    connection.execute(update(table).where(mine, table.c.ended_at.is_(None)).values(**values))
    return bool(connection.execute(select(func.count()).select_from(table).where(mine)).scalar())


def read_rows(
    connection: Connection, table: Table, student_ids: Collection[str], *where: ColumnElement[bool]
) -> Iterator[RowMapping]:
    """Yields the rows of students in a table, without those of students who were erased."""
    for some in in_parts(set(student_ids) - find_gone(connection, student_ids)):
        yield from connection.execute(select(table).where(table.c.student_id.in_(some), *where)).mappings()
