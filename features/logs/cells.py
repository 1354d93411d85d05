"""Cells of a log file as text, numbers and truth; what cannot be read is null and marked, never guessed.

Each function takes one Arrow array, of strings or of a Parquet file's own type. The pairs it returns are the values
and a boolean array `unreadable`: something is written in the cell, but not this.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Marks = npt.NDArray[np.bool_]

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
WHOLE_NUMBER = r"^[+-]?[0-9]{1,18}(\.0*)?$"

GAP = r"[ \t\x{a0}\x{2009}\x{202f}]"
"""A blank within a cell, also one at which no line breaks, as browsers and spreadsheets write it."""

THOUSANDS = r"^\s*[1-9][0-9]{0,2}(\.[0-9]{3})+(,[0-9]*)?\s*$"
"""A number whose decimal mark is a comma and which has points between its thousands."""

PERCENT = rf"^(?P<percent>[0-9]+\.?[0-9]*){GAP}*%$"
FRACTION = rf"^(?P<part>[0-9]+\.?[0-9]*){GAP}*/{GAP}*(?P<whole>[0-9]+\.?[0-9]*)$"
CLOCK = r"^(?:(?P<hours>[0-9]{1,2}):)?(?P<minutes>[0-9]{1,3}):(?P<seconds>[0-9]{2}(?:\.[0-9]+)?)$"

YES = ("true", "t", "yes", "y", "1", "1.0", "correct", "right", "pass", "passed")
NO = ("false", "f", "no", "n", "0", "0.0", "incorrect", "wrong", "fail", "failed")


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


def without_words(cells: pa.Array, words: Sequence[str]) -> pa.Array:
    """The cells, null where one is a word that means that nothing is known.

    Example:
        >>> without_words(pa.array(["NA", "0"]), ("NA",)).to_pylist()
        [None, '0']
    """
    text = as_text(cells)
    return pc.if_else(pc.fill_null(pc.is_in(text, pa.array(words)), False), None, cells)


def join_cells(parts: Sequence[pa.Array], mark: str) -> pa.Array:
    """The texts of several columns as one, what is blank left out; null where all are.

    Example:
        >>> join_cells([pa.array(["a", None, None]), pa.array(["b", "c", None])], " ").to_pylist()
        ['a b', 'c', None]
    """
    first, *others = map(as_text, parts)
    if not others:
        return first
    nothing = pc.and_(pc.is_null(first), pc.is_null(pc.coalesce(*others)))
    # Arrow drops a row of which it skips every part, so that one has to have a blank
    joined = pc.binary_join_element_wise(pc.if_else(nothing, "", first), *others, mark, null_handling="skip")
    return pc.if_else(nothing, None, joined)


def with_points(cells: pa.Array) -> pa.Array:
    """Numbers that are written with a decimal comma, with a decimal point; words and other types stay.

    Example:
        >>> with_points(pa.array(["0,5", "1.250,5", "1.250", "half, or so"])).to_pylist()
        ['0.5', '1250.5', '1250', 'half, or so']
    """
    if not pa.types.is_string(cells.type):
        return cells
    in_thousands = pc.match_substring_regex(cells, THOUSANDS)
    if pc.any(in_thousands).as_py():
        cells = pc.if_else(in_thousands, pc.replace_substring(cells, ".", ""), cells)
    return pc.replace_substring_regex(cells, ",([0-9])", r".\1")


def as_numbers(cells: pa.Array) -> tuple[npt.NDArray[np.float64], Marks]:
    """Decimal numbers as floats, NaN where blank or unreadable; infinity is not a number.

    Example:
        >>> as_numbers(pa.array(["0.5", "", "half"]))
        (array([0.5, nan, nan]), array([False, False,  True]))
    """
    text = _plain(cells)
    try:  # most columns are written in one way
        numbers = text.cast(pa.float64())
    except pa.ArrowInvalid:
        text = as_text(text)
        trimmed = pc.utf8_ltrim(text, "+")
        numbers = pc.if_else(pc.match_substring_regex(trimmed, NUMBER), trimmed, None).cast(pa.float64())
    values: npt.NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False)
    unreadable = ~np.isfinite(values)
    if not unreadable.any():
        return values, unreadable
    unreadable &= are_written(text)
    return np.where(unreadable, np.nan, values), unreadable


def as_whole_numbers(cells: pa.Array) -> "tuple[pd.Series[int], Marks]":
    """Whole numbers, exact up to 18 digits; "3.0" is 3 and "3.5" unreadable.

    Example:
        >>> as_whole_numbers(pa.array(["3", "3.0", "many"]))[0].tolist()
        [3, 3, <NA>]
    """
    text = as_text(cells) if pa.types.is_floating(cells.type) else _plain(cells)
    try:
        numbers = text.cast(pa.int64())
    except pa.ArrowInvalid:
        text = as_text(text)
        trimmed = pc.utf8_ltrim(text, "+")
        digits = pc.replace_substring_regex(trimmed, r"\.0*$", "")
        numbers = pc.if_else(pc.match_substring_regex(trimmed, WHOLE_NUMBER), digits, None).cast(pa.int64())
    values = numbers.to_pandas(types_mapper=lambda _: pd.Int64Dtype())
    return values, are_written(text) & values.isna().to_numpy()


def as_shares(cells: pa.Array, largest: float | npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], Marks]:
    """Scores as shares of the largest, NaN where blank or unreadable; "85 %" and "3/5" are shares already.

    Example:
        >>> as_shares(pa.array(["8", "85%", "3/5", "much"]), 10)[0].tolist()
        [0.8, 0.85, 0.6, nan]
    """
    numbers, unreadable = as_numbers(cells)
    shares = numbers / largest
    if not unreadable.any():
        return shares, unreadable
    trimmed = as_text(cells)
    percent, _ = as_numbers(pc.struct_field(pc.extract_regex(trimmed, PERCENT), "percent"))
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
    numbers, unreadable = as_numbers(cells)
    seconds = numbers * unit_s
    if not unreadable.any():
        return seconds, unreadable
    parts = pc.extract_regex(as_text(cells), CLOCK)
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
    return np.where(yes_at, 1.0, np.where(no_at, 0.0, np.nan)), are_written(text) & ~yes_at & ~no_at


def _plain(cells: pa.Array) -> pa.Array:
    """Numbers and strings as they are, everything else as text."""
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_string(cells.type):
        return cells
    return cells.cast(pa.int8()) if pa.types.is_boolean(cells.type) else as_text(cells)


def are_written(cells: pa.Array) -> Marks:
    """In which cells something is written.

    Example:
        >>> are_written(pa.array(["0", None]))
        array([ True, False])
    """
    empty = pc.is_null(cells, nan_is_null=pa.types.is_floating(cells.type))
    marks: Marks = ~empty.to_numpy(zero_copy_only=False)
    return marks
