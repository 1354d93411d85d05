"""Adds a log file to the event log: reads, checks, stages by student bucket, drops known events, commits once.

A killed run leaves staged rows, which the next run clears, or skills of items without their events, but never half of a
file: skills are stored before events, and all events in one commit.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd

from features.console import track
from features.database import Database
from features.errors import InputError
from features.events.changes import commit_changes, stage_changes
from features.events.checks import ERASED, WORDS, check_rows
from features.events.counts import IngestCounts, require_few_rejected
from features.events.coverage import Coverage
from features.events.evidence import ingest_totals
from features.events.identity.exports import ExportCheck
from features.events.identity.odd_ids import IdWatch
from features.events.identity.repeats import describe_settled
from features.events.identity.voided import Voids, read_voids
from features.events.staging import PartWriter, RejectedWriter, keep_rejected, only_ingest
from features.events.translation import translate_students
from features.home import Home
from features.logs import open_log
from features.logs.files.content import describe_source
from features.logs.rows import VOIDED, VOIDING
from features.logs.totals import TotalsLog
from features.roster.people.id_table import SourceIds, translating
from features.tombstones import NOBODY, Tombstones, read_tombstones

MAX_REJECTED = 0.10
"""A file was probably read the wrong way if more than this share of its rows that claim an answer is rejected."""


def ingest_file(
    home: Home,
    path: Path,
    form: str | None = None,
    mapping: Path | None = None,
    kc_model: str | None = None,
    max_rejected: float = MAX_REJECTED,
    now: datetime | None = None,
    zone: str | None = None,
    sheet: str | None = None,
) -> IngestCounts:
    """Adds a log file to the event log.

    Args:
        home: Where the event log is.
        path: The file.
        form: One of `features.logs.FORMATS`; without it, what the header looks like.
        mapping: A TOML file that says what each column is.
        kc_model: Knowledge component model of a DataShop export.
        max_rejected: Largest share of rejected rows, 0-1, with which anything is stored.
        now: The current moment, with a time zone; without it, the clock's.
        zone: Time zone of times that name none, where no mapping says it.
        sheet: Name of the sheet that is read of a spreadsheet.

    Raises:
        InputError: The file or the mapping cannot be read, or has no rows.
        TooManyRejectedError: More rows break a rule than `max_rejected`.
        BusyError: Another ingest is running.
        UnavailableError: The disk is full, or this user may not write there; nothing was stored.
        DatabaseAwayError: The tombstones cannot be read; nothing was stored.
    """
    log = open_log(path, form, mapping, kc_model, zone, sheet)
    chunks = track(log.chunks(), f"chunks of {path.name} read", total=log.expected_chunks)
    with Database(home.database_url()) as database, translating(database, log.source) as ids:
        if isinstance(log, TotalsLog):
            counts = ingest_totals(home, database, log, path.name, max_rejected, now or datetime.now(UTC), ids)
        else:
            gone = partial(read_tombstones, database)
            counts = ingest_rows(
                home, chunks, log.source, path.name, max_rejected, now, gone, log.leaves_open, ids, database
            )
    source = describe_source(path, sheet)
    return replace(counts, notes=(*([source] if source else ()), *log.notes, *counts.notes))


def ingest_rows(
    home: Home,
    chunks: Iterable[pd.DataFrame],
    source: str,
    name: str,
    max_rejected: float = MAX_REJECTED,
    now: datetime | None = None,
    read_gone: Callable[[], Tombstones] = lambda: NOBODY,
    leaves_open: Collection[str] = (),
    ids: SourceIds | None = None,
    database: Database | None = None,
) -> IngestCounts:
    """Adds raw rows to the event log in one commit; rows that are known already change nothing.

    Args:
        home: Where the event log is.
        chunks: Rows in the shape of `features.logs.rows.RAW_TYPES`.
        source: The `source` of the events; part of their ids.
        name: The file's name, for messages and the record of rejected rows.
        max_rejected: Largest share of rejected rows, 0-1, with which anything is stored.
        now: The current moment, with a time zone; without it, the clock's.
        read_gone: Reads which students' rows are dropped unread; called while nobody can be erased.
        leaves_open: What the log does not say, of `features.logs.rows.OPEN`.
        ids: Translates the ids of students; null where they are those of the roster.
        database: Knows which statements were voided; without it, nobody remembers those of this file.

    Raises:
        InputError: There are no rows, or they are another export of answers that are stored.
        TooManyRejectedError: More rows break a rule than `max_rejected`.
        BusyError: Another ingest is running.
        UnavailableError: The disk is full, or this user may not write there; nothing was stored.
    """
    now = now or datetime.now(UTC)
    with only_ingest(home):
        with RejectedWriter(home.staging / "rejected.parquet") as rejected:
            watches = watch, coverage = IdWatch(), Coverage()
            voids = Voids() if database is None else read_voids(database)
            rows_read, unused, nulled = _stage(home, chunks, source, now, rejected, read_gone(), watches, ids, voids)
            if rows_read == 0:
                raise InputError(f"{name} has no rows")
            exports, settled = ExportCheck(), Counter[str]()
            new = stage_changes(home, rejected, leaves_open, settled, exports, voids)
        counts = new.counts
        unused.update({VOIDED: new.voided} if new.voided else {})
        answers = rows_read - unused.total()
        require_few_rejected(rejected.counts, answers, max_rejected, name, lambda: keep_rejected(home, name, now))
        if not counts.total() and not rejected.counts and unused.keys().isdisjoint({ERASED, VOIDED, VOIDING}):
            kinds = ", ".join(f"{kind} {count:,}" for kind, count in unused.most_common())
            why = f"no row of {name} says how somebody answered or what somebody did ({kinds})"
            raise InputError("; ".join([why, *(ids.notes() if ids else ())]))
        exports.refuse(name)
        version = commit_changes(home, new, voids, now, database)
        keep_rejected(home, name, now)
    broken = [f"{rule} {count:,}: {WORDS[rule]}" for rule, count in rejected.counts.items() if rule in WORDS]
    of_ids = [*watch.notes(), *(ids.notes() if ids else ())]
    return IngestCounts(
        rows_read=rows_read,
        unused=dict(unused),
        rejected=dict(rejected.counts),
        nulled=dict(nulled),
        data_version=version,
        notes=(
            *describe_settled(settled),
            *broken,
            *of_ids,
            *coverage.describe(),
            *new.notes(),
        ),
        coverage=coverage.shares(),
        **counts,
    )


def ingest_events(
    home: Home,
    parts: Iterable[pd.DataFrame],
    name: str,
    now: datetime | None = None,
    database: Database | None = None,
) -> IngestCounts:
    """Adds events that were checked before to the event log in one commit; those that are known change nothing.

    Args:
        home: Where the event log is.
        parts: Rows with `features.events.checks.COLUMNS`.
        name: Names the record of events that contradict the log.
        now: The current moment, with a time zone; without it, the clock's.
        database: Knows which statements were voided.

    Raises:
        BusyError: Another ingest is running.
        UnavailableError: The disk is full, or this user may not write there; nothing was stored.
    """
    voids = Voids() if database is None else read_voids(database)
    now, rows_read = now or datetime.now(UTC), 0
    with only_ingest(home):
        with RejectedWriter(home.staging / "rejected.parquet") as rejected:
            with PartWriter(home.staging / "rows") as staged:
                for part in parts:
                    staged.add(part)
                    rows_read += len(part)
            # what came over HTTP was settled when it came, and may be in a file too
            new = stage_changes(home, rejected, (), Counter(), ExportCheck(), voids)
        version = commit_changes(home, new, voids, now, database)
        keep_rejected(home, name, now)
    return IngestCounts(
        rows_read=rows_read,
        unused={VOIDED: new.voided} if new.voided else {},
        rejected=dict(rejected.counts),
        nulled={},
        data_version=version,
        notes=new.notes(),
        coverage={},
        **new.counts,
    )


def _stage(
    home: Home,
    chunks: Iterable[pd.DataFrame],
    source: str,
    now: datetime,
    rejected: RejectedWriter,
    tombstones: Tombstones,
    watches: tuple[IdWatch, Coverage],
    ids: SourceIds | None,
    voids: Voids,
) -> tuple[int, Counter[str], Counter[str]]:
    """Writes valid rows by bucket; returns the number of rows, and counts of the unused and nulled ones by name."""
    rows_read, unused, nulled = 0, Counter[str](), Counter[str]()
    with PartWriter(home.staging / "rows") as parts:
        for chunk in chunks:
            watches[0].add(chunk)
            raw = voids.mark(translate_students(chunk, ids), source)
            gone = raw["student_id"].isin(tombstones.among(raw["student_id"].dropna().unique()))
            checked = check_rows(raw.assign(unused=raw["unused"].mask(gone, ERASED)), source, now)
            watches[1].add(checked.events)
            parts.add(checked.events)
            rejected.add(checked.rejected)
            rows_read += len(raw)
            unused.update(checked.unused)
            nulled.update(checked.nulled)
    return rows_read, unused, nulled
