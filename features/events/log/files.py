"""The files of the event log: which hold a student bucket, which came since a version, and rows read from some of them.

A file of the log never changes and is of one bucket, so that a list of files says exactly which events there are.
"""

import math
import secrets
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import lru_cache, reduce
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.ipc
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from features.errors import MissingError, UnavailableError, explain_os_error
from features.events.log.store import EVENT_FIELDS, open_table, to_frame
from features.home import Home

FileLists = Mapping[int, frozenset[str]]
"""Paths of the files of each student bucket that has any."""

REMEMBERED = 4096
"""Files whose students are remembered; as many as a day writes for each of 16 buckets of a year and more."""

DICTIONARIES = ("student_id", "kind", "item_id", "skills")
"""Columns of few distinct texts; as codes they take a tenth of the memory."""


def list_files(home: Home, version: int | None = None, *, replaced: bool = False) -> FileLists:
    """The files with the rows of a version of the event log, by student bucket.

    Args:
        home: Where the event log is.
        version: A version; without it, the newest.
        replaced: Whether those are listed that it had when it was written: merging may have moved their rows since.

    Raises:
        UnavailableError: The log cannot be read, or not at this version any more.
    """
    actions = _read_actions(home, version, replaced=replaced)
    root, found = str(home.events), dict[int, set[str]]()
    for path, bucket in zip(actions["path"].to_pylist(), actions["partition.bucket"].to_pylist(), strict=True):
        found.setdefault(bucket, set()).add(f"{root}/{path}")
    return {bucket: frozenset(paths) for bucket, paths in found.items()}


def count_events(home: Home, version: int) -> dict[int, int]:
    """How many events each student bucket has at a version of the event log, from its commits alone.

    Raises:
        UnavailableError: As above.
    """
    actions = _read_actions(home, version, replaced=False)
    counts = actions.group_by("partition.bucket").aggregate([("num_records", "sum")])
    return dict(zip(counts["partition.bucket"].to_pylist(), counts["num_records_sum"].to_pylist(), strict=True))


def read_files(files: Collection[str], columns: Sequence[str]) -> pd.DataFrame:
    """Rows of some files of the event log, texts of `DICTIONARIES` as categories.

    Args:
        files: Paths from `list_files`.
        columns: Columns to read.

    Raises:
        UnavailableError: A file is gone or cannot be read.
    """
    table = pa.Table.from_batches(_scan(files, columns, None, None), pa.schema([_field(name) for name in columns]))
    return to_frame(table.unify_dictionaries())


def split_files(files: Collection[str], columns: Sequence[str], parts: int, folder: Path) -> list[Path]:
    """Writes the rows of some files to as many new ones as asked for, in one pass, some students after others in each.

    Args:
        files: Paths from `list_files`.
        columns: Columns to write, `student_id` among them.
        parts: How many; fewer where there are fewer students.
        folder: Where they are written, under hidden names; whoever calls deletes them.

    Raises:
        UnavailableError: A file is gone or cannot be read, or the disk is full.
    """
    students = np.array(list_students(files), object)
    most = max(1, math.ceil(len(students) / parts))
    paths = [folder / f".{secrets.token_hex(8)}" for _ in range(0, len(students), most)]
    fields = pa.schema([_field(name) for name in columns])
    try:
        with ExitStack() as stack:
            writers = [stack.enter_context(pa.ipc.new_stream(str(path), fields)) for path in paths]
            for batch in _scan(files, columns, None, None):
                student = batch.column("student_id")
                part_of = np.searchsorted(students, np.array(student.dictionary.to_pylist(), object)) // most
                part = part_of[student.indices.to_numpy()]
                order = np.argsort(part, kind="stable")
                rows = batch.take(pa.array(order))
                ends = np.searchsorted(part[order], np.arange(len(paths) + 1))
                for writer, (start, end) in zip(writers, pairwise(ends.tolist()), strict=True):
                    writer.write_batch(rows.slice(start, end - start))
    except (OSError, pa.ArrowException) as error:
        raise explain_os_error(error, f"a part of the event log cannot be written in {folder}") from error
    return paths


def read_split(path: Path) -> pd.DataFrame:
    """The rows of a file of `split_files`, as `read_files` reads them."""
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        return to_frame(stream.read_all().unify_dictionaries())


def read_where(files: Collection[str], columns: Sequence[str], rows: pyarrow.dataset.Expression) -> pd.DataFrame:
    """Those rows of some files of the event log for which an expression holds, with texts as texts.

    The errors are those of `read_files`.
    """
    fields = pa.schema([_field(name) for name in columns])
    table = pa.Table.from_batches(_scan(files, columns, None, rows), fields)
    return to_frame(table.cast(pa.schema([EVENT_FIELDS.field(name) for name in columns])))


def count_pairs(
    files: Collection[str], before: datetime | None, items: Collection[str], skills: Collection[str]
) -> pd.DataFrame:
    """How many responses of a student bucket to each item name which skills, where the item or the skills are new.

    The columns are `bucket`, `item_id`, `skills` (null where none is named) and `responses`; rows go through memory in
    batches.

    Args:
        files: Paths from `list_files`.
        before: Keeps events that occurred earlier, and those without a time; without it, all.
        items: Ids of the items that are not new.
        skills: Skills that are not new, as `Events.skills` names them.

    The errors are those of `read_files`.
    """
    names = ["bucket", "item_id", "skills"]
    plain = pa.schema([EVENT_FIELDS.field(name) for name in names])
    counts = plain.append(pa.field("responses", pa.int64()))
    item, named = (pa.dataset.field(name).cast(pa.string()) for name in names[1:])
    known_items, known_skills = (pa.array(known, pa.string()) for known in (items, skills))
    new = item.is_valid() & (~item.isin(known_items) | (named.is_valid() & ~named.isin(known_skills)))
    parts = [counts.empty_table()]
    for batch in _scan(files, names, before, new):
        part = pa.table(batch).cast(plain).group_by(names).aggregate([([], "count_all")])
        parts.append(part.rename_columns(counts.names).cast(counts))
    found = pa.concat_tables(parts).group_by(names).aggregate([("responses", "sum")])
    return to_frame(found.rename_columns(counts.names)).astype({"responses": "int64"})


def list_students(files: Collection[str]) -> list[str]:
    """The ids of the students with a row in some files, sorted."""
    batches = _scan(files, ["student_id"], None, None)
    return sorted(reduce(set.union, (set(pc.unique(batch.column(0)).to_pylist()) for batch in batches), set()))


def find_files_of(files: Collection[str], students: Collection[str]) -> list[str]:
    """Those of some files that have a row of one of some students; seldom one more.

    Args:
        files: Paths from `list_files`.
        students: Their ids.

    Raises:
        UnavailableError: A file is gone or cannot be read.
    """
    wanted = _hash_students(students)
    return [path for path in sorted(files) if np.isin(wanted, _students_of(path), assume_unique=True).any()]


@lru_cache(REMEMBERED)
def _students_of(path: str) -> npt.NDArray[np.uint32]:
    """The hashes of the students with a row in a file, sorted; a file of the log never changes."""
    return _hash_students(list_students([path]))


def _hash_students(students: Collection[str]) -> npt.NDArray[np.uint32]:
    return np.unique(np.array([zlib.crc32(student.encode()) for student in students], np.uint32))


def _read_actions(home: Home, version: int | None, *, replaced: bool) -> pa.Table:
    of_version = "the event log" if version is None else f"version {version} of the event log"
    try:
        table = DeltaTable(str(home.events), version=version) if replaced else open_table(home.events, version)
        return pa.table(table.get_add_actions(flatten=True))
    except MissingError as error:  # such as of a log that was restored
        raise UnavailableError(str(error)) from error
    except (OSError, DeltaError) as error:
        raise explain_os_error(error, f"{of_version} cannot be read") from error


def _scan(
    files: Collection[str], columns: Sequence[str], before: datetime | None, rows: pyarrow.dataset.Expression | None
) -> Iterator[pa.RecordBatch]:
    if not files:
        return
    if before is not None:
        occurred_at = pa.dataset.field("occurred_at")
        earlier = (occurred_at < pa.scalar(before, pa.timestamp("us", "UTC"))) | occurred_at.is_null()
        rows = earlier if rows is None else rows & earlier
    try:
        for batch in _open(files).scanner(columns=list(columns), filter=rows).to_batches():
            if len(batch):
                yield batch
    except (OSError, pa.ArrowException) as error:
        raise explain_os_error(error, "files of the event log cannot be read") from error


def _open(files: Collection[str]) -> pyarrow.dataset.Dataset:
    """The files as one table; a column that a log of an earlier version lacks is null."""
    read = pa.dataset.ParquetReadOptions(dictionary_columns=set(DICTIONARIES))
    paths = sorted(files)
    return pa.dataset.dataset(
        paths,
        schema=pa.schema([_field(field.name) for field in EVENT_FIELDS]),
        format=pa.dataset.ParquetFileFormat(read_options=read),
        partitioning=pa.dataset.HivePartitioning(pa.schema([EVENT_FIELDS.field("bucket")])),
        partition_base_dir=str(Path(paths[0]).parents[1]),  # a folder above the log may be called as a bucket is
    )


def _field(name: str) -> pa.Field:
    field = EVENT_FIELDS.field(name)
    return field.with_type(pa.dictionary(pa.int32(), pa.string())) if name in DICTIONARIES else field
