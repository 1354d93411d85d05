"""A live event as JSON, and back as a row of the event log; nothing is rounded on the way."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from features.events import COLUMNS
from features.history import NO_TIME
from features.readers.cells import UTC

TYPES = {
    "sequence": pd.Int64Dtype(),
    "score": "float64",
    "correct": pd.BooleanDtype(),
    "attempt": pd.Int64Dtype(),
    "hints": pd.Int64Dtype(),
    "duration_s": "float64",
}
"""Of the columns that are neither text nor a time."""


def to_records(events: pd.DataFrame) -> list[dict[str, Any]]:
    """Each event as plain values; a time is microseconds since 1970 UTC, what was not observed None.

    Args:
        events: Rows with `features.events.COLUMNS`.
    """
    plain = events.assign(occurred_at=microseconds(events)).astype(object)
    plain = plain.where(events.notna(), None)
    return [{str(name): _plain(value) for name, value in each.items()} for each in plain.to_dict("records")]


def to_text(record: dict[str, Any]) -> str:
    """The JSON that the table holds; control characters stay escaped, so that any database takes it."""
    return json.dumps(record, allow_nan=False)


def from_texts(texts: Iterable[str]) -> pd.DataFrame:
    """Rows with `features.events.COLUMNS` from what `to_text` wrote, in the order given."""
    records = [json.loads(each) for each in texts]
    of_name = {name: [each[name] for each in records] for name in COLUMNS}
    time = pd.array(of_name.pop("occurred_at"), dtype=pd.Int64Dtype())
    moments = pd.to_datetime(np.asarray(time.fillna(NO_TIME), np.int64).view("datetime64[us]"), utc=True)
    columns = {
        name: pd.Series(values, dtype=TYPES.get(name, "str"))  # type: ignore[call-overload]
        for name, values in of_name.items()
    }
    columns["occurred_at"] = pd.Series(moments).astype(UTC)
    return pd.DataFrame(columns)[COLUMNS]


def microseconds(events: pd.DataFrame) -> "pd.Series[Any]":
    """When each event occurred, in microseconds since 1970 UTC; `NO_TIME` where the source has only an order."""
    moments = events["occurred_at"].astype(UTC).dt.tz_convert(None).to_numpy("datetime64[us]")
    return pd.Series(moments.astype(np.int64), index=events.index)


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
