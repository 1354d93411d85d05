"""Removes from the event log who is erased and what is too old, merges its small files, and removes those nobody needs.

Whoever calls has locked out every other writer (`Home.work("ingest")`).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
from deltalake import ColumnProperties, DeltaTable, WriterProperties
from deltalake.exceptions import DeltaError

from features.events.log.store import (
    EVENT_FIELDS,
    PROPERTIES,
    ROW_GROUP,
    follow_upkeep,
    has_events,
    in_sentences,
    open_table,
    replace_buckets,
    scan_rows,
    to_dataset,
)
from features.home import Home
from features.schema import bucket_of

SMALL_FILES = 8
"""So many small files in a bucket, each of a night, are merged."""

SMALL = 2**16
"""A file of fewer bytes is small, and so is one of less than a quarter of its bucket; larger ones stay as they are, so
that a version that is kept shares them with the newest."""

MERGED = WriterProperties(
    compression="ZSTD",
    max_row_group_size=ROW_GROUP,
    # merging knows nothing of `dataSkippingStatsColumns`, and would name students in the log of commits
    default_column_properties=ColumnProperties(statistics_enabled="NONE"),
    column_properties={"occurred_at": ColumnProperties(statistics_enabled="CHUNK")},
)


@dataclass(frozen=True)
class Upkeep:
    """What became of the log's files.

    Attributes:
        merged: How many small files were merged into larger ones.
        removed: How many were removed from disk, since nothing names them any more.
        bytes: How large those were.
    """

    merged: int = 0
    removed: int = 0
    bytes: int = 0


@in_sentences
def tidy_events(home: Home, needed: Collection[int], grace: timedelta, *, dry_run: bool = False) -> Upkeep:
    """Merges small files of the event log, and removes files of it that nothing needs.

    Args:
        home: Where the log is.
        needed: Versions of it that stay readable, as long as no erasure or retention removed them.
        grace: How long files that were replaced stay for whoever is reading them.
        dry_run: Whether everything is only counted.

    Raises:
        UnavailableError: It cannot be read or written.
    """
    if not has_events(home):
        return Upkeep()
    merged = _merge(open_table(home.events), dry_run=dry_run)
    table = open_table(home.events)
    kept = sorted(set(_find_kept(table, needed)))
    # those that were removed before are named for some days more
    listed = (home.events / name for name in _remove_files(table, kept, grace, dry_run=True))
    sizes = [path.stat().st_size for path in listed if path.exists()]
    if sizes and not dry_run:
        _remove_files(table, kept, grace)
    copies = _find_checkpoints(home.events / "_delta_log")
    sizes += [path.stat().st_size for path in copies]
    for path in () if dry_run else copies:
        path.unlink()
    return Upkeep(merged, len(sizes), sum(sizes))


def _merge(table: DeltaTable, *, dry_run: bool) -> int:
    """Merges small files where there are many, and returns how many were merged."""
    files = pa.table(table.get_add_actions(flatten=True))
    sizes, buckets = files["size_bytes"].to_pylist(), max(1, len(pc.unique(files["partition.bucket"])))
    limit = max(SMALL, sum(sizes) // buckets // 4)
    small = sum(size < limit for size in sizes)
    if small < SMALL_FILES * buckets:
        return 0
    if dry_run:
        return int(small)
    if any(table.metadata().configuration.get(name) != value for name, value in PROPERTIES.items()):
        table.alter.set_table_properties(PROPERTIES)  # a log of an earlier version
    return int(table.optimize.compact(target_size=limit, writer_properties=MERGED)["numFilesRemoved"])


def _find_checkpoints(log: Path) -> list[Path]:
    """Older checkpoints of a log of commits, which say what these say; none where the first commits are gone."""
    return sorted(log.glob("*.checkpoint.parquet"))[:-1] if (log / f"{0:020}.json").exists() else []


def _find_kept(table: DeltaTable, needed: Collection[int]) -> Iterator[int]:
    for version in needed:
        if 0 <= version <= table.version():
            same = follow_upkeep(table, version)
            try:
                DeltaTable(table.table_uri, version=same)
            except DeltaError:  # its commits are gone, and with them any way to read it
                continue
            yield same


@in_sentences
def erase_events(home: Home, student_id: str) -> int:
    """Removes a student's events from the log, and all older versions of it from disk; returns how many there were.

    A run that asks for an older version then finds it gone.
    """
    if not has_events(home):
        return 0
    table = open_table(home.events)
    bucket = int(bucket_of(pd.Series([student_id], dtype="str"))[0])
    in_bucket = pa.dataset.field("bucket") == bucket
    mine = pa.dataset.field("student_id") == student_id
    count = int(to_dataset(table).count_rows(filter=in_bucket & mine))
    if count:
        replace_buckets(home, [bucket], scan_rows(table, EVENT_FIELDS.names, in_bucket & ~mine).to_reader())
    # also where nothing was left to remove: a killed run may have left the old files
    _remove_files(open_table(home.events))
    return count


@in_sentences
def find_span(home: Home, version: int | None = None) -> tuple[datetime, datetime] | None:
    """When the first and the last event of the log occurred, from its commits alone; null where no event has a time.

    Args:
        home: Where the event log is.
        version: A version of it; without it, the newest.
    """
    if not has_events(home):
        return None
    files = pa.table(open_table(home.events, version).get_add_actions(flatten=True))
    if "min.occurred_at" not in files.column_names:
        return None
    first, last = pc.min(files["min.occurred_at"]).as_py(), pc.max(files["max.occurred_at"]).as_py()
    return None if first is None or last is None else (first, last)


@in_sentences
def forget_events(home: Home, before: datetime) -> int:
    """Removes the events before a moment from the log, and older versions of it from disk; returns how many there were.

    Those of logs without a clock stay.
    """
    moment = before.astimezone(UTC).isoformat(timespec="microseconds")
    removed = open_table(home.events).delete(f"occurred_at < '{moment}'")["num_deleted_rows"]
    _remove_files(open_table(home.events))
    return int(removed)


def _remove_files(
    table: DeltaTable, kept: Sequence[int] = (), grace: timedelta = timedelta(0), *, dry_run: bool = False
) -> list[str]:
    """Removes files that neither the newest version of a table nor a kept one holds, or lists them."""
    return table.vacuum(
        retention_hours=grace // timedelta(hours=1),
        enforce_retention_duration=False,
        dry_run=dry_run,
        full=True,  # also files of writes that were killed: they hold students, and no version names them
        keep_versions=list(kept) or None,
    )
