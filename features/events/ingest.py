"""A log file into the event log: read, check, stage by student bucket, drop what is known, commit once.

A run that is killed leaves staged rows, which the next run clears, or skills of items without their events, which
the next run finds there; never half of a file. That is why skills are stored before events and events in one commit.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from features.console import track
from features.database import Database
from features.errors import InputError, TooManyRejectedError
from features.events.checks import check_rows, keep_distinct
from features.events.staging import PartWriter, RejectedWriter, clear_staging, read_new, read_part
from features.events.store import DataVersion, add_item_skills, append_events, data_version, has_events, read_known
from features.home import Home
from features.logs import open_log
from features.schema import BUCKETS
from features.tombstones import NOBODY, Tombstones, read_tombstones

MAX_REJECTED = 0.10
"""A file of which more than this share is rejected was probably read the wrong way."""


@dataclass(frozen=True)
class IngestCounts:
    """What became of the rows of a file; the other row counts add up to `rows_read`.

    Attributes:
        rows_read: Lines or rows of the file.
        events_stored: Responses that are new in the event log.
        events_known: Rows that were there already.
        rows_merged: Rows that name a further skill of the same response.
        activities: Lessons, videos and logins that are new in the event log.
        unused: Rows that are no events, by kind, and rows of students who were erased.
        rejected: Rows that break a rule, by rule.
        nulled: Cells made null, by rule; their rows are counted above.
        data_version: Of the tables afterwards; null if nothing was ever stored.
    """

    rows_read: int
    events_stored: int
    events_known: int
    rows_merged: int
    activities: int
    unused: Mapping[str, int]
    rejected: Mapping[str, int]
    nulled: Mapping[str, int]
    data_version: DataVersion | None

    def to_json(self) -> dict[str, object]:
        """The counts as plain values."""
        return asdict(self)


def ingest_file(
    home: Home,
    path: Path,
    form: str | None = None,
    mapping: Path | None = None,
    kc_model: str | None = None,
    max_rejected: float = MAX_REJECTED,
    now: datetime | None = None,
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

    Raises:
        InputError: The file or the mapping cannot be read, or has no rows.
        TooManyRejectedError: More rows break a rule than `max_rejected`.
        BusyError: Another ingest is running.
        UnavailableError: The disk is full, or this user may not write there; nothing was stored.
        DatabaseAwayError: It cannot be asked who was erased; nothing was stored.
    """
    log = open_log(path, form, mapping, kc_model)
    with Database(home.database_url()) as database:
        erased = read_tombstones(database)
    chunks = track(log.chunks(), f"chunks of {path.name} read", total=log.table.expected_chunks)
    return ingest_rows(home, chunks, log.source, path.name, max_rejected, now, erased)


def ingest_rows(
    home: Home,
    chunks: Iterable[pd.DataFrame],
    source: str,
    name: str,
    max_rejected: float = MAX_REJECTED,
    now: datetime | None = None,
    erased: Tombstones = NOBODY,
) -> IngestCounts:
    """Adds raw rows to the event log in one commit; rows that are known already change nothing.

    Args:
        home: Where the event log is.
        chunks: Rows in the shape of `features.logs.rows.RAW_TYPES`.
        source: What the events name as their source; part of their ids.
        name: Of the file, for messages and the record of rejected rows.
        max_rejected: Largest share of rejected rows, 0-1, with which anything is stored.
        now: The current moment, with a time zone; without it, the clock's.
        erased: Students whose rows are dropped unread.

    Raises:
        InputError: There are no rows.
        TooManyRejectedError: More rows break a rule than `max_rejected`.
        BusyError: Another ingest is running.
        UnavailableError: The disk is full, or this user may not write there; nothing was stored.
    """
    now = now or datetime.now(UTC)
    with _only_ingest(home):
        record = home.staging / "rejected.parquet"
        with RejectedWriter(record) as rejected:
            rows_read, unused, nulled = _stage(home, chunks, source, now, rejected, erased)
            if rows_read == 0:
                raise InputError(f"{name} has no rows")
            item_skills, counts = _stage_new(home, rejected)
        kept = _name_record(home, name, now)
        if rejected.counts.total() > max_rejected * rows_read:
            _keep(record, kept)
            raise _too_many(name, rejected.counts, rows_read, max_rejected, kept)
        _commit(home, item_skills, counts)
        _keep(record, kept)
        return _sum_up(home, rows_read, counts, unused, rejected.counts, nulled)


def ingest_events(home: Home, parts: Iterable[pd.DataFrame], name: str, now: datetime | None = None) -> IngestCounts:
    """Adds events that were checked before to the event log in one commit; those that are known change nothing.

    Args:
        home: Where the event log is.
        parts: Rows with `features.events.checks.COLUMNS`.
        name: For the record of those that contradict the log.
        now: The current moment, with a time zone; without it, the clock's.

    Raises:
        BusyError: Another ingest is running.
        UnavailableError: The disk is full, or this user may not write there; nothing was stored.
    """
    now = now or datetime.now(UTC)
    with _only_ingest(home):
        record, rows_read = home.staging / "rejected.parquet", 0
        with RejectedWriter(record) as rejected:
            with PartWriter(home.staging / "rows") as staged:
                for part in parts:
                    staged.add(part)
                    rows_read += len(part)
            item_skills, counts = _stage_new(home, rejected)
        _commit(home, item_skills, counts)
        _keep(record, _name_record(home, name, now))
        return _sum_up(home, rows_read, counts, {}, rejected.counts, {})


def _stage(
    home: Home, chunks: Iterable[pd.DataFrame], source: str, now: datetime, rejected: RejectedWriter, erased: Tombstones
) -> tuple[int, Counter[str], Counter[str]]:
    """Writes valid rows by bucket; how many rows there were, and the unused and nulled ones by name."""
    rows_read, unused, nulled = 0, Counter[str](), Counter[str]()
    with PartWriter(home.staging / "rows") as parts:
        for raw in chunks:
            gone = raw["student_id"].isin(erased.among(raw["student_id"].dropna().unique()))
            checked = check_rows(raw.assign(unused=raw["unused"].mask(gone, "erased_student")), source, now)
            parts.add(checked.events)
            rejected.add(checked.rejected)
            rows_read += len(raw)
            unused.update(checked.unused)
            nulled.update(checked.nulled)
    return rows_read, unused, nulled


def _stage_new(home: Home, rejected: RejectedWriter) -> tuple[pd.DataFrame, Counter[str]]:
    """Writes events that the log lacks by bucket; the skills of items, and the rows by what became of them."""
    pairs = [pd.DataFrame({"item_id": [], "skill_id": []}, dtype="str")]
    counts = Counter[str]()
    with PartWriter(home.staging / "new") as parts:
        for bucket in track(range(BUCKETS), "student buckets compared", total=BUCKETS):
            rows = read_part(home.staging / "rows", bucket)
            if rows is None:
                continue
            distinct = keep_distinct(rows, read_known(home, bucket))
            parts.add(distinct.events)
            rejected.add(distinct.rejected)
            pairs.append(distinct.item_skills)
            stored = int(distinct.events["kind"].eq("response").sum())
            counts["events_stored"] += stored
            counts["activities"] += len(distinct.events) - stored
            counts["events_known"] += distinct.known
            counts["rows_merged"] += distinct.merged
    item_skills = pd.concat(pairs).drop_duplicates().sort_values(["item_id", "skill_id"], ignore_index=True)
    return item_skills, counts


def _commit(home: Home, item_skills: pd.DataFrame, counts: Counter[str]) -> None:
    has_new = counts["events_stored"] + counts["activities"] > 0
    if has_new or has_events(home):
        add_item_skills(home, item_skills)
    if has_new:
        append_events(home, read_new(home.staging / "new"))


def _sum_up(
    home: Home,
    rows_read: int,
    counts: Counter[str],
    unused: Mapping[str, int],
    rejected: Mapping[str, int],
    nulled: Mapping[str, int],
) -> IngestCounts:
    return IngestCounts(
        rows_read=rows_read,
        events_stored=counts["events_stored"],
        events_known=counts["events_known"],
        rows_merged=counts["rows_merged"],
        activities=counts["activities"],
        unused=dict(unused),
        rejected=dict(rejected),
        nulled=dict(nulled),
        data_version=data_version(home) if has_events(home) else None,
    )


def _name_record(home: Home, name: str, now: datetime) -> Path:
    return home.rejected / f"{now:%Y%m%dT%H%M%S}-{Path(name).stem}.parquet"


def _keep(record: Path, kept: Path) -> None:
    if record.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        record.rename(kept)


def _too_many(name: str, counts: Counter[str], rows_read: int, max_rejected: float, kept: Path) -> TooManyRejectedError:
    rules = ", ".join(f"{rule} {count:,}" for rule, count in counts.most_common())
    return TooManyRejectedError(
        f"{counts.total():,} of {rows_read:,} rows of {name} are rejected ({rules}), more than the share of "
        f"{max_rejected:g} that --max-rejected allows; nothing was stored, the rejected rows are in {kept}"
    )


@contextmanager
def _only_ingest(home: Home) -> Iterator[None]:
    busy = f"another ingest into {home.root} is running; try again when it has ended"
    with home.work("ingest", busy=busy):
        clear_staging(home)
        home.staging.mkdir()
        try:
            yield
        finally:
            clear_staging(home)  # rows about students do not lie about after an error either
