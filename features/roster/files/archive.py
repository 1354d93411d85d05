"""Opens a roster as it comes: a folder, a zip archive, a spreadsheet, or one CSV or JSON file."""

import zipfile
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath

from features.errors import WRONG_PATH, InputError, explain_os_error
from features.logs.files.content import is_workbook
from features.logs.files.table_start import find_start
from features.logs.files.workbook import read_sheets, read_workbook

SUFFIXES = (".csv", ".toml", ".json")

LARGEST = 1 << 30
"""Bytes that the files of an archive may have together; a district of 200,000 students has a tenth of it."""

ROSTER_SHEETS = frozenset({"members.csv", "users.csv", "enrollments.csv"})
"""A workbook with a sheet of one of these names is a whole roster."""

Files = Mapping[str, bytes]
"""The content of each file by its name, without folders."""


def read_files(path: Path) -> Files:
    """The CSV, TOML and JSON files of a folder or archive, the sheets of a spreadsheet, or one CSV or JSON file.

    Raises:
        InputError: It is not there, cannot be read, or is nothing of these.
    """
    try:
        if path.is_dir():
            found = (each for each in sorted(path.iterdir()) if each.suffix.lower() in SUFFIXES and each.is_file())
            return {each.name: each.read_bytes() for each in found}
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"roster {str(path)!r} is not there; name a folder, a zip archive, a spreadsheet, or a CSV or JSON file"
        ) from None
    except OSError as error:
        raise explain_os_error(error, f"roster {path} cannot be read", WRONG_PATH) from None
    if is_workbook(path, data[:8]):
        return _read_sheets(data, path)
    if path.suffix.lower() in {".csv", ".json"}:
        return {path.name: data}
    return unpack_files(data, path.name)


def unpack_files(data: bytes, name: str, largest: int = LARGEST) -> Files:
    """The CSV, TOML and JSON files of a zip archive, of whatever folder in it.

    Args:
        data: The archive.
        name: What to call it in errors.
        largest: Bytes that its files may have together.

    Raises:
        InputError: It is no such archive, is damaged, has two files of one name, or unpacks to more than that.
    """
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = [part for part in archive.infolist() if _counts(part)]
            names = Counter(PurePosixPath(part.filename).name for part in parts)
            if sum(part.file_size for part in parts) <= largest and max(names.values(), default=0) <= 1:
                files = {PurePosixPath(part.filename).name: archive.read(part) for part in parts}
    except Exception as error:  # noqa: BLE001 - what compresses has errors of its own, which share no base
        raise InputError(
            f"{name} is not a zip archive that can be read ({type(error).__name__}); zip the CSV files again"
        ) from None
    twice = [file for file, count in names.items() if count > 1]
    if twice:
        raise InputError(f"{name} has {twice[0]!r} in two folders; keep one of them")
    if parts and not files:
        raise InputError(f"{name} unpacks to more than {largest >> 20} MB; send less than that")
    return files


def _read_sheets(data: bytes, path: Path) -> Files:
    """Each sheet of a workbook that has one for each roster file; of any other, the one that is read, as one file.

    Lines above the table, such as a title, are left out.
    """
    sheets = {f"{name.strip().lower()}.csv": text for name, text in read_sheets(data, path.name).items()}
    if not ROSTER_SHEETS & sheets.keys():
        sheets = {f"{path.stem}.csv": read_workbook(data, path.name).data}
    return {name: b"".join(text.splitlines(keepends=True)[find_start(text).skip :]) for name, text in sheets.items()}


def _counts(part: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(part.filename)
    hidden = path.parts and (path.parts[0] == "__MACOSX" or path.name.startswith("."))
    return not part.is_dir() and not hidden and path.suffix.lower() in SUFFIXES
