"""Live events: the database's table of events that came over HTTP and wait for the event log."""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    or_,
    select,
    text,
)

from features.database import Database
from features.database.dialects import SEQUENCE, UtcTime, in_parts, upsert
from features.events.checks import COLUMNS
from features.events.identity.repeats import Tried
from features.logs.moments import UTC
from features.logs.rows import RAW_TYPES
from features.profiles.kernel import NO_TIME
from features.schema import Event

METADATA = MetaData()

LIVE_EVENTS = Table(
    "live_events",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),  # in the order of commits
    Column("event_id", Text, nullable=False, unique=True),
    Column("student_id", Text, nullable=False, index=True),
    Column("received_at", UtcTime, nullable=False),
    Column("key_id", String(16)),
    Column("occurred_us", BigInteger),  # microseconds since 1970 UTC; null where the source has only an order
    Column("statement", String(32), index=True),  # hash of its source and of the source's own id; null without one
    Column("content", String(32)),  # hash of the whole statement as it came; null where it came in another form
    Column("event", Text, nullable=False),  # JSON of the row as the event log will hold it, and the item's skills
    Column("log_version", BigInteger, index=True),  # of the event log that first held it; null before
    sqlite_autoincrement=True,  # a number is never given twice, even after its event was deleted
)

VOIDED_STATEMENTS = Table(
    "voided_statements",
    METADATA,
    Column("number", SEQUENCE, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("statement_id", Text, nullable=False),
    Column("voided_at", UtcTime, nullable=False),
    Column("log_version", BigInteger),  # of the first event log that holds nothing of it; null before
    UniqueConstraint("source", "statement_id", name="uq_voided_statements_source"),
    sqlite_autoincrement=True,  # a process that has seen one number looks again when it sees another
)


def to_text(event: Event) -> str:
    """The JSON that the table holds; control characters stay escaped, so that any database takes it."""
    return json.dumps(event._asdict(), allow_nan=False)


def from_text(text: str) -> Event:
    """The event that `to_text` wrote."""
    return Event(**json.loads(text))


def to_table(events: Iterable[Event]) -> pd.DataFrame:
    """Rows with `features.events.checks.COLUMNS`, in the order given."""
    cells: list[Sequence[Any]] = list(zip(*events, strict=True)) or [()] * len(COLUMNS)
    of_name = dict(zip(COLUMNS, cells, strict=True))
    time: Any = pd.array(of_name.pop("occurred_at"), dtype=pd.Int64Dtype())
    moments = pd.to_datetime(np.asarray(time.fillna(NO_TIME), np.int64).view("datetime64[us]"), utc=True)
    columns = {name: pd.Series(values, dtype=RAW_TYPES.get(name, "str")) for name, values in of_name.items()}
    columns["occurred_at"] = pd.Series(moments).astype(UTC)
    return pd.DataFrame(columns)[COLUMNS]


WRITING = 7_233_402
"""PostgreSQL advisory lock for adding and erasing live events; any number that nothing else uses."""


def lock_writers(connection: Connection) -> None:
    """Waits until no other transaction adds live events, and keeps others waiting until this one ends.

    Without it, a later number could be committed before an earlier one, and a reader that has seen the later one
    would never look for the earlier. SQLite has one writer in any case.

    Raises:
        BusyError: The others took too long.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITING})


def known_events(connection: Connection, event_ids: Sequence[str]) -> list[Event]:
    """Those events that the table holds."""
    found: list[str] = []
    for some in in_parts(event_ids):
        matches = LIVE_EVENTS.c.event_id.in_(some)
        found += connection.execute(select(LIVE_EVENTS.c.event).where(matches)).scalars()
    return [from_text(text) for text in found]


TRY = re.compile(r'"sequence": (null|-?[0-9]+), "item_id": (null|"(?:[^"\\]|\\.)*"), "score": (null)?')
"""What tells a try in the text of an event; to find it takes a quarter of the time that reading it as JSON does."""


def tries_since(connection: Connection, answered: Mapping[str, Collection[str]], begin: int) -> list[Tried]:
    """The events from a moment on, that the table holds, of the students who answered an item of theirs then.

    Args:
        connection: A transaction.
        answered: Items, by student.
        begin: The moment, in microseconds since 1970 UTC.

    Returns:
        No events of students who answered none of their items.
    """
    table, found, again = LIVE_EVENTS.c, dict[str, list[tuple[str, int, str]]](), set[str]()
    names = {student: {json.dumps(item): item for item in items} for student, items in answered.items()}
    marks = {student: [f'"item_id": {name},' for name in items] for student, items in names.items()}
    for some in in_parts(sorted(answered)):
        mine = select(table.student_id, table.event_id, table.occurred_us, table.event)
        rows = connection.execute(mine.where(table.student_id.in_(some), table.occurred_us >= begin))
        for student, event_id, moment, event in rows:
            found.setdefault(student, []).append((event_id, moment, event))
            if student not in again and any(mark in event for mark in marks[student]):
                again.add(student)
    return [
        Tried(one[0], student, one[1], *_read_try(one[2], names[student]))
        for student in again
        for one in found[student]
    ]


def _read_try(event: str, names: Mapping[str, str]) -> tuple[int | None, str | None, bool]:
    """The last three fields of `Tried`; `names` are the items that matter, by their text in JSON."""
    found = TRY.search(event)
    if found is None:  # an earlier version wrote its fields in another order
        whole = from_text(event)
        return whole.sequence, whole.item_id, whole.score is not None
    return None if found[1] == "null" else int(found[1]), names.get(found[2]), found[3] is None


Origin = tuple[str | None, str | None]
"""The columns `statement` and `content` of a live event."""

NOWHERE: Mapping[str, Origin] = MappingProxyType({})


def keep_events(
    connection: Connection,
    events: Iterable[Event],
    received_at: datetime,
    key_id: str | None,
    origins: Mapping[str, Origin] = NOWHERE,
) -> None:
    """Adds events; one whose id is there already changes nothing.

    Args:
        connection: A transaction that called `lock_writers`.
        events: With distinct ids.
        received_at: The moment of arrival, in UTC.
        key_id: The id of the caller's key; null without one.
        origins: From what events came, by their id; others are of no statement.
    """
    rows = [
        {
            "event_id": event.event_id,
            "student_id": event.student_id,
            "received_at": received_at,
            "key_id": key_id,
            "occurred_us": event.occurred_at,
            **dict(zip(("statement", "content"), origins.get(event.event_id, (None, None)), strict=True)),
            "event": to_text(event),
            "log_version": None,
        }
        for event in events
    ]
    if rows:
        connection.execute(upsert(connection, LIVE_EVENTS), rows)


def drop_events(connection: Connection, event_ids: Sequence[str]) -> None:
    """Deletes events, which may be added again with other skills: their new numbers make every process read them."""
    for some in in_parts(event_ids):
        connection.execute(delete(LIVE_EVENTS).where(LIVE_EVENTS.c.event_id.in_(some)))


def forget_students(connection: Connection, student_ids: Sequence[str]) -> int:
    """Deletes the live events of students; returns how many there were."""
    lock_writers(connection)
    return connection.execute(delete(LIVE_EVENTS).where(LIVE_EVENTS.c.student_id.in_(student_ids))).rowcount


@dataclass(frozen=True)
class LiveRows:
    """Some live events.

    Attributes:
        events: In the order of their arrival.
        through: The number of the last live event there is, whether or not it is among these.
        voided: The number of the last voided statement; with another one, events that were read may be gone.
    """

    events: list[Event]
    through: int
    voided: int


def read_live_events(
    database: Database, *, after: int = 0, log_version: int | None = None, as_of: datetime | None = None
) -> LiveRows:
    """The live events with a later number that the profiles of a publication do not hold.

    Args:
        database: The database of the installation.
        after: Number of the last event that was read before.
        log_version: Version of the event log that the profiles were folded from; events that it holds are left out.
        as_of: The moment of the profiles; later events are read even where the log holds them.

    Raises:
        MissingError: There are no tables yet.
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    wanted = _not_in_log(log_version, as_of).where(LIVE_EVENTS.c.sequence > after)
    with database.reading() as connection:
        rows = connection.execute(wanted).all()
        latest = latest_change(connection)
    return LiveRows([from_text(row.event) for row in rows], max(after, latest.through), latest.voided)


def read_students_events(
    database: Database,
    student_ids: Sequence[str] | None,
    *,
    log_version: int | None = None,
    as_of: datetime | None = None,
) -> list[Event]:
    """The live events of some students, or of all for None, that the profiles of a publication do not hold.

    Args:
        database: The database of the installation.
        student_ids: The students.
        log_version: As `read_live_events` takes it.
        as_of: As `read_live_events` takes it.

    Raises:
        MissingError: There are no tables yet.
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    wanted = _not_in_log(log_version, as_of)
    parts = [wanted]
    if student_ids is not None:
        of_students = LIVE_EVENTS.c.student_id
        parts = [wanted.where(of_students.in_(some)) for some in in_parts(student_ids)]
    with database.reading() as connection:
        return [from_text(row.event) for part in parts for row in connection.execute(part)]


def _not_in_log(log_version: int | None, as_of: datetime | None) -> Select[tuple[int, str]]:
    table = LIVE_EVENTS
    wanted = select(table.c.sequence, table.c.event).order_by(table.c.sequence)
    if log_version is None:
        return wanted
    missing = [table.c.log_version.is_(None), table.c.log_version > log_version]
    if as_of is not None:
        missing.append(table.c.occurred_us >= pd.Timestamp(as_of).value // 1000)
    return wanted.where(or_(*missing))


class Change(NamedTuple):
    """What a process has seen: the number of the last live event, and that of the last voided statement; 0 for none."""

    through: int
    voided: int


def latest_change(connection: Connection) -> Change:
    """What there is to see now."""
    return Change(*(connection.execute(last).scalar() or 0 for last in _LATEST))


_LATEST = select(func.max(LIVE_EVENTS.c.sequence)), select(func.max(VOIDED_STATEMENTS.c.number))
