"""Statements that were taken back: xAPI voids a statement by its id, before or after it came, over HTTP or in a file.

A voided statement is never stored again. What was stored of it leaves the live events at once and the event log with
the next ingest, which is the night's at the latest. Nothing undoes a voiding, as the standard wants it.

Source: ADL, xAPI-Spec, xAPI-Data.md 1.0.3, section 2.3.2.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, delete, select, update

from features.database import Database
from features.database.dialects import in_parts, upsert
from features.errors import MissingError
from features.events.identity.ids import keyed_ids, statement_hash
from features.events.live.answers import LIVE_EVENTS, VOIDED_STATEMENTS
from features.logs.cells import Marks
from features.logs.rows import VOIDED, VOIDING

CANDIDATES = 500_000
"""Ids that are tried at a time: nobody stored of which student a voided statement was."""


@dataclass
class Voids:
    """The voided statements as one run knows them.

    Attributes:
        known: Ids of voided statements by source.
        due: Those of them that the event log may still hold.
        new: Those that this run was the first to see.
    """

    known: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    due: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    new: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def mark(self, raw: pd.DataFrame, source: str) -> pd.DataFrame:
        """Notes which statements some rows void, and marks rows of voided statements as unused.

        Args:
            raw: Rows in the shape of `features.logs.rows.RAW_TYPES`.
            source: Their source.
        """
        voiding = raw["unused"].eq(VOIDING).fillna(value=False) if raw["unused"].notna().any() else None
        if voiding is not None and voiding.any():
            named = set(raw.loc[voiding, "event_key"].dropna()) - self.known[source]
            for ids in (self.known, self.due, self.new):
                ids[source] |= named
        if not self.known.get(source):
            return raw
        gone = raw["unused"].isna() & raw["event_key"].isin(self.known[source])
        return raw.assign(unused=raw["unused"].mask(gone, VOIDED)) if gone.any() else raw

    def among(self, events: pd.DataFrame) -> Marks:
        """Which events are of a statement that is `due`.

        Args:
            events: Rows with at least `event_id` and `student_id`.
        """
        found = np.zeros(len(events), dtype=bool)
        students = events["student_id"].unique().tolist()
        if not students:
            return found
        stored = pa.array(events["event_id"], pa.string(), from_pandas=True)
        at_once = max(1, CANDIDATES // len(students))
        for source, ids in self.due.items():
            for some in in_parts(sorted(ids), at_once):
                may_be = keyed_ids(source, students, some)
                found |= pc.is_in(stored, value_set=may_be).to_numpy(zero_copy_only=False)
        return found


def read_voids(database: Database) -> Voids:
    """All voided statements; none where there are no tables yet.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    voids = Voids()
    table = VOIDED_STATEMENTS
    try:
        with database.reading() as connection:
            rows = connection.execute(select(table.c.source, table.c.statement_id, table.c.log_version)).all()
    except MissingError:
        return voids
    for source, statement_id, log_version in rows:
        voids.known[source].add(statement_id)
        if log_version is None:
            voids.due[source].add(statement_id)
    return voids


def find_voided(connection: Connection, source: str, statement_ids: Collection[str]) -> set[str]:
    """Which of the statements of a source were voided."""
    table, found = VOIDED_STATEMENTS, set[str]()
    for some in in_parts(list(statement_ids)):
        among = table.c.statement_id.in_(some)
        found.update(connection.execute(select(table.c.statement_id).where(table.c.source == source, among)).scalars())
    return found


def settle_voids(database: Database, voids: Voids, log_version: int) -> None:
    """Notes that the event log of a version holds nothing more of the statements that were `due`."""
    if not any(voids.due.values()):
        return
    table = VOIDED_STATEMENTS
    with database.changing() as connection:
        for source, ids in voids.due.items():
            for some in in_parts(sorted(ids)):
                mine = (table.c.source == source) & table.c.statement_id.in_(some) & table.c.log_version.is_(None)
                connection.execute(update(table).where(mine).values(log_version=log_version))


class Held(NamedTuple):
    """A live event of a statement: its id, the hash of the statement's content if that is known, and its student."""

    event_id: str
    content: str | None
    student_id: str


def find_statements(connection: Connection, statements: Sequence[str]) -> dict[str, Held]:
    """The live events of some statements, by the hash of the statement."""
    table, found = LIVE_EVENTS, dict[str, Held]()
    columns = (table.c.statement, table.c.event_id, table.c.content, table.c.student_id)
    for some in in_parts(statements):
        rows = connection.execute(select(*columns).where(table.c.statement.in_(some)))
        found.update({statement: Held(*held) for statement, *held in rows})
    return found


def void_statements(connection: Connection, source: str, statement_ids: Collection[str], now: datetime) -> None:
    """Takes statements back: what came of them goes at once, and the next ingest takes it from the event log.

    Args:
        connection: A transaction that called `lock_writers`.
        source: Their source.
        statement_ids: Their ids, whether or not they have come; one that was voided before stays so.
        now: The moment, in UTC.
    """
    ids = sorted(statement_ids)
    rows = [{"source": source, "statement_id": one, "voided_at": now, "log_version": None} for one in ids]
    if rows:
        connection.execute(upsert(connection, VOIDED_STATEMENTS), rows)
    for some in in_parts([statement_hash(source, statement_id) for statement_id in ids]):
        connection.execute(delete(LIVE_EVENTS).where(LIVE_EVENTS.c.statement.in_(some)))
