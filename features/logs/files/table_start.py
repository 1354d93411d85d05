"""Where a table begins in a text file, and how it is written, told from its first lines.

A table may stand below title lines or a spreadsheet's `sep=;`, have any of the usual delimiters, and be in UTF-16,
which shows by its mark. What a mapping says counts before what is found here.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from features.logs.files.text_file import TextForm

DELIMITERS = (",", "\t", ";", "|")

LOOKED_AT = 65_536
"""Bytes in which the header is looked for."""

ROWS = 60
"""Rows in which the header is looked for."""

SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)

WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class _Found:
    """A header: what separates its cells, the lines before it, and how much of what is looked at it fits."""

    delimiter: str
    skip: int
    fits: tuple[bool, float, int]


def find_encoding(head: bytes) -> str:
    """UTF-16 where the file has its mark, else UTF-8."""
    return "utf-16" if is_wide(head) else "utf-8"


def is_wide(head: bytes) -> bool:
    """Whether a file has the mark of UTF-16."""
    return head.startswith(WIDE_MARKS)


def find_start(
    head: bytes,
    names: Collection[str] = (),
    delimiter: str | None = None,
    encoding: str | None = None,
    prefer: str = ",",
) -> TextForm:
    r"""How the table in a text file is written, and below how many lines it begins.

    Args:
        head: The first bytes of the file.
        names: Columns that the header has; the first row that has all of them is the header.
        delimiter: What separates cells; without it, what fits best.
        encoding: The encoding; without it, what `find_encoding` finds.
        prefer: The delimiter that is taken where several fit.

    Example:
        >>> find_start(b"Report of May\n\nstudent;score\na;1\nb;0\n")
        TextForm(delimiter=';', encoding='utf-8', quoted=True, skip=2, sheet=None)
    """
    encoding = encoding or find_encoding(head)
    text = head[:LOOKED_AT].removeprefix(codecs.BOM_UTF8).decode(encoding, "replace")
    named = SEPARATOR.fullmatch(text.split("\n", 1)[0])
    choices = (delimiter,) if delimiter else (named[1],) if named else (prefer, *DELIMITERS)
    found = [header for choice in choices if (header := _find_header(text, choice, names))]
    nothing = _Found(choices[0], 1 if named else 0, (False, 0, 0))
    best = max(found, key=lambda header: header.fits, default=nothing)
    return TextForm(best.delimiter, encoding, skip=best.skip)


def _find_header(text: str, delimiter: str, names: Collection[str]) -> _Found | None:
    """The row of names that a delimiter gives; null where it gives none."""
    rows = list(_rows(text, delimiter))
    for line, cells in rows:
        if names and set(names) <= set(cells):
            return _Found(delimiter, line, (True, 1.0, len(cells)))
    widths = Counter(len(cells) for _, cells in rows if any(cells))
    width, count = max(widths.items(), key=lambda pair: (pair[1] * (pair[0] > 1), pair[0]), default=(1, 0))
    if width < 2:  # noqa: PLR2004 - one cell in a row is no table
        return None
    full = [(line, cells) for line, cells in rows if len(cells) == width]
    # a title that a spreadsheet saved has as many cells as the table, but hardly one is written
    line = next((line for line, cells in full if 2 * sum(map(bool, cells)) > width), full[0][0])
    return _Found(delimiter, line, (False, count / widths.total(), width))


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The first rows with the number of lines before each."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 0
    try:
        for number, cells in enumerate(reader):
            if number == ROWS:
                return
            yield line, [cell.strip() for cell in cells]
            line = reader.line_num
    except csv.Error:
        return
