"""CSV and TSV files in chunks of a few megabytes; every cell is a string, exactly as written.

No message repeats a line, since lines are about students. That is why Arrow's own errors, which quote the line that
they break on, are never chained.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv

from features.errors import InputError

CHUNK_BYTES = 16 * 1024 * 1024
"""Bytes of a text file that are in memory at once."""

WIDE = ("utf-16", "utf_16", "utf-32", "utf_32")
"""Encodings whose characters take several bytes, zeros among them."""


@dataclass(frozen=True)
class TextForm:
    """How a text file is written.

    Attributes:
        delimiter: What separates cells.
        encoding: The encoding of its characters.
        quoted: Whether quotation marks enclose cells, which may then hold delimiters and line breaks.
        skip: How many lines stand above the header.
        sheet: Name of the sheet of a spreadsheet; null for the one that is read without a name.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    quoted: bool = True
    skip: int = 0
    sheet: str | None = None

    @property
    def is_wide(self) -> bool:
        """Whether a character takes several bytes."""
        return self.encoding.lower().startswith(WIDE)


@dataclass(frozen=True)
class CellChunk:
    """Some rows: one array per wanted column, how many lines had the wrong number of cells, and how many one text."""

    cells: tuple[pa.Array, ...]
    broken_lines: int
    text_lines: int = 0


def read_header(path: Path, head: bytes, form: TextForm) -> tuple[str, ...]:
    """The column names in the first bytes of a file.

    Raises:
        InputError: They are not in this encoding, or no row of names.
    """
    try:
        return tuple(_first_row(head, form)[0])
    except UnicodeError:
        raise _wrong_encoding(path.name, form) from None
    except (csv.Error, StopIteration):
        raise InputError(f"{path.name} has no readable header; right would be one row of column names") from None


def read_text(
    name: str, content: IO[bytes], head: bytes, form: TextForm, width: int, positions: Sequence[int]
) -> Iterator[CellChunk]:
    """The wanted columns, chunk by chunk; null where nothing is written.

    Lines with more or fewer cells than the header are skipped and counted in the last chunk.

    Args:
        name: The file's name, for errors.
        content: What it holds, from its beginning; it can be read again.
        head: Its first bytes, with all of the header.
        form: How it is written.
        width: How many columns the header has.
        positions: The wanted ones.

    Raises:
        InputError: The file is not in its encoding, is damaged, or has a quotation mark that is never closed.
    """
    try:
        yield from _read_batches(name, content, head, form, width, positions)
    except UnicodeError:
        raise _wrong_encoding(name, form) from None
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise _wrong_encoding(name, form) from None
        raise _open_quote(name) from None


class _Watched:
    """A stream of bytes of which the quotation marks are counted."""

    closed = False

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.marks = 0

    def read(self, size: int) -> bytes:
        """The next bytes."""
        some = self._content.read(size)
        self.marks += some.count(b'"') if b'"' in some else 0  # to find none is faster than to count it
        return some


def _read_batches(
    name: str, content: IO[bytes], head: bytes, form: TextForm, width: int, positions: Sequence[int]
) -> Iterator[CellChunk]:
    broken: list[bool] = []  # whether each such line is a text around the table, without a second cell

    def skip(row: pyarrow.csv.InvalidRow) -> str:
        broken.append(row.actual_columns == 1)
        return "skip"

    _, header_lines = _first_row(head, form)
    watched = _Watched(content)
    # by position, because a name may be empty or come twice
    names = [str(place) for place in range(width)]
    wanted = [names[place] for place in positions]
    reader = pyarrow.csv.open_csv(
        pa.PythonFile(watched, mode="r"),
        read_options=pyarrow.csv.ReadOptions(
            column_names=names, skip_rows=header_lines, encoding=form.encoding, block_size=CHUNK_BYTES
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=form.delimiter,
            quote_char='"' if form.quoted else False,
            newlines_in_values=form.quoted,
            invalid_row_handler=skip,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=wanted,
            strings_can_be_null=True,
            null_values=[""],  # "NA" and "null" may be someone's id
        ),
    )
    rows = header_lines
    with reader:
        for batch in reader:
            rows += len(batch)
            yield CellChunk(tuple(batch.columns), broken_lines=0)
    if form.quoted and not form.is_wide and watched.marks % 2:
        _refuse_open_quote(name, content, rows + len(broken))
    texts = sum(broken)
    yield CellChunk(tuple(pa.nulls(0, pa.string()) for _ in wanted), len(broken) - texts, texts)


def _refuse_open_quote(name: str, content: IO[bytes], rows: int) -> None:
    """Raises if a quotation mark is never closed: Arrow takes the rest of the file for one cell, without an error.

    An odd number of marks, which the file has, may be inches in a text. With more lines than rows too, lines went into
    a cell.
    """
    lines, in_line = 0, False
    for block in _read_again(content):
        lines += sum(1 for _ in re.finditer(rb"[^\r\n]+", block)) - (in_line and block[0] not in b"\r\n")
        in_line = block[-1] not in b"\r\n"
    if lines > rows:
        raise _open_quote(name)


def _read_again(content: IO[bytes]) -> Iterator[bytes]:
    content.seek(0)
    while block := content.read(CHUNK_BYTES):
        yield block


def _first_row(head: bytes, form: TextForm) -> tuple[list[str], int]:
    """The cells of the first row, and how many lines it takes."""
    # newline="" keeps line breaks inside a quoted name, so that lines are counted as in the file
    text = io.TextIOWrapper(io.BytesIO(head.removeprefix(codecs.BOM_UTF8)), encoding=form.encoding, newline="")
    for _ in range(form.skip):
        text.readline()
    rows = csv.reader(text, delimiter=form.delimiter, quoting=csv.QUOTE_MINIMAL if form.quoted else csv.QUOTE_NONE)
    return next(rows), form.skip + rows.line_num


def _open_quote(name: str) -> InputError:
    return InputError(f"{name} is damaged: a quotation mark is never closed, or the last line breaks off")


def _wrong_encoding(name: str, form: TextForm) -> InputError:
    other = "cp1252" if form.encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else "utf-8"
    return InputError(f'{name} is not text in {form.encoding}; try [file] encoding = "{other}" in a mapping')
