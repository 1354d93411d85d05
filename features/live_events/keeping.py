"""Writes live events, in one transaction that the caller opens: once each, in the order of their commits."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects import postgresql, sqlite

from features.live_events.rows import from_texts, to_records, to_text
from features.live_events.tables import LIVE_EVENTS

WRITING = 7_233_402
"""PostgreSQL advisory lock of whoever adds or erases live events; any number that nothing else uses."""

AT_ONCE = 1000
"""Ids in one question; SQLite takes a limited number of values."""


def one_at_a_time(connection: Connection) -> None:
    """Waits until no other transaction adds live events, and keeps others waiting until this one ends.

    Without it, a later number could be committed before an earlier one, and a reader that has seen the later one
    would never look for the earlier. SQLite has one writer in any case.

    Raises:
        BusyError: The others took too long.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITING})


def known_events(connection: Connection, event_ids: Sequence[str]) -> pd.DataFrame:
    """`event_id`, `item_id` and `score` of those events that the table holds."""
    found: list[str] = []
    for at in range(0, len(event_ids), AT_ONCE):
        some = LIVE_EVENTS.c.event_id.in_(event_ids[at : at + AT_ONCE])
        found += connection.execute(select(LIVE_EVENTS.c.event).where(some)).scalars()
    if not found:
        return pd.DataFrame({"event_id": [], "item_id": [], "score": []}).astype({"event_id": "str", "item_id": "str"})
    return from_texts(found)[["event_id", "item_id", "score"]]


def keep_events(connection: Connection, events: pd.DataFrame, received_at: datetime, key_id: str | None) -> None:
    """Adds events; one whose id is there already changes nothing.

    Args:
        connection: Of a change that called `one_at_a_time`.
        events: Rows with `features.events.COLUMNS`, each id once.
        received_at: In UTC.
        key_id: Of the caller's key.
    """
    rows = [
        {
            "event_id": each["event_id"],
            "student_id": each["student_id"],
            "received_at": received_at,
            "key_id": key_id,
            "occurred_us": None if pd.isna(moment) else each["occurred_at"],
            "event": to_text(each),
            "log_version": None,
        }
        for each, moment in zip(to_records(events), events["occurred_at"], strict=True)
    ]
    if rows:
        connection.execute(_insert(connection), rows)


def forget_students(connection: Connection, student_ids: Sequence[str]) -> int:
    """Deletes the live events of students, and says how many those were."""
    one_at_a_time(connection)
    table = LIVE_EVENTS
    return connection.execute(table.delete().where(table.c.student_id.in_(student_ids))).rowcount


def _insert(connection: Connection) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(LIVE_EVENTS).on_conflict_do_nothing(index_elements=["event_id"])
    return sqlite.insert(LIVE_EVENTS).on_conflict_do_nothing(index_elements=["event_id"])
