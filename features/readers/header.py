"""Column names of a file in messages, never values: a file without a header has a student's row in its place."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from features.errors import InputError


def describe_columns(columns: Sequence[str]) -> str:
    """The column names for a message, unless the first row looks like data about a student.

    Example:
        >>> describe_columns(["student", "item"])
        'its columns: student, item'
    """
    if looks_like_data(columns):
        return "its first row holds values, not column names: add a row of names"
    return f"its columns: {', '.join(name for name in columns if name)}"


def looks_like_data(columns: Sequence[str]) -> bool:
    """Whether a first row is data: a cell is a number, a date or an e-mail address."""
    return any(re.fullmatch(r"[\d.:/+ -]*\d[\dTZ.:/+ -]*|.*@.*", name) for name in columns)


def find_column(columns: Sequence[str], name: str, what: str) -> int:
    """The position of a column.

    Args:
        columns: The file's columns; a name may come twice.
        name: The column.
        what: Who asks, for the message, such as "[columns] student".

    Raises:
        InputError: The file has no such column, or has it twice.
    """
    if list(columns).count(name) > 1:
        raise InputError(f'{what} = "{name}": the file has that column twice')
    if name not in columns:
        near = [] if looks_like_data(columns) else get_close_matches(name, columns, n=1, cutoff=0.5)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise InputError(f'{what} = "{name}": the file has no such column{hint} ({describe_columns(columns)})')
    return columns.index(name)
