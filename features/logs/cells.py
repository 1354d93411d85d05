"""Cells of a log file as typed columns; what cannot be read is null and marked, never guessed.

Each function takes one Arrow array, of strings or of a Parquet file's own type. The pairs it returns are the values
and a boolean array `unreadable`: something is written in the cell, but not this.
"""

from collections.abc import Sequence
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

PERCENT = r"^([0-9]+\.?[0-9]*)\s*%$"
FRACTION = r"^(?P<part>[0-9]+\.?[0-9]*)\s*/\s*(?P<whole>[0-9]+\.?[0-9]*)$"
CLOCK = r"^(?:(?P<hours>[0-9]{1,2}):)?(?P<minutes>[0-9]{1,3}):(?P<seconds>[0-9]{2}(?:\.[0-9]+)?)$"

SLASHED = (
    r"^(?P<one>[0-9]{1,2})[/.-](?P<two>[0-9]{1,2})[/.-](?P<year>[0-9]{4}|[0-9]{2})"
    r"(?:,?[T ]+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}(?:\.[0-9]+)?))?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?)?(?: ?(?P<zone>UTC|GMT|Z))?$"
)
"""A date as people write it: two numbers of which the caller knows which is the month, a year, and maybe a clock."""

CENTURY = 2000
"""Of years with two digits; no log of learning software is older."""

FIRST_SERIAL = np.datetime64("1899-12-30", "us")
"""The day that spreadsheets count from."""

YES = ("true", "t", "yes", "y", "1", "1.0", "correct", "right", "pass", "passed")
NO = ("false", "f", "no", "n", "0", "0.0", "incorrect", "wrong", "fail", "failed")

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


def as_ids(cells: pa.Array) -> pa.Array:
    """Text without white space around it, which no id or name has but spreadsheets leave; null where a cell is blank.

    Example:
        >>> as_ids(pa.array(["007 ", " "])).to_pylist()
        ['007', None]
    """
    return pc.utf8_trim_whitespace(as_text(cells))


def without_words(cells: pa.Array, words: Sequence[str]) -> pa.Array:
    """The cells, null where one is a word that means that nothing is known.

    Example:
        >>> without_words(pa.array(["NA", "0"]), ("NA",)).to_pylist()
        [None, '0']
    """
    text = as_ids(cells)
    return pc.if_else(pc.fill_null(pc.is_in(text, pa.array(words)), False), None, cells)


def with_points(cells: pa.Array) -> pa.Array:
    """Numbers that are written with a decimal comma, with a decimal point; other types stay.

    Example:
        >>> with_points(pa.array(["0,5"])).to_pylist()
        ['0.5']
    """
    return pc.replace_substring(cells, ",", ".") if pa.types.is_string(cells.type) else cells


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


def as_shares(cells: pa.Array, largest: float) -> tuple[npt.NDArray[np.float64], Marks]:
    """Scores as shares of the largest, NaN where blank or unreadable; "85 %" and "3/5" are shares already.

    Example:
        >>> as_shares(pa.array(["8", "85%", "3/5", "much"]), 10)[0].tolist()
        [0.8, 0.85, 0.6, nan]
    """
    text = _plain(cells)
    numbers, unreadable = as_numbers(text)
    shares = numbers / largest
    if not unreadable.any():
        return shares, unreadable
    trimmed = pc.utf8_trim_whitespace(text)
    percent, _ = as_numbers(pc.if_else(pc.match_substring_regex(trimmed, PERCENT), pc.utf8_rtrim(trimmed, "% "), None))
    parts = pc.extract_regex(trimmed, FRACTION)
    part, whole = (as_numbers(pc.struct_field(parts, name))[0] for name in ("part", "whole"))
    written = np.where(np.isnan(percent), part / np.where(whole > 0, whole, np.nan), percent / 100)
    return np.where(unreadable, written, shares), unreadable & np.isnan(written)


def as_seconds(cells: pa.Array, unit_s: float) -> tuple[npt.NDArray[np.float64], Marks]:
    """Durations in seconds, NaN where blank or unreadable; "1:30" is a minute and a half whatever the unit.

    Args:
        cells: How many units, or a clock of minutes and seconds, maybe with hours before them.
        unit_s: Seconds in one unit.

    Example:
        >>> as_seconds(pa.array(["2500", "1:30", "1:00:00"]), 0.001)[0].tolist()
        [2.5, 90.0, 3600.0]
    """
    text = _plain(cells)
    numbers, unreadable = as_numbers(text)
    seconds = numbers * unit_s
    if not unreadable.any():
        return seconds, unreadable
    parts = pc.extract_regex(pc.utf8_trim_whitespace(text), CLOCK)
    hour, minute, second = (as_numbers(pc.struct_field(parts, name))[0] for name in ("hours", "minutes", "seconds"))
    clock = 3600 * np.nan_to_num(hour) + 60 * minute + second
    return np.where(unreadable, clock, seconds), unreadable & np.isnan(clock)


def as_truth(cells: pa.Array, yes: Sequence[str] = (), no: Sequence[str] = ()) -> tuple[npt.NDArray[np.float64], Marks]:
    """1 for yes, 0 for no, NaN where blank or unreadable; `YES` and `NO` list the usual words, in any case.

    Args:
        cells: Words.
        yes: Further words for yes, which count before the usual ones.
        no: Further words for no.

    Example:
        >>> as_truth(pa.array(["TRUE", "no", "maybe", "hint"]), no=["hint"])
        (array([ 1.,  0., nan,  0.]), array([False, False,  True, False]))
    """
    text = as_text(cells)
    words = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    named = [word.strip().lower() for word in yes], [word.strip().lower() for word in no]
    usual = [word for word in YES if word not in named[1]], [word for word in NO if word not in named[0]]
    yes_at, no_at = (
        pc.fill_null(pc.is_in(words, pa.array([*mine, *more], pa.string())), False).to_numpy(zero_copy_only=False)
        for mine, more in zip(named, usual, strict=True)
    )
    return np.where(yes_at, 1.0, np.where(no_at, 0.0, np.nan)), _written(text) & ~yes_at & ~no_at


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
    text = pc.replace_substring_regex(as_text(cells), r"(?i)\s*(utc|gmt)$", "Z")
    has_offset = pc.fill_null(pc.match_substring_regex(text, UTC_OFFSET), False)
    with_offset = _parse(pc.if_else(has_offset, text, None), utc=True)
    local = _parse(pc.if_else(has_offset, None, text), utc=False)
    moments = with_offset.where(with_offset.notna(), _in_utc(local, zone))
    return moments, _written(text) & moments.isna().to_numpy()


def as_dates(cells: pa.Array, zone: str, *, month_first: bool) -> "tuple[pd.Series[pd.Timestamp], Marks]":
    """Dates as people write them, with a clock of 12 or 24 hours or none, in UTC; local time in `zone`.

    Args:
        cells: Such as "3/5/2026 9:05 AM", "05.03.26" or "3/5/2026 14:05 UTC".
        zone: Of times that do not say UTC themselves.
        month_first: Whether the first number is the month; else it is the day.

    Example:
        >>> as_dates(pa.array(["3/5/2026 12:30 AM"]), "America/Chicago", month_first=True)[0][0]
        Timestamp('2026-03-05 06:30:00+0000', tz='UTC')
    """
    text = as_ids(cells)
    found = pc.extract_regex(text, SLASHED)
    parts = {name: pc.struct_field(found, name) for name in ("one", "two", "year", "hour", "minute", "second")}
    number = {name: as_numbers(part)[0] for name, part in parts.items()}
    half = pc.utf8_lower(pc.struct_field(found, "half"))
    in_half = pc.fill_null(pc.not_equal(half, ""), False).to_numpy(zero_copy_only=False)
    afternoon = pc.fill_null(pc.equal(half, "p"), False).to_numpy(zero_copy_only=False)
    hour = np.nan_to_num(number["hour"])
    wrong = in_half & ((hour < 1) | (hour > 12))  # noqa: PLR2004 - hours of a clock's half
    hour = np.where(in_half, hour % 12 + 12 * afternoon, hour)
    month, day = ("one", "two") if month_first else ("two", "one")
    year = number["year"]
    second = np.nan_to_num(number["second"])
    days = pd.to_datetime(
        pd.DataFrame({"year": year + CENTURY * (year < 100), "month": number[month], "day": number[day]}),  # noqa: PLR2004
        errors="coerce",
    ).dt.as_unit("us")
    minute = np.nan_to_num(number["minute"])
    wrong |= (hour > 23) | (minute > 59) | (second >= 61)  # noqa: PLR2004 - of a clock, a leap second included
    local = days + pd.to_timedelta(np.rint((3600 * hour + 60 * minute + second) * 1e6).astype("int64"), unit="us")
    local = local.mask(wrong)
    in_utc = pc.fill_null(pc.not_equal(pc.struct_field(found, "zone"), ""), False).to_numpy(zero_copy_only=False)
    moments = _in_utc(local, zone)
    if in_utc.any():
        moments = moments.mask(in_utc, local.dt.tz_localize("UTC"))
    return moments, _written(text) & moments.isna().to_numpy()


def as_patterned(cells: pa.Array, pattern: str, zone: str) -> "tuple[pd.Series[pd.Timestamp], Marks]":
    """Times by a pattern of strftime's, in UTC; without an offset they are local time in `zone`.

    Example:
        >>> as_patterned(pa.array(["05-Mar-2026 21h05"]), "%d-%b-%Y %Hh%M", "UTC")[0][0]
        Timestamp('2026-03-05 21:05:00+0000', tz='UTC')
    """
    text = as_ids(cells)
    written: pd.Series[str] = text.to_pandas()
    with_offset = "%z" in pattern
    read = pd.to_datetime(written, format=pattern, errors="coerce", utc=with_offset).dt.as_unit("us")
    moments = read if with_offset else _in_utc(read, zone)
    return moments, _written(text) & moments.isna().to_numpy()


def as_serials(cells: pa.Array, zone: str) -> "tuple[pd.Series[pd.Timestamp], Marks]":
    """Days that a spreadsheet counts from the end of 1899, to the millisecond, in UTC; local time in `zone`.

    Example:
        >>> as_serials(pa.array(["46086.5"]), "UTC")[0][0]
        Timestamp('2026-03-05 12:00:00+0000', tz='UTC')
    """
    days, unreadable = as_numbers(cells)
    unreadable |= (days < 1) | (days > LATEST_US / 86_400e6)
    ms = np.where(unreadable | np.isnan(days), 0, np.rint(days * 86_400_000)).astype("int64")
    local = pd.Series(FIRST_SERIAL + ms.astype("timedelta64[ms]"))
    return _in_utc(local.dt.as_unit("us"), zone).mask(unreadable | np.isnan(days)), unreadable


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
