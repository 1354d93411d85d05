"""Audit entries on this machine's disk, until they are in the database.

Each process appends to a file of its own and has it on disk before the answer goes out, so that no request waits for
the database or for another process, and none is answered unrecorded while the database is away. Closed files are taken
to the database within seconds, by whichever process comes first, those of a killed process too.
"""

import fcntl
import json
import logging
import os
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from features.database import Database
from serving.audit.entries import AuditEntry, add_entries

logger = logging.getLogger("regroup")


class Spool:
    """The files of one installation, and the one that this process appends to.

    A process holds a lock on its file; what nobody holds can be taken to the database.

    Args:
        folder: Made on first use, for its owner's eyes only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._file: int | None = None
        self._size = 0

    def append(self, entries: Iterable[AuditEntry]) -> None:
        """Puts entries on disk; they are there when it returns.

        Raises:
            OSError: They are not.
        """
        lines = b"".join(_line(each) for each in entries)
        with self._lock:
            file = self._open() if self._file is None else self._file
            try:
                _write_all(file, lines)
                os.fdatasync(file)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(file, self._size)
                self._close()  # whatever state it is in, the next entries go into another
                raise
            self._size += len(lines)

    def close_file(self) -> None:
        """Lets the entries so far be taken to the database; the next ones go into another file."""
        with self._lock:
            self._close()

    def ship(self, database: Database) -> int:
        """Takes every file that nobody appends to into the database, and says how many entries that were.

        What was taken is removed. A process killed in between takes it again, and the database keeps it once.

        Raises:
            BusyError: The database stayed locked.
            DatabaseAwayError: It cannot be used.
        """
        return sum(_take(path, database) for path in sorted(self._folder.glob("*.jsonl")))

    def _open(self) -> int:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{time.time_ns():020d}-{os.getpid()}.jsonl"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # a file whose name is not on disk is lost with all that is in it
        finally:
            os.close(folder)
        self._file, self._size = file, 0
        return file

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _write_all(file: int, lines: bytes) -> None:
    if os.write(file, lines) < len(lines):
        raise OSError("the disk is full")


def _take(path: Path, database: Database) -> int:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return 0  # another process was faster
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        entries = _read_entries(file.readlines())
        with database.changing(alone=True) as connection:  # not beside the erasure of a student
            add_entries(connection, entries)
        path.unlink(missing_ok=True)
    return len(entries)


def _line(entry: AuditEntry) -> bytes:
    return json.dumps(asdict(entry) | {"at": entry.at.isoformat()}).encode() + b"\n"


def _read_entries(lines: Sequence[bytes]) -> list[AuditEntry]:
    entries = []
    for line in lines:
        try:
            parts = json.loads(line)
            entries.append(AuditEntry(**parts | {"at": datetime.fromisoformat(parts["at"])}))
        except (ValueError, KeyError, TypeError):
            # the last line of a process that was killed while it wrote: its answer never went out
            logger.warning("an audit entry was cut off in writing and is left out")
    return entries
