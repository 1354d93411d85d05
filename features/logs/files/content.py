"""What a file is, told from its content and never from its name, and that content opened.

A file that one program packed (gzip, bzip2, xz, or a zip archive of one file) is read as what is in it, and a
spreadsheet as one of its sheets. Of everything else that is no table it is said what it is, and what would help.
"""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast

from features.errors import USER_PATH, InputError, explain_os_error
from features.logs.files.workbook import Sheet, read_workbook

HEAD_BYTES = 1024 * 1024
"""A header longer than this is not a header."""

PARQUET = b"PAR1"

OF_R = "a data file of R; write its table with write.csv"

SIGNATURES = {
    b"\x89PNG": "a picture (PNG); export the table as CSV",
    b"\xff\xd8\xff": "a picture (JPEG); export the table as CSV",
    b"%PDF": "a PDF document, from which no table can be read; export it as CSV or .xlsx",
    b"{\\rtf": "a text document (RTF); save its table as CSV",
    b"RDX": OF_R,
    b"RDA": OF_R,
    b"RDB": OF_R,
    b"X\n\0": OF_R,
    b"A\n2\n": OF_R,
    b"A\n3\n": OF_R,
    b"ARROW1": "an Arrow or Feather file; write it as Parquet or CSV",
    b"SQLite format 3": "an SQLite database; export the table of answers as CSV",
    b"\x89HDF": "an HDF5 file; write its table as Parquet or CSV",
    b"$FL": "a data file of SPSS; save it as CSV",
    b"<stata_dta>": "a data file of Stata; save it as CSV",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it first",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
}

ROSTER = "a roster, not a log; load it with python -m features roster"

OLD_OFFICE = b"\xd0\xcf\x11\xe0"
ZIP = b"PK\x03\x04"

WEB_PAGE = ("<!doctype html", "<html", "<table", "<head", "<meta")

NOT_UNPACKED = "a zip archive of {} files; unpack it and name one of them"

UNPACKERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}

DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""What unpacking raises where a file breaks off, is altered, or asks for a password."""


def read_head(path: Path, sheet: str | None = None) -> bytes:
    """The first bytes of what a file holds.

    Args:
        path: The file.
        sheet: Name of the sheet, where it is a spreadsheet.

    Raises:
        InputError: The path is absent, a folder, or the file is empty, damaged, or may not be read.
        UnavailableError: The disk fails.
    """
    if path.is_dir():
        is_roster = _is_roster({each.name.lower() for each in path.iterdir()})
        what = ROSTER if is_roster else "a folder; right would be one file, or a folder of EdNet's KT1"
        raise InputError(f"{path.name} is {what}")
    with open_content(path, sheet) as content:
        head = content.read(HEAD_BYTES)
    if not head.strip():
        raise InputError(f"{path.name} has no rows")
    return head


@contextmanager
def open_content(path: Path, sheet: str | None = None) -> Iterator[IO[bytes]]:
    """What a file holds as a stream of bytes, unpacked or a sheet's rows as CSV; `read_head` has the arguments."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
        if is_workbook(path, start):
            yield BytesIO(_read_sheet(path, sheet).data)
        elif sheet is not None:
            raise InputError(f'{path.name} is no spreadsheet and has no sheet "{sheet}"; leave the sheet out')
        else:
            with _unpack(path, start) as content:
                yield content
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except DAMAGE:
        raise InputError(f"{path.name} is damaged, or has a password; right would be a whole file") from None
    except OSError as error:
        raise explain_os_error(error, f"{path.name} cannot be read", USER_PATH) from None


def describe_source(path: Path, sheet: str | None = None) -> str | None:
    """Which sheet of which is read, in a sentence for whoever loads the file; null where there is no choice."""
    if path.is_dir():
        return None
    with path.open("rb") as file:
        if not is_workbook(path, file.read(8)):
            return None
    chosen = _read_sheet(path, sheet)
    if not chosen.others:
        return None
    return f'read the sheet "{chosen.name}"; {", ".join(chosen.others)} would be read with --sheet NAME'


def describe_content(path: Path, head: bytes) -> str | None:
    """What a file that is no table is, and what would help; null where its first bytes tell nothing.

    Args:
        path: The file.
        head: The first bytes of what it holds.

    Example:
        >>> describe_content(Path("answers.csv"), b"%PDF-1.7")
        'a PDF document, from which no table can be read; export it as CSV or .xlsx'
    """
    found = next((what for start, what in SIGNATURES.items() if head.startswith(start)), None)
    if found:
        return found
    if head.startswith(ZIP):
        return _describe_zip(path)
    if b"sourcedid" in head.split(b"\n", 1)[0].lower():
        return f"part of {ROSTER}, with the whole folder or archive"
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it and name one of its files"
    start = head[:512].decode("latin-1").lstrip("\xef\xbb\xbf \r\n\t").lower()
    if start.startswith(WEB_PAGE) or (start.startswith("<?xml") and ("html" in start or "spreadsheet" in start)):
        return "a web page or XML, which some products call .xls; open it in a spreadsheet and save it as .xlsx or CSV"
    return None


def is_workbook(path: Path, start: bytes) -> bool:
    """Whether a file with these first bytes is a spreadsheet."""
    if start.startswith(OLD_OFFICE):
        return True
    if not start.startswith(ZIP):
        return False
    names = _names(path)
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return True
    if "content.xml" not in names:
        return False
    with zipfile.ZipFile(path) as archive:
        return "mimetype" in names and b"spreadsheet" in archive.read("mimetype")


def _unpack(path: Path, start: bytes) -> IO[bytes]:
    for mark, unpack in UNPACKERS.items():
        if start.startswith(mark):
            return cast("IO[bytes]", unpack(path))
    if start.startswith(ZIP) and len(names := _names(path)) == 1:
        return zipfile.ZipFile(path).open(names[0])
    return path.open("rb")


def _is_roster(names: set[str]) -> bool:
    """Whether files of these names are a roster that another system exports, or ours."""
    return any(part <= names for part in ({"users.csv", "orgs.csv"}, {"student.csv", "section.csv"}, {"members.csv"}))


def _describe_zip(path: Path) -> str:
    names = _names(path)
    if _is_roster({Path(name).name.lower() for name in names}):
        return ROSTER
    if any(name.startswith(("word/", "ppt/")) for name in names):
        return "an office document that is no spreadsheet; save its table as .xlsx or CSV"
    if any(name.endswith(".iwa") for name in names):
        return "a document of Apple Numbers; export it as .xlsx or CSV"
    return NOT_UNPACKED.format(len(names))


def _names(path: Path) -> list[str]:
    """The files in an archive, but for what a Mac adds."""
    with zipfile.ZipFile(path) as archive:
        return [each.filename for each in archive.infolist() if not each.is_dir() and "__MACOSX" not in each.filename]


def _read_sheet(path: Path, sheet: str | None) -> Sheet:
    stat = path.stat()
    return _read_sheet_once(path, sheet, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1)
def _read_sheet_once(path: Path, sheet: str | None, *changed: int) -> Sheet:
    """One file is opened several times on its way: for its format, its header and its rows."""
    del changed
    return read_workbook(path.read_bytes(), path.name, sheet)
