"""Rows on their way into the event log, as Parquet files that the next run may delete.

`rows/` holds valid rows as read, `new/` events that the log lacks, and `retagged/` all known events of buckets in which
some have further skills; all with a file per student bucket.
`rejected.parquet` becomes the record of what a run rejected.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from features.events.log.store import EVENT_FIELDS, to_frame, to_table
from features.home import Home
from features.logs.rows import RAW_TYPES, raw_rows
from features.schema import BUCKETS, bucket_of

ROW_FIELDS = EVENT_FIELDS.remove(EVENT_FIELDS.get_field_index("bucket"))
"""Columns of a staged row."""

REJECTED_FIELDS = pa.schema(
    [EVENT_FIELDS.field(name) if name in EVENT_FIELDS.names else pa.field(name, pa.string()) for name in RAW_TYPES]
)
"""Columns of a rejected row: the raw row, and the rule that it breaks as `rejected`."""


class PartWriter(ExitStack):
    """Writes rows to a file per student bucket; used in a `with`, which closes the files."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir(parents=True)
        self._folder = folder
        self._files: dict[int, pyarrow.parquet.ParquetWriter] = {}

    def add(self, rows: pd.DataFrame) -> None:
        """Writes rows with `ROW_FIELDS` to the buckets of their students."""
        bucket = bucket_of(rows["student_id"])
        order = np.argsort(bucket, kind="stable")
        table = to_table(rows, ROW_FIELDS).take(order)
        ends = np.searchsorted(bucket[order], np.arange(BUCKETS + 1))
        for part, (start, end) in enumerate(pairwise(ends)):
            if start < end:
                self._file(part).write_table(table.slice(start, end - start))

    def _file(self, part: int) -> pyarrow.parquet.ParquetWriter:
        if part not in self._files:
            # every id is different, so a dictionary of them would only cost time
            repeating = [name for name in ROW_FIELDS.names if name != "event_id"]
            path = self._folder / f"{part:02d}.parquet"
            writer = pyarrow.parquet.ParquetWriter(path, ROW_FIELDS, use_dictionary=repeating)
            self._files[part] = self.enter_context(writer)
        return self._files[part]


class RejectedWriter(ExitStack):
    """Writes rejected rows to one file and counts them by rule; used in a `with`, which closes the file.

    Attributes:
        counts: Rows so far by rule.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self._path = path
        self._file: pyarrow.parquet.ParquetWriter | None = None

    def add(self, rows: pd.DataFrame) -> None:
        """Writes rows that have at least the rule they break, as `rejected`."""
        if rows.empty:
            return
        self.counts.update(rows["rejected"].tolist())
        columns = {str(name): column for name, column in rows.reset_index(drop=True).items()}
        table = to_table(raw_rows(columns, len(rows)), REJECTED_FIELDS)
        if self._file is None:
            self._file = self.enter_context(pyarrow.parquet.ParquetWriter(self._path, REJECTED_FIELDS))
        self._file.write_table(table)


def read_part(folder: Path, bucket: int) -> pd.DataFrame | None:
    """The staged rows of one bucket; null if it has none."""
    path = folder / f"{bucket:02d}.parquet"
    return to_frame(pyarrow.parquet.read_table(path)) if path.exists() else None


def staged_buckets(folder: Path) -> set[int]:
    """The buckets that have staged rows."""
    return {int(path.stem) for path in folder.glob("*.parquet")}


def read_new(folder: Path) -> Iterator[pa.RecordBatch]:
    """The staged events with `EVENT_FIELDS`, bucket by bucket."""
    for path in sorted(folder.glob("*.parquet")):
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=EVENT_FIELDS.names[:-1]):
                bucket = pa.array(np.full(len(batch), int(path.stem)), EVENT_FIELDS.field("bucket").type)
                yield pa.RecordBatch.from_arrays([*batch.columns, bucket], schema=EVENT_FIELDS)


def clear_staging(home: Home) -> None:
    """Deletes the files of an earlier run; only for the process that holds the lock."""
    shutil.rmtree(home.staging, ignore_errors=True)


@contextmanager
def only_ingest(home: Home) -> Iterator[None]:
    """Locks out other ingests, and erasures; what is staged is gone afterwards."""
    busy = f"another ingest into {home.root} is running; try again when it has ended"
    with home.work("ingest", busy=busy):
        clear_staging(home)
        home.staging.mkdir()
        try:
            yield
        finally:
            clear_staging(home)  # after an error too, no rows about students are left there


def keep_rejected(home: Home, name: str, now: datetime) -> Path:
    """Moves the staged record of rejected rows, if there is one, to where it stays."""
    staged, record = home.staging / "rejected.parquet", home.rejected / f"{now:%Y%m%dT%H%M%S}-{Path(name).stem}.parquet"
    if staged.exists():
        record.parent.mkdir(parents=True, exist_ok=True)
        staged.rename(record)
    return record
