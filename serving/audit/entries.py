"""The audit log: who read which forecasts and decided what. Entries are added and never changed.

The database itself refuses to change or remove one, except that an erasure may set `student_id` to null.
"""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from features.database import Database
from features.database.dialects import upsert
from features.tombstones import read_tombstones
from serving.store.tables import AUDIT


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One reading of forecasts, or one decision.

    Attributes:
        entry_id: 32 hexadecimal digits.
        at: In UTC.
        key_id: Of the caller's API key.
        request_id: As the log has it.
        action: Such as `read_board` or `decide`.
        team_id: Null where no team is concerned.
        student_id: Null where a whole team was read.
        subject: Id of the recommendation or decision; null where there is none.
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
    """An entry of this moment; see `AuditEntry`."""
    return AuditEntry(uuid.uuid4().hex, datetime.now(UTC), key_id, request_id, action, team_id, student_id, subject)


def add_entries(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Adds entries within a change of the database; those that are there already stay as they are.

    An entry about a student who was erased since it was made names nobody.
    """
    if not entries:
        return
    erased = read_tombstones(connection).among(each.student_id for each in entries if each.student_id is not None)
    entries = [replace(each, student_id=None) if each.student_id in erased else each for each in entries]
    connection.execute(upsert(connection, AUDIT), [asdict(each) for each in entries])


def list_entries(
    database: Database, *, student_id: str | None = None, since: datetime | None = None
) -> list[AuditEntry]:
    """The entries, the earliest first.

    Args:
        database: Of the service.
        student_id: Only of this student; entries about a whole team have none.
        since: Only of this moment and later, UTC.

    Raises:
        MissingError: There is no database yet.
        BusyError: It stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    query = select(AUDIT).order_by(AUDIT.c.at, AUDIT.c.sequence)
    if student_id is not None:
        query = query.where(AUDIT.c.student_id == student_id)
    if since is not None:
        query = query.where(AUDIT.c.at >= since)
    with database.reading() as connection:
        rows = connection.execute(query).mappings().all()
    return [AuditEntry(**{name: row[name] for name in AuditEntry.__slots__}) for row in rows]
