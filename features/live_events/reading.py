"""Reads live events that a state does not hold yet."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

import pandas as pd
from sqlalchemy import Connection, func, or_, select

from features.database import Database
from features.live_events.rows import from_texts
from features.live_events.tables import LIVE_EVENTS


@dataclass(frozen=True)
class LiveRows:
    """Some live events.

    Attributes:
        events: Rows with `features.events.COLUMNS`, in the order they came in.
        through: The number of the last live event there is, whether or not it is among these.
    """

    events: pd.DataFrame
    through: int


def read_live_events(
    database: Database, *, after: int = 0, log_version: int | None = None, as_of: datetime | None = None
) -> LiveRows:
    """The live events with a later number that the profiles of a publication do not hold.

    Args:
        database: Of the installation.
        after: Number of the last event that was read before.
        log_version: Of the event log that the profiles were folded from: what it holds is left out.
        as_of: The moment of the profiles: what occurred later is not in them, whatever log holds it.

    Raises:
        MissingError: There are no tables yet.
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    table = LIVE_EVENTS
    wanted = select(table.c.sequence, table.c.event).where(table.c.sequence > after).order_by(table.c.sequence)
    if log_version is not None:
        missing = [table.c.log_version.is_(None), table.c.log_version > log_version]
        if as_of is not None:
            missing.append(table.c.occurred_us >= pd.Timestamp(as_of).value // 1000)
        wanted = wanted.where(or_(*missing))
    with database.reading() as connection:
        rows = connection.execute(wanted).all()
        through = latest_number(connection)
    events = from_texts(each.event for each in rows) if rows else _no_events()
    return LiveRows(events, max(after, through))


def latest_number(connection: Connection) -> int:
    """The number of the last live event; 0 where there is none."""
    return connection.execute(_LATEST).scalar() or 0


_LATEST = select(func.max(LIVE_EVENTS.c.sequence))


@cache
def _no_events() -> pd.DataFrame:
    """Made once: most looks find nothing, and a request waits for each."""
    return from_texts(())
