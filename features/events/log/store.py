"""The event log and the skills of items on disk: Delta Lake tables, so that a commit is all or nothing.

Events are partitioned by student bucket, so that a map over students reads one bucket at a time and shuffles nothing.
A version never changes: a training run that records `data_version` can read the same rows again. Commits of `UPKEEP`
change no row, so that a version and those after it that are of nothing else are one and the same.
"""

import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from features.errors import MissingError, explain_os_error
from features.home import Home
from features.schema import Events, ItemSkills, bucket_of

EVENT_FIELDS = pa.schema(
    [
        ("event_id", pa.string()),
        ("student_id", pa.string()),
        ("kind", pa.string()),
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("sequence", pa.int64()),
        ("item_id", pa.string()),
        ("score", pa.float64()),
        ("correct", pa.bool_()),
        ("attempt", pa.int64()),
        ("hints", pa.int64()),
        ("duration_s", pa.float64()),
        ("source", pa.string()),
        ("skills", pa.string()),
        ("bucket", pa.int32()),
    ]
)
"""A row of the event log: `Events` and the bucket of its student."""

KNOWN = ["event_id", "student_id", "occurred_at", "sequence", "item_id", "score", "skills"]
"""Columns that tell events apart."""

ITEM_SKILL_FIELDS = pa.schema([("item_id", pa.string()), ("skill_id", pa.string())])

ROW_GROUP = 128_000
"""Rows that a writer holds per bucket; bounds the memory of an ingest of any size."""

UPKEEP = {"OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES"}
"""Delta Lake's names of commits that change no row."""

PROPERTIES = {
    # smallest and largest values of listed columns go into the log of commits, where ids of students may not be
    "delta.dataSkippingStatsColumns": "occurred_at",
    "delta.checkpointInterval": "10",  # opening a table reads the commits since
    "delta.logRetentionDuration": "interval 1100 days",  # without its commits an older version cannot be read
}
"""What Delta Lake keeps to of a table; the event log's."""

LET_GO_S = 10.0
"""For how long a write waits until its threads have let go of the rows; it takes milliseconds."""


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_sentences(
    function: Callable[Concatenate[Home, Arguments], Result],
) -> Callable[Concatenate[Home, Arguments], Result]:
    """Turns what Delta Lake, Arrow and the disk refuse into an `UnavailableError`: the user named no file."""

    @wraps(function)
    def call(home: Home, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return function(home, *args, **kwargs)
        except (OSError, DeltaError, pa.ArrowException) as error:
            raise explain_os_error(error, f"the tables in {home.root} cannot be read or written") from error

    return call


@dataclass(frozen=True)
class DataVersion:
    """The versions of the tables that a run has read.

    Attributes:
        events: Version of the event log.
        item_skills: Version of the skills of items.
    """

    events: int
    item_skills: int


@in_sentences
def read_events(
    home: Home,
    buckets: Collection[int] | None = None,
    version: int | None = None,
    columns: Sequence[str] | None = None,
    before: datetime | None = None,
    students: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Events in the shape of `features.schema.Events`, in no order.

    Args:
        home: Where the event log is.
        buckets: Student buckets to read; without them, all.
        version: A version of the event log; without it, the newest.
        columns: Columns to read; without them, all.
        before: Keeps events that occurred earlier, and those of logs without a clock, whose time is null.
        students: Ids of the students whose events are read; without them, all. Only their buckets are opened.

    Raises:
        MissingError: There is no event log, or no such version of it.
        UnavailableError: It cannot be read; so do all functions of this module.
    """
    if students is not None:
        buckets = set(bucket_of(pd.Series(list(students), dtype="str")).tolist())
    rows = pa.dataset.field("bucket").isin([int(bucket) for bucket in buckets]) if buckets is not None else None
    if students is not None:
        rows &= pa.dataset.field("student_id").isin(list(students))
    if before is not None:
        occurred_at = pa.dataset.field("occurred_at")
        limit = pa.scalar(before, pa.timestamp("us", "UTC"))
        earlier = (occurred_at < limit) | occurred_at.is_null()
        rows = earlier if rows is None else rows & earlier
    names = list(columns) if columns is not None else list(Events.to_schema().columns)
    return to_frame(scan_rows(open_table(home.events, version), names, rows).to_table())


@in_sentences
def read_item_skills(home: Home, version: int | None = None) -> pd.DataFrame:
    """The skills of items in the shape of `features.schema.ItemSkills`, in no order.

    Raises:
        MissingError: Nothing was ingested, or there is no such version.
    """
    dataset = to_dataset(open_table(home.item_skills, version))
    return to_frame(dataset.to_table(columns=list(ItemSkills.to_schema().columns)))


@in_sentences
def data_version(home: Home) -> DataVersion:
    """The newest version of the tables; neither upkeep nor ingesting what is known already changes it.

    Raises:
        MissingError: Nothing was ingested.
    """
    return DataVersion(*(_last_change(open_table(path)) for path in (home.events, home.item_skills)))


@in_sentences
def has_events(home: Home) -> bool:
    """Whether anything was ingested."""
    return _is_table(home.events)


@in_sentences
def append_events(home: Home, batches: Iterable[pa.RecordBatch]) -> None:
    """Adds events in one commit: all rows or, if the process dies, none.

    Args:
        home: Where the event log is; made on first use.
        batches: Rows with `EVENT_FIELDS`, read as they are needed; fastest bucket by bucket.
    """
    _write(home, batches, mode="append")


@in_sentences
def replace_buckets(home: Home, buckets: Collection[int], batches: Iterable[pa.RecordBatch]) -> None:
    """Puts events in the place of all events of some buckets, in one commit; `batches` are as above."""
    # a condition stands in the log of commits, where the id of a student may not be
    replaced = f"bucket IN ({', '.join(map(str, sorted(buckets)))})"
    _write(home, batches, mode="overwrite", predicate=replaced)


_LAYOUT: dict[str, Any] = {
    "schema_mode": "merge",  # a log of an earlier version lacks the last columns
    "partition_by": ["bucket"],
    "configuration": PROPERTIES,
    "writer_properties": WriterProperties(compression="ZSTD", max_row_group_size=ROW_GROUP),
}


def _write(home: Home, batches: Iterable[pa.RecordBatch], **how: Any) -> None:  # noqa: ANN401 - write_deltalake's own
    """Writes in one commit, and returns when no thread of the writer holds the rows any more.

    A thread that lets go of a Python object while the interpreter ends takes the whole process with it.
    """
    rows, let_go = (batch for batch in batches), threading.Event()
    weakref.finalize(rows, let_go.set)
    reader = pa.RecordBatchReader.from_batches(EVENT_FIELDS, rows)
    write_deltalake(str(home.events), reader, **how, **_LAYOUT)
    del rows, reader
    let_go.wait(LET_GO_S)


@in_sentences
def scan_buckets(home: Home, buckets: Collection[int]) -> pa.RecordBatchReader:
    """The events of some buckets with `EVENT_FIELDS`, read as they are needed."""
    in_buckets = pa.dataset.field("bucket").isin(sorted(buckets))
    return scan_rows(open_table(home.events), EVENT_FIELDS.names, in_buckets).to_reader()


@in_sentences
def add_item_skills(home: Home, pairs: pd.DataFrame) -> None:
    """Adds the pairs that are not there yet in one commit; no new pair, no commit.

    Args:
        home: Where the table is; made on first use, even without a pair.
        pairs: Rows in the shape of `features.schema.ItemSkills`.
    """
    if _is_table(home.item_skills):
        marked = pairs.merge(read_item_skills(home), how="left", indicator="_found")
        pairs = marked.loc[marked["_found"] == "left_only", ["item_id", "skill_id"]]
        if pairs.empty:
            return
    table = to_table(pairs, ITEM_SKILL_FIELDS)
    write_deltalake(str(home.item_skills), table, mode="append")


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Rows as pandas with nullable whole numbers and truth values."""
    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=nullable.get)
    return frame


def to_table(frame: pd.DataFrame, fields: pa.Schema) -> pa.Table:
    """The frame's columns that the fields name, as Arrow."""
    # pyarrow's own conversion asks pandas for zoned values in a way that pandas deprecates
    columns = [frame[name].dt.tz_convert(None) if name == "occurred_at" else frame[name] for name in fields.names]
    return pa.table(columns, names=fields.names).cast(fields)


def scan_rows(table: DeltaTable, names: Sequence[str], rows: pa.dataset.Expression | None) -> pa.dataset.Scanner:
    """Some columns of a table of events; one that a log of an earlier version lacks is null."""
    dataset = to_dataset(table)
    return dataset.replace_schema(EVENT_FIELDS).scanner(columns=list(names), filter=rows)


def to_dataset(table: DeltaTable) -> pyarrow.dataset.Dataset:
    """The table's rows, read by Arrow alone: by default its threads would call Python, also while that ends."""
    files = pyarrow.fs.SubTreeFileSystem(url2pathname(urlsplit(table.table_uri).path), pyarrow.fs.LocalFileSystem())
    return table.to_pyarrow_dataset(filesystem=files)


def _is_table(path: Path) -> bool:
    """Whether there is a table, even one that may not be read."""
    try:
        (path / "_delta_log").stat()
    except FileNotFoundError:
        return False
    return DeltaTable.is_deltatable(str(path))


def open_table(path: Path, version: int | None = None) -> DeltaTable:
    """A table at the newest version, or with the rows of an earlier one.

    Raises:
        MissingError: There is no table, or no such version.
    """
    if not _is_table(path):
        raise MissingError(f"there is no {path.name} table in {path.parent}; run python -m features ingest first")
    table = DeltaTable(str(path))
    newest = table.version()
    if version is None:
        return table
    if not 0 <= version <= newest:
        raise MissingError(f"{path.name} has no version {version}; right would be 0 to {newest}")
    same = follow_upkeep(table, version)
    return table if same == newest else DeltaTable(str(path), version=same)


def follow_upkeep(table: DeltaTable, version: int) -> int:
    """The newest version with the rows of this one: what upkeep replaced in it may be gone from the disk.

    Args:
        table: At its newest version, since else its history has wrong numbers.
        version: A version of it.
    """
    same = version
    later = table.history(limit=table.version() - version) if version < table.version() else []
    for commit in reversed(later):
        if commit["operation"] not in UPKEEP:
            break
        same = int(commit["version"])
    return same


def _last_change(table: DeltaTable) -> int:
    """The version in which rows changed last."""
    for limit in (10, None):  # a night's upkeep is three commits at most
        for commit in table.history(limit):
            if commit["operation"] not in UPKEEP:
                return int(commit["version"])
    return table.version()
