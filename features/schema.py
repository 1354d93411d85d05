"""The tables that cross module borders, as pandera models.

Ids are opaque strings: leading zeros, "NA" and unicode survive. Times are UTC in microseconds. Null means
"not observed", never zero.
"""

import zlib
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

from features.errors import InputError

Utc = Annotated[pd.DatetimeTZDtype, "us", "UTC"]

KINDS = ("response", "lesson", "video", "login")
"""What an event can be; only a response has an item and a score."""

BUCKETS = 16
"""Parts of the event log; a student is always in the same one."""


class Events(pa.DataFrameModel):
    """One row per response of one student to one item, or per activity without an answer."""

    event_id: Series[str] = pa.Field(unique=True, description="unique; derived from content when the source has none")
    student_id: Series[str]
    kind: Series[str] = pa.Field(isin=KINDS)
    occurred_at: Series[Utc] = pa.Field(nullable=True, description="null where the log has only an order")
    sequence: Series[pd.Int64Dtype] = pa.Field(nullable=True, description="the source's own order, if it has one")
    item_id: Series[str] = pa.Field(nullable=True, description="null for activities")
    score: Series[float] = pa.Field(ge=0, le=1, nullable=True, description="partial credit; null for activities")
    correct: Series[pd.BooleanDtype] = pa.Field(nullable=True, description="score reaches the pass mark")
    attempt: Series[pd.Int64Dtype] = pa.Field(ge=1, nullable=True, description="1 = first attempt")
    hints: Series[pd.Int64Dtype] = pa.Field(ge=0, nullable=True, description="hints asked for")
    duration_s: Series[float] = pa.Field(ge=0, nullable=True, description="seconds")
    source: Series[str]
    skills: Series[str] = pa.Field(
        nullable=True,
        description="skills of this response, sorted and joined by `features.logs.rows.SKILL_MARK`; null if it names "
        "none itself: then it has those of its item",
    )

    class Config:
        """Columns come in this order, with these types."""

        coerce = True
        strict = True
        ordered = True


class Event(NamedTuple):
    """One row of `Events` as plain values, for what has only a few: a table costs more than the work on them.

    A null is None, and `occurred_at` is in microseconds since 1970 UTC.
    """

    event_id: str
    student_id: str
    kind: str
    occurred_at: int | None
    sequence: int | None
    item_id: str | None
    score: float | None
    correct: bool | None
    attempt: int | None
    hints: int | None
    duration_s: float | None
    source: str
    skills: str | None


def list_events(table: pd.DataFrame) -> list[Event]:
    """The rows of a table with the columns of `Events`, in their order.

    Example:
        >>> row = dict.fromkeys(Event._fields) | {"event_id": "e", "occurred_at": pd.Timestamp(1, unit="s", tz="UTC")}
        >>> list_events(pd.DataFrame([row]))[0][:4]
        ('e', None, None, 1000000)
    """
    return [Event(*cells) for cells in zip(*(_plain(table[name]) for name in Event._fields), strict=True)]


def _plain(column: "pd.Series[Any]") -> list[Any]:
    values = column.astype("datetime64[us, UTC]").astype("int64") if column.name == "occurred_at" else column
    return [None if null else value for value, null in zip(values.tolist(), column.isna(), strict=True)]


class ItemSkills(pa.DataFrameModel):
    """One row per skill that a catalog or a response ever named for an item; an item may have several."""

    item_id: Series[str]
    skill_id: Series[str]

    class Config:
        """An item names a skill once."""

        coerce = True
        strict = True
        unique = ["item_id", "skill_id"]  # noqa: RUF012 - pandera reads a plain list here


def check_table(schema: type[pa.DataFrameModel] | pa.DataFrameSchema, table: pd.DataFrame) -> pd.DataFrame:
    """The table with the schema's types, or an error that names columns and rules but shows no row.

    Raises:
        InputError: A column is missing, extra, of the wrong type or breaks a rule.

    Example:
        >>> check_table(ItemSkills, pd.DataFrame({"item_id": ["i"], "skill_id": ["s"]})).shape
        (1, 2)
    """
    try:
        return schema.validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases[["column", "check"]].drop_duplicates().itertuples(index=False)
        broken = "; ".join(f"{column}: {check}" for column, check in cases)
        # pandera's own message prints rows of students, so it is not chained
        name = schema.name if isinstance(schema, pa.DataFrameSchema) else schema.__name__
        raise InputError(f"table {name} breaks its rules: {broken}") from None


def bucket_of(student_ids: "pd.Series[str]") -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """The part of the event log that every student belongs to, 0 to `BUCKETS` - 1, the same on every machine.

    Example:
        >>> bucket_of(pd.Series(["007", "7"])).tolist()
        [14, 2]
    """
    codes, ids = pd.factorize(student_ids)
    of_id = np.array([zlib.crc32(str(student_id).encode()) % BUCKETS for student_id in ids], dtype=np.int32)
    return of_id[codes]
