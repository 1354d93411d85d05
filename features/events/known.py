"""What the event log holds already of the rows of a file, without reading all of it.

An event is told by its id, which is made of its student's among others: files without an event of the rows' students
stay closed, such as those of other schools. Row groups cannot say which ids they hold: so of the other files all ids
are read. What else is asked of earlier events, whether a row is a retry, and whether a file is another export of what
is stored, is of the hours around the rows. Row groups of other days stay closed.
"""

from collections.abc import Collection

import pandas as pd
import pyarrow as pa
import pyarrow.dataset

from features.events.identity.exports import FARTHEST_MIN
from features.events.identity.repeats import SESSION, has_whole_sessions
from features.events.log.files import find_files_of, read_where
from features.events.log.store import KNOWN

NEAR = pd.Timedelta(minutes=FARTHEST_MIN) + pd.Timedelta(SESSION)
"""Events of so long before and after the rows of a file are compared with them."""

EVERY = pyarrow.dataset.scalar(True)


def read_known(files: Collection[str], rows: pd.DataFrame | None, leaves_open: Collection[str]) -> pd.DataFrame:
    """Stored events of one student bucket, with `features.events.log.store.KNOWN`.

    Args:
        files: The bucket's files, from `features.events.log.files.list_files`.
        rows: Valid rows with `features.events.checks.COLUMNS`: only events that they may be compared with are read,
            those with an id of theirs and those of their students around them in time. Without rows, all.
        leaves_open: What the log of the rows does not say, of `features.logs.rows.OPEN`.

    Raises:
        UnavailableError: A file of the event log cannot be read.
    """
    if rows is None:
        return read_where(files, KNOWN, EVERY)
    files = find_files_of(files, rows["student_id"].unique())
    known = _read_same(files, rows)
    times = rows["occurred_at"].dropna()
    if times.empty:
        return known
    since, until = times.min() - NEAR, times.max() + NEAR
    student = pyarrow.dataset.field("student_id").cast(pa.string())
    mine = student.isin(pa.array(rows["student_id"].unique(), pa.string()))
    near = read_where(files, KNOWN, _is_between(since, until) & mine)
    far = known[~known["event_id"].isin(near["event_id"])]
    if "retries" in leaves_open and not (far["occurred_at"].isna().all() and has_whole_sessions(rows, near, since)):
        return read_where(files, KNOWN, mine)
    return pd.concat([near, far], ignore_index=True) if len(far) else near


def _read_same(files: Collection[str], rows: pd.DataFrame) -> pd.DataFrame:
    """Events with an id of the rows; mostly none, which the ids alone tell."""
    same = pyarrow.dataset.field("event_id").isin(pa.array(rows["event_id"].unique(), pa.string()))
    ids = read_where(files, ["event_id"], same)
    return read_where(files if len(ids) else (), KNOWN, same)


def _is_between(since: pd.Timestamp, until: pd.Timestamp) -> pyarrow.dataset.Expression:
    moment, kind = pyarrow.dataset.field("occurred_at"), pa.timestamp("us", "UTC")
    return (moment >= pa.scalar(since, kind)) & (moment <= pa.scalar(until, kind))
