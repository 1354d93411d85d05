"""Cells of a log file as typed columns; what cannot be read is null and marked, never guessed.

Each function takes one Arrow array, of strings or of a Parquet file's own type. The pairs it returns are the values
and a boolean array `unreadable`: something is written in the cell, but not this.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Marks = npt.NDArray[np.bool_]

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
WHOLE_NUMBER = r"^[+-]?[0-9]{1,18}(\.0*)?$"
UTC_OFFSET = r"[T ].*([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)$"

YES = ("true", "t", "yes", "y", "1", "correct")
NO = ("false", "f", "no", "n", "0", "incorrect")

UTC = pd.DatetimeTZDtype("us", "UTC")

LATEST_US = 2**53
"""Microseconds, in the year 2255; later moments are no longer exact as a float and are rejected by every rule."""


def as_text(cells: pa.Array) -> pa.Array:
    """Strings as written but for outer blanks, null where a cell is blank; a Parquet 10.0 becomes "10".

    Example:
        >>> as_text(pa.array(["007", " ", "NA "])).to_pylist()
        ['007', None, 'NA']
    """
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_floating(cells.type):
        cells = pc.if_else(pc.is_nan(cells), None, cells)
    text = cells if pa.types.is_string(cells.type) else cells.cast(pa.string())
    text = pc.utf8_trim_whitespace(text)
    blank = pc.equal(text, "")
    return pc.if_else(blank, None, text) if pc.any(blank).as_py() else text


def as_numbers(cells: pa.Array) -> tuple[npt.NDArray[np.float64], Marks]:
    """Decimal numbers as floats, NaN where blank or unreadable; infinity is not a number.

    Example:
        >>> as_numbers(pa.array(["0.5", "", "half"]))
        (array([0.5, nan, nan]), array([False, False,  True]))
    """
    text = _plain(cells)
    try:
        numbers = text.cast(pa.float64())
    except pa.ArrowInvalid:
        trimmed = pc.utf8_ltrim(pc.utf8_trim_whitespace(text), "+")
        numbers = pc.if_else(pc.match_substring_regex(trimmed, NUMBER), trimmed, None).cast(pa.float64())
    values = numbers.to_numpy(zero_copy_only=False).astype(np.float64)
    unreadable = _written(text) & ~np.isfinite(values)
    return np.where(unreadable, np.nan, values), unreadable


def as_whole_numbers(cells: pa.Array) -> "tuple[pd.Series[int], Marks]":
    """Whole numbers, exact up to 18 digits; "3.0" is 3 and "3.5" unreadable.

    Example:
        >>> as_whole_numbers(pa.array(["3", "3.0", "many"]))[0].tolist()
        [3, 3, <NA>]
    """
    text = _plain(cells)
    if pa.types.is_floating(text.type):
        text = text.cast(pa.string())
    try:
        numbers = text.cast(pa.int64())
    except pa.ArrowInvalid:
        trimmed = pc.utf8_ltrim(pc.utf8_trim_whitespace(text.cast(pa.string())), "+")
        digits = pc.replace_substring_regex(trimmed, r"\.0*$", "")
        numbers = pc.if_else(pc.match_substring_regex(trimmed, WHOLE_NUMBER), digits, None).cast(pa.int64())
    values = numbers.to_pandas(types_mapper=lambda _: pd.Int64Dtype())
    return values, _written(text) & values.isna().to_numpy()


def as_truth(cells: pa.Array) -> tuple[npt.NDArray[np.float64], Marks]:
    """1 for yes, 0 for no, NaN where blank or unreadable; `YES` and `NO` list the words, in any case.

    Example:
        >>> as_truth(pa.array(["TRUE", "no", "maybe"]))
        (array([ 1.,  0., nan]), array([False, False,  True]))
    """
    text = as_text(cells)
    words = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    yes = pc.is_in(words, pa.array(YES)).to_numpy(zero_copy_only=False)
    no = pc.is_in(words, pa.array(NO)).to_numpy(zero_copy_only=False)
    return np.where(yes, 1.0, np.where(no, 0.0, np.nan)), _written(text) & ~yes & ~no


def as_moments(cells: pa.Array, zone: str = "UTC") -> "tuple[pd.Series[pd.Timestamp], Marks]":
    """ISO 8601 times in UTC; one without an offset is local time in `zone`.

    An hour that a clock shows twice is taken as its first pass; one that it skips, as the moment of the jump.

    Example:
        >>> as_moments(pa.array(["2024-01-31 10:00"]), "Europe/Berlin")[0][0]
        Timestamp('2024-01-31 09:00:00+0000', tz='UTC')
    """
    if pa.types.is_timestamp(cells.type):
        typed = cells.cast(pa.timestamp("us", cells.type.tz), safe=False).to_pandas()
        in_utc = typed.astype(UTC) if cells.type.tz else _in_utc(typed, zone)
        return in_utc, np.zeros(len(cells), dtype=bool)
    text = as_text(cells)
    has_offset = pc.fill_null(pc.match_substring_regex(text, UTC_OFFSET), False)
    with_offset = _parse(pc.if_else(has_offset, text, None), utc=True)
    local = _parse(pc.if_else(has_offset, None, text), utc=False)
    moments = with_offset.where(with_offset.notna(), _in_utc(local, zone))
    return moments, _written(text) & moments.isna().to_numpy()


def as_moments_since(cells: pa.Array, unit_us: int, origin: datetime) -> "tuple[pd.Series[pd.Timestamp], Marks]":
    """Times counted from a moment, in UTC.

    Args:
        cells: How many units after the origin; may be fractions.
        unit_us: Microseconds in one unit.
        origin: The moment of zero.

    Example:
        >>> as_moments_since(pa.array(["1.5"]), 1_000_000, datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC")))[0][0]
        Timestamp('2024-01-01 00:00:01.500000+0000', tz='UTC')
    """
    units, unreadable = as_numbers(cells)
    since_us = units * unit_us
    unreadable |= np.abs(since_us) > LATEST_US
    whole_us = np.where(unreadable | np.isnan(since_us), 0, np.rint(since_us)).astype("int64")
    moments = pd.Series(np.datetime64(0, "us") + whole_us.astype("timedelta64[us]")).dt.tz_localize("UTC")
    moments += origin - datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
    return moments.mask(unreadable | np.isnan(since_us)), unreadable


def _plain(cells: pa.Array) -> pa.Array:
    """Numbers as they are, everything else as text."""
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type):
        return cells
    return as_text(cells.cast(pa.int8()) if pa.types.is_boolean(cells.type) else cells)


def _written(cells: pa.Array) -> Marks:
    empty = pc.is_null(cells, nan_is_null=pa.types.is_floating(cells.type))
    marks: Marks = ~empty.to_numpy(zero_copy_only=False)
    return marks


def _parse(text: pa.Array, *, utc: bool) -> "pd.Series[pd.Timestamp]":
    written: pd.Series[str] = text.to_pandas()
    return pd.to_datetime(written, format="ISO8601", errors="coerce", utc=utc).dt.as_unit("us")


def _in_utc(local: "pd.Series[pd.Timestamp]", zone: str) -> "pd.Series[pd.Timestamp]":
    first_pass = np.ones(len(local), dtype=bool)
    zoned = local.dt.tz_localize(zone, ambiguous=first_pass, nonexistent="shift_forward")
    moments: pd.Series[pd.Timestamp] = zoned.dt.tz_convert("UTC")
    return moments
