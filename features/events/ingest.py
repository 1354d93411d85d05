"""Adds a log file to the event log: reads, checks, stages by student bucket, drops known events, commits once.

A killed run leaves staged rows, which the next run clears, or skills of items without their events, but never half of a
file: skills are stored before events, and all events in one commit.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from features.console import track
from features.database import Database
from features.errors import InputError, TooManyRejectedError
from features.events.changes import commit_changes, stage_changes
from features.events.checks import WORDS, check_rows
from features.events.counts import IngestCounts
from features.events.exports import ExportCheck
from features.events.odd_ids import IdWatch
from features.events.repeats import describe_settled
from features.events.staging import PartWriter, RejectedWriter, clear_staging
from features.events.voided import Voids, read_voids
from features.home import Home
from features.logs import open_log
from features.logs.rows import VOIDED, VOIDING
from features.tombstones import NOBODY, Tombstones, read_tombstones

MAX_REJECTED = 0.10
"""A file was probably read the wrong way if more than this share of its rows that claim an answer is rejected."""

ERASED = "erased_student"
"""Rows of students who were erased are unused."""


def ingest_file(
    home: Home,
    path: Path,
    form: str | None = None,
    mapping: Path | None = None,
    kc_model: str | None = None,
    max_rejected: float = MAX_REJECTED,
    now: datetime | None = None,
    zone: str | None = None,
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

    Raises:
        InputError: The file or the mapping cannot be read, or has no rows.
        TooManyRejectedError: More rows break a rule than `max_rejected`.
        BusyError: Another ingest is running.
        UnavailableError: The disk is full, or this user may not write there; nothing was stored.
        DatabaseAwayError: The tombstones cannot be read; nothing was stored.
    """
    log = open_log(path, form, mapping, kc_model, zone)
    chunks = track(log.chunks(), f"chunks of {path.name} read", total=log.expected_chunks)
    with Database(home.database_url()) as database:
        counts = ingest_rows(
            home,
            chunks,
            log.source,
            path.name,
            max_rejected,
            now,
            lambda: read_tombstones(database),
            log.leaves_open,
            database,
        )
    return replace(counts, notes=(*log.notes, *counts.notes))


def ingest_rows(
    home: Home,
    chunks: Iterable[pd.DataFrame],
    source: str,
    name: str,
    max_rejected: float = MAX_REJECTED,
    now: datetime | None = None,
    read_gone: Callable[[], Tombstones] = lambda: NOBODY,
    leaves_open: Collection[str] = (),
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
        database: Knows which statements were voided; without it, nobody remembers those of this file.

    Raises:
        InputError: There are no rows, or they are another export of answers that are stored.
        TooManyRejectedError: More rows break a rule than `max_rejected`.
        BusyError: Another ingest is running.
        UnavailableError: The disk is full, or this user may not write there; nothing was stored.
    """
    now = now or datetime.now(UTC)
    with _only_ingest(home):
        with RejectedWriter(home.staging / "rejected.parquet") as rejected:
            ids, voids = IdWatch(), Voids() if database is None else read_voids(database)
            rows_read, unused, nulled = _stage(home, chunks, source, now, rejected, read_gone(), ids, voids)
            if rows_read == 0:
                raise InputError(f"{name} has no rows")
            exports, settled = ExportCheck(), Counter[str]()
            new = stage_changes(home, rejected, leaves_open, settled, exports, voids)
        counts = new.counts
        unused.update({VOIDED: new.voided} if new.voided else {})
        answers = rows_read - unused.total()
        if rejected.counts.total() > max_rejected * answers:
            rules = ", ".join(
                f"{rule} {count:,}" + (f": {WORDS[rule]}" if rule in WORDS else "")
                for rule, count in rejected.counts.most_common()
            )
            raise TooManyRejectedError(
                f"{rejected.counts.total():,} of {answers:,} rows of {name} are rejected ({rules}), more than the "
                f"share of {max_rejected:g} that --max-rejected allows; nothing was stored, the rejected rows are in "
                f"{_keep_rejected(home, name, now)}"
            )
        if not counts.total() and not rejected.counts and unused.keys().isdisjoint({ERASED, VOIDED, VOIDING}):
            kinds = ", ".join(f"{kind} {count:,}" for kind, count in unused.most_common())
            raise InputError(f"no row of {name} says how somebody answered or what somebody did ({kinds})")
        exports.refuse(name)
        version = commit_changes(home, new, voids, now, database)
        _keep_rejected(home, name, now)
    broken = [f"{rule} {count:,}: {WORDS[rule]}" for rule, count in rejected.counts.items() if rule in WORDS]
    return IngestCounts(
        rows_read=rows_read,
        unused=dict(unused),
        rejected=dict(rejected.counts),
        nulled=dict(nulled),
        data_version=version,
        notes=(*describe_settled(settled), *broken, *ids.notes(), *new.notes()),
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
    with _only_ingest(home):
        with RejectedWriter(home.staging / "rejected.parquet") as rejected:
            with PartWriter(home.staging / "rows") as staged:
                for part in parts:
                    staged.add(part)
                    rows_read += len(part)
            # what came over HTTP was settled when it came, and may be in a file too
            new = stage_changes(home, rejected, (), Counter(), ExportCheck(), voids)
        version = commit_changes(home, new, voids, now, database)
        _keep_rejected(home, name, now)
    return IngestCounts(
        rows_read=rows_read,
        unused={VOIDED: new.voided} if new.voided else {},
        rejected=dict(rejected.counts),
        nulled={},
        data_version=version,
        notes=new.notes(),
        **new.counts,
    )


def _stage(
    home: Home,
    chunks: Iterable[pd.DataFrame],
    source: str,
    now: datetime,
    rejected: RejectedWriter,
    tombstones: Tombstones,
    ids: IdWatch,
    voids: Voids,
) -> tuple[int, Counter[str], Counter[str]]:
    """Writes valid rows by bucket; returns the number of rows, and counts of the unused and nulled ones by name."""
    rows_read, unused, nulled = 0, Counter[str](), Counter[str]()
    with PartWriter(home.staging / "rows") as parts:
        for raw in chunks:
            gone = raw["student_id"].isin(tombstones.among(raw["student_id"].dropna().unique()))
            ids.add(raw)
            raw = voids.mark(raw, source)  # noqa: PLW2901 - the same rows
            checked = check_rows(raw.assign(unused=raw["unused"].mask(gone, ERASED)), source, now)
            parts.add(checked.events)
            rejected.add(checked.rejected)
            rows_read += len(raw)
            unused.update(checked.unused)
            nulled.update(checked.nulled)
    return rows_read, unused, nulled


def _keep_rejected(home: Home, name: str, now: datetime) -> Path:
    """Moves the staged record of rejected rows, if there is one, to where it stays."""
    staged, record = home.staging / "rejected.parquet", home.rejected / f"{now:%Y%m%dT%H%M%S}-{Path(name).stem}.parquet"
    if staged.exists():
        record.parent.mkdir(parents=True, exist_ok=True)
        staged.rename(record)
    return record


@contextmanager
def _only_ingest(home: Home) -> Iterator[None]:
    busy = f"another ingest into {home.root} is running; try again when it has ended"
    with home.work("ingest", busy=busy):
        clear_staging(home)
        home.staging.mkdir()
        try:
            yield
        finally:
            clear_staging(home)  # after an error too, no rows about students are left there
