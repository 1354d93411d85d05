"""Evidence without answers: what totals of other products say about a student's mastery of a skill.

It is kept apart from events: no answer is made up from it, and no profile of answers, model or forecast changes by it.
The newest estimate of a student's skill is what counts; earlier ones are kept beside it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Column, Connection, Float, MetaData, Table, Text, delete, select

from features.console import track
from features.database import Database
from features.database.dialects import UtcTime, in_parts, upsert
from features.errors import InputError
from features.events.checks import CLOCK_SKEW, EARLIEST, ERASED, count_rules
from features.events.counts import IngestCounts, require_few_rejected
from features.events.log.store import data_version, has_events
from features.events.staging import RejectedWriter, keep_rejected, only_ingest
from features.events.translation import translate_students
from features.home import Home
from features.logs.totals import TotalsLog
from features.roster.people.id_table import SourceIds
from features.roster.tables import count_change
from features.tombstones import Tombstones, read_tombstones

METADATA = MetaData()

EVIDENCE = Table(
    "evidence",
    METADATA,
    Column("student_id", Text, primary_key=True),
    Column("skill_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("occurred_at", UtcTime, primary_key=True),
    Column("mastery", Float, nullable=False),  # expected share of the skill that is mastered, 0-1
    Column("uncertainty", Float, nullable=False),  # its standard deviation
    Column("measure", Text, nullable=False),  # what the figure is called
    Column("figure", Text, nullable=False),  # as it was written
    Column("questions", BigInteger),  # that it rests on; null where nothing says it
)

KEY = ["student_id", "skill_id", "occurred_at"]

FIGURES = ["mastery", "uncertainty", "measure", "figure", "questions"]


@dataclass(frozen=True)
class Evidence:
    """The newest estimate of one student's mastery of one skill that rests on no answers.

    Attributes:
        source: The product.
        occurred_at: Of when the figure is, UTC.
        mastery: Expected share of the skill that is mastered, 0-1.
        uncertainty: Its standard deviation.
        measure: What the figure is called.
        figure: The figure as it was written.
        questions: How many questions it rests on; null where nothing says it.
    """

    source: str
    occurred_at: datetime
    mastery: float
    uncertainty: float
    measure: str
    figure: str
    questions: int | None = None

    def describe(self) -> str:
        """The figure and what it stands for, in a sentence.

        Example:
            >>> Evidence("map", datetime(2026, 3, 5), 0.3, 0.16, "RIT", "187").describe()
            'no answers, only a total of map: RIT 187 on 2026-03-05, about 30% of the skill (14 to 46%)'
        """
        low, high = max(self.mastery - self.uncertainty, 0.0), min(self.mastery + self.uncertainty, 1.0)
        rests = f" from {self.questions:,} questions" if self.questions else ""
        return (
            f"no answers, only a total of {self.source}: {self.measure} {self.figure}{rests} on "
            f"{self.occurred_at:%Y-%m-%d}, about {self.mastery:.0%} of the skill ({100 * low:.0f} to {high:.0%})"
        )


Of = tuple[str, str]
"""A student and a skill."""


def ingest_totals(
    home: Home,
    database: Database,
    log: TotalsLog,
    name: str,
    max_rejected: float,
    now: datetime,
    ids: SourceIds | None = None,
) -> IngestCounts:
    """Stores a file of totals in one transaction; figures that are known already change nothing.

    Args:
        home: Where rejected rows are recorded.
        database: Where evidence is.
        log: The file.
        name: The file's name.
        max_rejected: Largest share of rejected rows, 0-1, with which anything is stored.
        now: The current moment, with a time zone.
        ids: Translates the ids of students; null where they are those of the roster.

    Raises:
        InputError: No row has a figure.
        TooManyRejectedError: More rows break a rule than `max_rejected`.
        BusyError: Another ingest is running.
        DatabaseAwayError: The database cannot be used; nothing was stored.
    """
    with only_ingest(home):
        gone = read_tombstones(database)  # nobody is erased while this runs
        parts = track(log.chunks(), f"chunks of {name} read", total=log.expected_chunks)
        read = (translate_students(part, ids) for part in parts)
        rows = pd.concat([check_totals(part, gone, now) for part in read], ignore_index=True)
        if rows.empty:
            raise InputError(f"{name} has no rows")
        rows, copies = _keep_distinct(rows)
        with RejectedWriter(home.staging / "rejected.parquet") as rejected:
            rejected.add(rows[rows["rejected"].notna()].rename(columns={"skill_id": "skills"}))
        unused = Counter(count_rules(rows["unused"]))
        good = rows[rows["rejected"].isna() & rows["unused"].isna()]
        claims = len(good) + copies + rejected.counts.total()
        require_few_rejected(rejected.counts, claims, max_rejected, name, lambda: keep_rejected(home, name, now))
        if not claims and ERASED not in unused:
            kinds = ", ".join(f"{kind} {count:,}" for kind, count in unused.most_common())
            why = f"no row of {name} has a figure ({kinds})"
            raise InputError("; ".join([why, *(ids.notes() if ids else ())]))
        with database.changing() as connection:
            stored = store_evidence(connection, good, log.source)
            if stored:
                count_change(connection)  # boards and plans read it with the roster
        keep_rejected(home, name, now)
    return IngestCounts(
        rows_read=len(rows) + copies,
        events_stored=0,
        events_known=len(good) - stored + copies,
        rows_merged=0,
        activities=0,
        evidence=stored,
        unused=dict(unused),
        rejected=dict(rejected.counts),
        nulled={},
        data_version=data_version(home) if has_events(home) else None,
        notes=tuple(ids.notes()) if ids else (),
    )


def check_totals(raw: pd.DataFrame, gone: Tombstones, now: datetime) -> pd.DataFrame:
    """Rows of totals with every rule that they break, and those of erased students unused.

    Args:
        raw: Rows in the shape of `features.logs.totals.TOTAL_TYPES`.
        gone: Who was erased.
        now: The current moment.
    """
    erased = raw["student_id"].isin(gone.among(raw["student_id"].dropna().unique()))
    unused = raw["unused"].mask(erased, ERASED)
    late = ~raw["occurred_at"].fillna(EARLIEST).between(EARLIEST, now + CLOCK_SKEW)
    rejected = raw["rejected"].where(raw["rejected"].notna() | ~late, "time_out_of_range")
    return raw.assign(unused=unused, rejected=rejected.where(unused.isna()))


def store_evidence(connection: Connection, rows: pd.DataFrame, source: str) -> int:
    """Stores estimates and returns how many are new; an estimate of the same moment is replaced.

    Args:
        connection: An open transaction.
        rows: With `KEY` and `FIGURES`, each key once.
        source: The product.
    """
    students = sorted(rows["student_id"].unique())
    wanted = EVIDENCE.c.source == source
    known = {
        (row.student_id, row.skill_id, row.occurred_at): tuple(getattr(row, name) for name in FIGURES)
        for some in in_parts(students)
        for row in connection.execute(select(EVIDENCE).where(wanted, EVIDENCE.c.student_id.in_(some)))
    }
    plain = rows[[*KEY, *FIGURES]].astype(object).where(rows[[*KEY, *FIGURES]].notna(), None)
    records: list[dict[str, Any]] = [
        {**record, "source": source, "occurred_at": record["occurred_at"].to_pydatetime()}  # type: ignore[dict-item]
        for record in plain.to_dict("records")
    ]
    new = [
        record
        for record in records
        if known.get((record["student_id"], record["skill_id"], record["occurred_at"]))
        != tuple(record[name] for name in FIGURES)
    ]
    if new:
        changes = {name: upsert(connection, EVIDENCE).excluded[name] for name in FIGURES}
        connection.execute(upsert(connection, EVIDENCE, changes), new)
    return len(new)


def read_evidence(connection: Connection, students: Sequence[str]) -> Mapping[Of, Evidence]:
    """The newest estimate of each of the students' skills."""
    found: dict[Of, Evidence] = {}
    for some in in_parts(students):
        mine = select(EVIDENCE).where(EVIDENCE.c.student_id.in_(some))
        for row in connection.execute(mine.order_by(EVIDENCE.c.occurred_at, EVIDENCE.c.source)):
            values = row._asdict()
            key = values.pop("student_id"), values.pop("skill_id")
            found[key] = Evidence(**values)
    return found


def erase_evidence(connection: Connection, student_id: str) -> int:
    """Removes what is known of a student and returns how many rows there were."""
    return connection.execute(delete(EVIDENCE).where(EVIDENCE.c.student_id == student_id)).rowcount


def forget_evidence(connection: Connection, before: datetime) -> int:
    """Removes estimates from before a moment and returns how many there were."""
    return connection.execute(delete(EVIDENCE).where(EVIDENCE.c.occurred_at < before)).rowcount


def _keep_distinct(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Rows of which no figure comes twice, and how many copies were left out; figures that differ are rejected."""
    good = rows["rejected"].isna() & rows["unused"].isna()
    copy = good & rows[good].duplicated([*KEY, *FIGURES]).reindex(rows.index, fill_value=False)
    rows, good = rows[~copy], good[~copy]
    again = rows[good].duplicated(KEY, keep=False).reindex(rows.index, fill_value=False)
    return rows.assign(rejected=rows["rejected"].mask(again, "conflicting_total")), int(copy.sum())
