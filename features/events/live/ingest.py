"""Ingests live events into the event log: one commit there, then a mark in the table.

A run that is killed between the two leaves events in the log that are not marked; the next run finds them known by
their ids and marks them. Nothing is lost and nothing doubled.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pandas as pd
from sqlalchemy import delete, func, select, update

from features.database import Database
from features.errors import MissingError
from features.events.counts import IngestCounts
from features.events.identity.voided import read_voids
from features.events.ingest import ingest_events
from features.events.live.answers import LIVE_EVENTS, from_text, to_table
from features.home import Home

logger = logging.getLogger("regroup")

AT_ONCE = 100_000
"""Events in memory at a time."""

KEPT = timedelta(days=30)
"""How long events stay in the table after the log holds them: a service that serves older profiles needs them."""


def count_waiting(database: Database) -> int:
    """How many live events the event log lacks."""
    try:
        with database.reading() as connection:
            waiting = select(func.count()).select_from(LIVE_EVENTS).where(LIVE_EVENTS.c.log_version.is_(None))
            return int(connection.execute(waiting).scalar_one())
    except MissingError:
        return 0  # without tables no event ever arrived


def ingest_live_events(home: Home, database: Database, now: datetime | None = None) -> IngestCounts | None:
    """Adds every live event that the event log lacks, and removes what was voided; null where there is neither.

    Args:
        home: Where the event log is.
        database: The database with the live events.
        now: The current moment, in UTC; without it, the clock's.

    Raises:
        BusyError: Another ingest is running, or the database stayed locked.
        UnavailableError: The disk is full.
        DatabaseAwayError: The database cannot be used; the events stay in it for the next night.
    """
    table, now = LIVE_EVENTS, now or datetime.now(UTC)
    try:
        with database.reading() as connection:
            waiting = select(func.max(table.c.sequence)).where(table.c.log_version.is_(None))
            last = connection.execute(waiting).scalar()
    except MissingError:
        return None  # without tables no event ever arrived
    if last is None and not any(read_voids(database).due.values()):
        return None
    counts = ingest_events(home, () if last is None else _read(database, last), "live", now, database)
    if last is None:
        return counts
    # without a log, all that waited was voided
    version = 0 if counts.data_version is None else counts.data_version.events
    with database.changing() as connection:
        stored = update(table).where(table.c.log_version.is_(None), table.c.sequence <= last)
        connection.execute(stored.values(log_version=version))
        connection.execute(delete(table).where(table.c.log_version.is_not(None), table.c.received_at < now - KEPT))
    return counts


def _read(database: Database, last: int) -> Iterator[pd.DataFrame]:
    """The waiting events in parts, each read in its own transaction, so that none stays open during the ingest."""
    table, after = LIVE_EVENTS, 0
    while True:
        waiting = (
            select(table.c.sequence, table.c.event)
            .where(table.c.log_version.is_(None), table.c.sequence > after, table.c.sequence <= last)
            .order_by(table.c.sequence)
            .limit(AT_ONCE)
        )
        with database.reading() as connection:
            rows = connection.execute(waiting).all()
        if not rows:
            return
        after = rows[-1].sequence
        yield to_table(from_text(row.event) for row in rows)
