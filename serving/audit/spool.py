"""Audit entries on this machine's disk, until they are in the database and for a while longer.

All processes of one installation append to one SQLite file and have an entry on disk before the answer is sent, so that
no request waits for the database, and none is answered unrecorded while the database is away. The first process to look
ships the entries to the database within seconds, those of a killed process too. The newest stay here, since a back-up
of the database is older than what was shipped after it: once it is restored, they are shipped again.
"""

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import DataError, IntegrityError

from features.database import Database
from features.database.sqlite_file import empty_log
from features.erasure import Installation, Store
from features.errors import BusyError
from features.tombstones import find_erased
from serving.audit.entries import AuditEntry, add_entries

logger = logging.getLogger("regroup")

FILE = "spool.db"

TABLE = """CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY,
    entry TEXT NOT NULL,                -- JSON of an `AuditEntry`
    set_aside INTEGER NOT NULL DEFAULT 0, -- 1 where the database refuses it
    shipped INTEGER NOT NULL DEFAULT 0    -- 1 where the database has it
)"""

ADD_SHIPPED = "ALTER TABLE entries ADD COLUMN shipped INTEGER NOT NULL DEFAULT 0"
"""For a file of an earlier version."""

KEPT = 10_000
"""Entries that stay here, the newest; those that the database has among them."""

INSERT = "INSERT INTO entries (entry) VALUES (?)"

REMOVE_OLD = "DELETE FROM entries WHERE shipped AND number <= (SELECT max(number) FROM entries) - ?"

WAIT_S = 10.0
"""How long a process waits for another that writes, in seconds."""

REFUSALS = (DataError, IntegrityError, ValueError)
"""What a database and its driver raise for an entry that cannot be stored, such as one with half a character."""

BATCH = 1000
"""The most entries that are shipped to the database in one transaction."""


@dataclass(frozen=True)
class Backlog:
    """What waits on disk.

    Attributes:
        waiting: Entries that will be shipped to the database.
        set_aside: Entries that the database refused.
        oldest: The moment of the first entry that waits, UTC; None where none does.
    """

    waiting: int
    set_aside: int
    oldest: datetime | None


class Spool:
    """The audit entries of one installation that are not in the database yet; for all threads and processes.

    Args:
        folder: The folder of the file, made on first use and readable by its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._file: sqlite3.Connection | None = None

    def append(self, entries: Iterable[AuditEntry]) -> None:
        """Writes entries, which are on disk when it returns.

        Raises:
            OSError: The folder cannot be made or written to.
            sqlite3.Error: The file cannot be written to.
        """
        rows = [(json.dumps(asdict(entry) | {"at": entry.at.isoformat()}),) for entry in entries]
        with self._connection() as file, _transaction(file):
            file.executemany(INSERT, rows)

    def close(self) -> None:
        """Closes the file; the next entry opens it again."""
        with self._lock:
            self._close()

    def ship(self, database: Database) -> int:
        """Ships the entries that are here now to the database and returns how many it shipped.

        Entries that were shipped are marked, and removed when newer ones have come. If the process is killed in
        between, they are shipped again, and the database stores them once. An entry that the database refuses is set
        aside, and the others are shipped.

        Raises:
            BusyError: The database stayed locked.
            DatabaseAwayError: The database cannot be used.
            OSError: The folder cannot be read.
            sqlite3.Error: The file cannot be read or written to.
        """
        if not self._folder.is_dir():
            return 0
        shipped, after = 0, 0
        with self._connection() as file:
            _import_old_files(self._folder, file)
            last: int = file.execute("SELECT coalesce(max(number), 0) FROM entries").fetchone()[0]
        while rows := self._read(after, last):
            refused, of_erased = _store(rows, database)
            stored = [row for row in rows if row[0] not in refused]
            aside = [row for row in rows if row[0] in refused]
            named = [row for row in stored if row[0] in of_erased]
            with self._connection() as file, _transaction(file):
                # by its text too: an erasure may have changed it meanwhile, and then it is shipped once more
                file.executemany("UPDATE entries SET set_aside = 1 WHERE number = ? AND entry = ?", aside)
                file.executemany("UPDATE entries SET shipped = 1 WHERE number = ? AND entry = ?", stored)
                # an erasure had gone through the file before they came in
                file.executemany("DELETE FROM entries WHERE number = ? AND entry = ?", named)
                file.execute(REMOVE_OLD, (KEPT,))
            if refused:
                logger.error("the database refuses %d audit entries, which are set aside", len(refused))
            shipped, after = shipped + len(stored), rows[-1][0]
        if not shipped:
            with self._connection() as file:  # while no entries come in, this delays nobody
                _empty_log(file)
        return shipped

    def ship_again(self) -> None:
        """Lets the next shipment take what was shipped before too, since the database may be an older one now.

        Raises:
            OSError: The folder cannot be read.
            sqlite3.Error: The file cannot be written to.
        """
        if self._folder.is_dir():
            with self._connection() as file:
                file.execute("UPDATE entries SET shipped = 0 WHERE shipped")

    def backlog(self) -> Backlog:
        """What waits on disk now.

        Raises:
            OSError: The folder cannot be read.
            sqlite3.Error: The file cannot be read.
        """
        if not self._folder.is_dir():
            return Backlog(0, 0, None)
        with self._connection() as file:
            total, aside = file.execute(
                "SELECT count(*), coalesce(sum(set_aside), 0) FROM entries WHERE NOT shipped"
            ).fetchone()
            first = file.execute(
                "SELECT entry FROM entries WHERE NOT shipped AND NOT set_aside ORDER BY number LIMIT 1"
            ).fetchone()
        entry = None if first is None else _read_entry(first[0])
        return Backlog(total - aside, aside, None if entry is None else entry.at)

    def forget(self, student_id: str) -> int:
        """Removes a student from the entries that are still here, and returns how many named the student.

        Raises:
            BusyError: Others were reading them all the while.
        """
        if not self._folder.is_dir():
            return 0
        with self._connection() as file:
            _import_old_files(self._folder, file)
            with _transaction(file):
                count: int = file.execute(
                    "UPDATE entries SET entry = json_set(entry, '$.student_id', NULL) "
                    "WHERE json_valid(entry) AND json_extract(entry, '$.student_id') = ?",
                    (student_id,),
                ).rowcount
            if not _empty_log(file, WAIT_S):
                raise BusyError("others read the audit entries on disk, so what was deleted is still there; try again")
        return count

    def _read(self, after: int, last: int) -> list[tuple[int, str]]:
        """The next entries between two numbers, in the order in which they were appended."""
        with self._connection() as file:
            return file.execute(
                "SELECT number, entry FROM entries WHERE number > ? AND number <= ? AND NOT shipped AND NOT set_aside "
                "ORDER BY number LIMIT ?",
                (after, last, BATCH),
            ).fetchall()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """The file, for one thread at a time: those that wait for SQLite's own lock sleep for too long."""
        with self._lock:
            try:
                self._file = self._file or self._open()
                yield self._file
            except (OSError, sqlite3.Error):
                self._close()  # the connection may be in any state, so the next use opens another
                raise

    def _open(self) -> sqlite3.Connection:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / FILE
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA page_size = 1024")  # a commit writes whole pages, and entries are short
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # a commit is on disk when it returns
            connection.execute("PRAGMA secure_delete = ON")  # what was erased is overwritten
            connection.execute("PRAGMA cache_size = -256")  # KB: entries are written and shipped, and seldom read again
            connection.execute(TABLE)
            if "shipped" not in {column[1] for column in connection.execute("PRAGMA table_info(entries)")}:
                connection.execute(ADD_SHIPPED)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        if self._file is not None:
            with suppress(sqlite3.Error):
                self._file.close()
            self._file = None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _empty_log(file: sqlite3.Connection, wait_s: float = 0) -> bool:
    return empty_log(lambda sql: bool(file.execute(sql).fetchone()[0]), wait_s)


def _store(rows: Sequence[tuple[int, str]], database: Database) -> tuple[set[int], set[int]]:
    """Stores entries in the database; returns the numbers of those that it refuses, and that name an erased student."""
    refused, entries = set[int](), dict[int, AuditEntry]()
    for number, text in rows:
        entry = _read_entry(text)
        if entry is None:
            refused.add(number)
        else:
            entries[number] = entry
    with database.changing() as connection:
        erased = find_erased(
            connection, {entry.student_id for entry in entries.values() if entry.student_id is not None}
        )
        try:
            with connection.begin_nested():
                add_entries(connection, list(entries.values()))
        except REFUSALS:
            for number, entry in entries.items():
                try:
                    with connection.begin_nested():
                        add_entries(connection, [entry])
                except REFUSALS:
                    refused.add(number)
    return refused, {number for number, entry in entries.items() if entry.student_id in erased}


def _read_entry(text: str) -> AuditEntry | None:
    """The entry that a row holds; None for one of another version of regroup, or one that was damaged."""
    try:
        fields = json.loads(text)
        entry = AuditEntry(**fields | {"at": datetime.fromisoformat(fields["at"])})
    except (ValueError, KeyError, TypeError):
        return None
    texts = {name: value for name, value in asdict(entry).items() if name != "at" and value is not None}
    return entry if all(isinstance(value, str) for value in texts.values()) and entry.at.tzinfo else None


def _import_old_files(folder: Path, file: sqlite3.Connection) -> None:
    """Imports the files that regroup wrote before it used SQLite here, without lines that were cut off."""
    for path in sorted(folder.glob("*.jsonl")):
        lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.endswith("}")]
        with _transaction(file):
            file.executemany(INSERT, [(line,) for line in lines])
        path.unlink(missing_ok=True)


def _erase(place: Installation, student_id: str) -> int:
    spool = Spool(place.home.audit)
    try:
        return spool.forget(student_id)
    except sqlite3.Error as error:
        raise BusyError(f"audit entries on disk cannot be changed now ({error}); run the erasure again") from error
    finally:
        spool.close()


SPOOL = Store("audit entries on this machine's disk", _erase, folders=("audit",))
"""The spool as a store for an erasure, beside `serving.store.erasure.STORES`."""
