"""Tables in text, spreadsheets and Parquet files, opened by their header and read a part at a time.

Every message says what would be right; none repeats a row, since rows are about students.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from features.errors import USER_PATH, InputError, RegroupError, error_number, explain_os_error
from features.logs.files.content import PARQUET, describe_content, open_content, read_head
from features.logs.files.text_file import CHUNK_BYTES, CellChunk, TextForm, read_header, read_text


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
    """Whether a first row is data: a cell is a number, a date or an e-mail address.

    A number beside a heading such as "1001: Half of 8" is not: Canvas writes the points of the question there.
    """
    said = (name for before, name in zip(("", *columns), columns, strict=False) if not re.match(r"[0-9]+: ", before))
    return any(re.fullmatch(r"[\d.:/+ -]*\d[\dTZ.:/+ -]*|.*@.*", name) for name in said)


def find_column(columns: Sequence[str], name: str, what: str) -> int:
    """The position of a column.

    Args:
        columns: The file's columns; a name may come twice.
        name: The column; blanks around it do not count.
        what: Who asks, for the message, such as "[columns] student".

    Raises:
        InputError: The file has no such column, or has it twice.
    """
    columns, name = [each.strip() for each in columns], name.strip()
    if columns.count(name) > 1:
        raise InputError(f'{what} = "{name}": the file has that column twice')
    if name not in columns:
        near = [] if looks_like_data(columns) else get_close_matches(name, columns, n=1, cutoff=0.5)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise InputError(f'{what} = "{name}": the file has no such column{hint} ({describe_columns(columns)})')
    return columns.index(name)


CHUNK_ROWS = 200_000
"""Rows of a Parquet file that are in memory at once."""


@dataclass(frozen=True)
class TableFile:
    """A table on disk whose header has been read.

    Attributes:
        path: The file.
        columns: Its column names in order; a name may come twice.
        form: How a text file is written; null for Parquet.
        expected_chunks: How many chunks reading will yield, roughly.
    """

    path: Path
    columns: tuple[str, ...]
    form: TextForm | None = None
    expected_chunks: int = 1


def open_table(path: Path, form: TextForm | None) -> TableFile:
    """Reads the header of a text file or a sheet or, without a form, of a Parquet file.

    Raises:
        InputError: The file is absent, a folder, empty, of another type, or not in this encoding.

    Example:
        >>> open_table(Path("log.parquet"), form=None).columns  # doctest: +SKIP
        ('student', 'item')
    """
    head = read_head(path, None if form is None else form.sheet)
    found = describe_content(path, head)
    if form is None:
        if not head.startswith(PARQUET):
            raise InputError(f"{path.name} is {found or 'not a Parquet file'}; right would be Parquet")
        return _open_parquet(path)
    if head.startswith(PARQUET):
        raise InputError(f"{path.name} is a Parquet file; right would be text, or a mapping without [file] format")
    if found or (b"\x00" in head and not form.is_wide):
        what = found or "a binary file, or text in UTF-16"
        raise InputError(f"{path.name} is {what}; right would be text such as CSV, in {form.encoding}")
    return TableFile(path, read_header(path, head, form), form, -(-path.stat().st_size // CHUNK_BYTES))


def read_cells(table: TableFile, positions: Sequence[int]) -> Iterator[CellChunk]:
    """The wanted columns, chunk by chunk; cells of a Parquet file keep their type, those of a text are strings.

    Raises:
        InputError: The rest of the file is damaged or not in its encoding.
        UnavailableError: The disk fails.
    """
    try:
        if table.form:
            head = read_head(table.path, table.form.sheet)
            with open_content(table.path, table.form.sheet) as content:
                yield from read_text(table.path.name, content, head, table.form, len(table.columns), positions)
        else:
            yield from _read_parquet(table, positions)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error, table.path) from None


def _open_parquet(path: Path) -> TableFile:
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            return TableFile(path, tuple(file.schema_arrow.names), None, -(-file.metadata.num_rows // CHUNK_ROWS))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error, path) from None


def _damaged(error: Exception, path: Path) -> RegroupError:
    """The error for a file that opens and cannot be read; Arrow's own errors have no system error number."""
    if error_number(error) is None:
        return InputError(f"{path.name} is damaged; right would be a whole file")
    return explain_os_error(error, f"{path.name} cannot be read", USER_PATH)


def _read_parquet(table: TableFile, positions: Sequence[int]) -> Iterator[CellChunk]:
    wanted = [table.columns[place] for place in positions]
    with pyarrow.parquet.ParquetFile(table.path) as file:
        for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=wanted):
            yield CellChunk(tuple(batch.column(name) for name in wanted), broken_lines=0)
