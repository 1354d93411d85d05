"""The entries of the audit log in the database: they are added and never changed.

The database itself refuses to change or remove an entry, except that an erasure may set `student_id` to null.
"""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from features.database import Database
from features.database.dialects import upsert
from features.tombstones import find_erased
from serving.store.tables import AUDIT


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One reading of forecasts, or one decision.

    Attributes:
        entry_id: 32 hexadecimal digits.
        at: The moment of the request, UTC.
        key_id: Id of the caller's API key.
        request_id: Id of the request, as in the service's log.
        action: What was done, such as `read_board` or `decide`.
        team_id: Id of the team; None where no team is concerned.
        student_id: Id of the student; None where a whole team was read.
        subject: Id of the recommendation or decision; None where there is none.
    """

    entry_id: str
    at: datetime
    key_id: str
    request_id: str
    action: str
    team_id: str | None = None
    student_id: str | None = None
    subject: str | None = None


def make_entry(
    key_id: str,
    request_id: str,
    action: str,
    *,
    team_id: str | None = None,
    student_id: str | None = None,
    subject: str | None = None,
) -> AuditEntry:
    """An entry with a new id and the present moment."""
    return AuditEntry(uuid.uuid4().hex, datetime.now(UTC), key_id, request_id, action, team_id, student_id, subject)


def add_entries(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Adds entries within a transaction; those that are there already stay as they are.

    An entry about a student who was erased since it was made is stored without the student.
    """
    if not entries:
        return
    erased = find_erased(connection, {entry.student_id for entry in entries if entry.student_id is not None})
    entries = [replace(entry, student_id=None) if entry.student_id in erased else entry for entry in entries]
    connection.execute(upsert(connection, AUDIT), [asdict(entry) for entry in entries])


def list_entries(
    database: Database, *, student_id: str | None = None, since: datetime | None = None
) -> list[AuditEntry]:
    """The entries, the earliest first.

    Args:
        database: The service's database.
        student_id: The student whose entries are wanted, which leaves out those about a whole team; None for all.
        since: The earliest moment, UTC; None for all.

    Raises:
        MissingError: There is no database yet.
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    query = select(AUDIT).order_by(AUDIT.c.at, AUDIT.c.sequence)
    if student_id is not None:
        query = query.where(AUDIT.c.student_id == student_id)
    if since is not None:
        query = query.where(AUDIT.c.at >= since)
    with database.reading() as connection:
        rows = connection.execute(query).mappings().all()
    return [AuditEntry(**{name: row[name] for name in AuditEntry.__slots__}) for row in rows]
