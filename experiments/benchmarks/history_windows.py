"""What plain pandas can say about the rows before a row."""

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from pandas.api.typing import NaTType

Fresh: TypeAlias = "pd.Series[Any] | float | NaTType"


def mark_moments(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """Adds `opened`: for each row, the position of the first row of its key at its moment.

    Args:
        rows: Sorted by `key` and then by time, numbered from 0, with a column `moment`.
        key: The column whose values have histories of their own.
    """
    again = (rows[key] == rows[key].shift()) & (rows["moment"] == rows["moment"].shift())
    opened = pd.Series(np.arange(len(rows)), index=rows.index).mask(again).ffill().astype("int64")
    return rows.assign(key=rows[key], opened=opened)


def before_moment(after: "pd.Series[Any]", rows: pd.DataFrame, fresh: Fresh = np.nan) -> "pd.Series[Any]":
    """What held before each row's moment, so that answers given together do not see each other.

    Args:
        after: What holds after each row.
        rows: From `mark_moments`.
        fresh: What holds before the first row of a key.

    Example:
        >>> rows = mark_moments(pd.DataFrame({"student": [7, 7, 7], "moment": [0, 1, 1]}), "student")
        >>> before_moment(pd.Series([10, 20, 30]), rows, 0).tolist()
        [0.0, 10.0, 10.0]
    """
    earlier = after.groupby(rows["key"], sort=False).shift()
    earlier = earlier.where(rows["key"] == rows["key"].shift(), fresh)
    return earlier.take(rows["opened"].to_numpy()).set_axis(rows.index)


def days_between(earlier: "pd.Series[Any]", now: "pd.Series[Any]") -> "pd.Series[Any]":
    """Days in whole hours; null where either time is."""
    return (now - earlier).dt.total_seconds() // 3600 / 24


def run_length(values: "pd.Series[Any]", keys: "pd.Series[Any]") -> "pd.Series[Any]":
    """How many rows in a row, with this one, have the same value within a key."""
    run = ((values != values.shift()) | (keys != keys.shift())).cumsum()
    return values.groupby(run).cumcount() + 1


def last_share(rows: pd.DataFrame, window: int) -> "pd.Series[Any]":
    """The share correct of a key's last answers."""
    return rows.groupby("key")["correct"].rolling(window, min_periods=1).mean().droplevel(0)


def average_from(rows: pd.DataFrame, name: str, rate: float, start: "pd.Series[Any] | float") -> "pd.Series[Any]":
    """An exponential average that stands at `start` before a key's first value, which pandas would start at."""
    by_key = rows.groupby("key")[name]
    mean = by_key.ewm(alpha=rate, adjust=False).mean().droplevel(0)
    return mean + (1 - rate) ** (by_key.cumcount() + 1) * (start - by_key.transform("first"))


def average_known(rows: pd.DataFrame, name: str, rate: float) -> "pd.Series[Any]":
    """An exponential average that starts at a key's first known value and passes over nulls."""
    return rows.groupby("key")[name].ewm(alpha=rate, adjust=False, ignore_na=True).mean().droplevel(0)
