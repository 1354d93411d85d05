"""Cells of a log file as moments in UTC, in the ways in which people and programs write them.

Each function returns the moments, null where nothing or nothing readable is written, and a boolean array of the cells
in which something is written that is no such moment.
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.logs.cells import GAP, Marks, are_written, as_numbers, as_text

UTC_OFFSET = r"[T ].*([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)$"

UTC = pd.DatetimeTZDtype("us", "UTC")

SLASHED = (
    r"^(?P<one>[0-9]{1,2})[/.-](?P<two>[0-9]{1,2})[/.-](?P<year>[0-9]{4}|[0-9]{2})"
    rf"(?:,?(?:T|{GAP})+(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}})(?::(?P<second>[0-9]{{2}}(?:\.[0-9]+)?))?"
    rf"(?:{GAP}?(?P<half>[AaPp])\.?[Mm]\.?)?)?(?:{GAP}?(?P<zone>UTC|GMT|Z))?$"
)
"""A date as people write it: two numbers of which the caller knows which is the month, a year, and maybe a clock."""

ZONES = {
    "UTC": 0, "GMT": 0, "AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
}  # fmt: skip
"""Hours by which clocks are ahead of UTC, by the letters that forms and spreadsheets write."""

CENTURY = 2000
"""Of years with two digits; no log of learning software is older."""

FIRST_SERIAL = np.datetime64("1899-12-30", "us")
"""The day that spreadsheets count from."""

LATEST_US = 2**53
"""Microseconds, in the year 2255; later moments are no longer exact as a float and are rejected by every rule."""


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
    uniform = _cast(cells, zone) if pa.types.is_string(cells.type) else None
    if uniform is None:
        text = as_text(cells)
        uniform = _cast(text, zone)
    if uniform is not None:
        return uniform, np.zeros(len(cells), dtype=bool)
    text = pc.replace_substring_regex(text, r"(?i)\s*(utc|gmt)$", "Z")
    has_offset = pc.fill_null(pc.match_substring_regex(text, UTC_OFFSET), False)
    with_offset = _parse(pc.if_else(has_offset, text, None), utc=True)
    local = _parse(pc.if_else(has_offset, None, text), utc=False)
    moments = with_offset.where(with_offset.notna(), _in_utc(local, zone))
    return moments, are_written(text) & moments.isna().to_numpy()


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
    text = as_text(cells)
    found = pc.extract_regex(text, SLASHED)
    parts = {name: pc.struct_field(found, name) for name in ("one", "two", "year", "hour", "minute", "second")}
    number = {name: as_numbers(as_text(part))[0] for name, part in parts.items()}
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
    return moments, are_written(text) & moments.isna().to_numpy()


def as_patterned(cells: pa.Array, pattern: str, zone: str) -> "tuple[pd.Series[pd.Timestamp], Marks]":
    """Times by a pattern of strftime's, in UTC; without an offset they are local time in `zone`.

    Example:
        >>> as_patterned(pa.array(["05-Mar-2026 21h05"]), "%d-%b-%Y %Hh%M", "UTC")[0][0]
        Timestamp('2026-03-05 21:05:00+0000', tz='UTC')
    """
    text = as_text(cells)
    if pattern.endswith("%Z"):  # letters, or GMT-5, which nothing else can read
        text, pattern = _with_offsets(text), f"{pattern[:-2]}%z"
    written: pd.Series[str] = text.to_pandas()
    with_offset = "%z" in pattern
    read = pd.to_datetime(written, format=pattern, errors="coerce", utc=with_offset).dt.as_unit("us")
    moments = read if with_offset else _in_utc(read, zone)
    return moments, are_written(text) & moments.isna().to_numpy()


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


def _with_offsets(text: pa.Array) -> pa.Array:
    """The times with the offset of the zone that their letters name; others stay as they are."""
    found = pc.extract_regex(text, r"^(?P<time>.*[0-9apmAPM]) ?(?P<zone>[A-Z]{2,4}(?:[+-][0-9]{1,2}(?::[0-9]{2})?)?)$")
    zones, times = pc.struct_field(found, "zone"), pc.struct_field(found, "time")
    offsets = {zone: _offset(zone) for zone in pc.unique(zones).drop_null().to_pylist()}
    known = pa.array(list(offsets), pa.string())
    offset = pc.take(pa.array(list(offsets.values()), pa.string()), pc.index_in(zones, known))
    return pc.coalesce(pc.binary_join_element_wise(times, offset, " "), text)


def _offset(zone: str) -> str | None:
    """The offset of a zone's letters, such as +0000; null where they say nothing."""
    found = re.fullmatch(r"(?P<letters>[A-Z]+)((?P<sign>[+-])(?P<hours>[0-9]{1,2})(:(?P<minutes>[0-9]{2}))?)?", zone)
    if found is None or found["letters"] not in ZONES or (found["sign"] and ZONES[found["letters"]]):
        return None
    if found["sign"]:
        return f"{found['sign']}{int(found['hours']):02}{found['minutes'] or '00'}"
    hours = ZONES[found["letters"]]
    return f"{'-' if hours < 0 else '+'}{abs(hours):02}00"


def _cast(text: pa.Array, zone: str) -> "pd.Series[pd.Timestamp] | None":
    """Times that are all written in one of the two most usual ways, in UTC; null where they are not."""
    for kind in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
        try:
            moments = text.cast(kind).to_pandas()
        except pa.ArrowInvalid:
            continue
        return moments.astype(UTC) if kind.tz else _in_utc(moments, zone)
    return None


def _parse(text: pa.Array, *, utc: bool) -> "pd.Series[pd.Timestamp]":
    written: pd.Series[str] = text.to_pandas()
    return pd.to_datetime(written, format="ISO8601", errors="coerce", utc=utc).dt.as_unit("us")


def _in_utc(local: "pd.Series[pd.Timestamp]", zone: str) -> "pd.Series[pd.Timestamp]":
    first_pass = np.ones(len(local), dtype=bool)
    zoned = local.dt.tz_localize(zone, ambiguous=first_pass, nonexistent="shift_forward")
    moments: pd.Series[pd.Timestamp] = zoned.dt.tz_convert("UTC")
    return moments
