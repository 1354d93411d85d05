"""Opens the database, and turns what can go wrong there into sentences."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from features.database.migrations import migrate, version_of
from features.database.url import read_url
from features.errors import BusyError, DatabaseAwayError, InputError, MissingError, RegroupError

WAIT_S = 5
"""How long to wait for another process's lock, in seconds."""

PAGES_LEFT = 20_000
"""Pages that SQLite's log of changes may hold before a change has to checkpoint it itself; about 80 MB."""

WRITERS = 7_233_401
"""PostgreSQL advisory lock for changing the roster or the tables; any number that nothing else uses."""

ERASING = 7_233_403
"""PostgreSQL advisory lock that every change shares, and that whoever begins to erase a student has alone."""

BUSY_STATES = {"55P03", "40001", "40P01", "53300", "57P03"}
"""PostgreSQL: lock not available, serialization failure, deadlock, too many connections, starting up."""

NO_TABLE = "42P01"
"""PostgreSQL: undefined table."""

FULL = {"53100", "SQLITE_FULL"}
"""What both databases say of a full disk."""


class Database:
    """The database that a URL names; nothing is opened before the first question.

    Args:
        url: `sqlite:///FILE` or `postgresql://…`.
        connections: Kept open for threads that ask at the same time, by a process that calls `checkpoint` now and then;
            0: every query opens its own, so that nothing stays open behind a command.

    Raises:
        InputError: The URL names no database that is supported.
    """

    def __init__(self, url: str, connections: int = 0) -> None:
        self._url = read_url(url)
        self._connections = connections
        self._engine: Engine | None = None
        self._migrated = False
        self._writer = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes what is open; the next question opens it again."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return self._url.get_backend_name() == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for one consistent look.

        Raises:
            MissingError: There are no tables yet.
            BusyError: The database stayed locked.
            DatabaseAwayError: It cannot be used.
        """
        if self.is_sqlite and not self._has_file():
            raise no_roster()
        with self._connection() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")  # sqlite3 by itself begins only at the first change
            else:
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            yield connection

    @contextmanager
    def changing(self, *, alone: bool = False, erasing: bool = False) -> Iterator[Connection]:
        """A connection whose changes are kept together or not at all; the tables are there.

        Args:
            alone: Whether no other such change may run at the same time, as when the whole roster is replaced. SQLite
                has one writer in any case.
            erasing: Whether no other change at all may run at the same time, so that each one either is there to be
                erased or finds in its own transaction that the student was erased.

        Raises:
            BusyError: The database stayed locked.
            DatabaseAwayError: It cannot be used.
            InputError: It was made by a later version of regroup.
        """
        if not self._migrated:
            with self._one_thread():
                if not self._migrated:
                    self.migrate()
        # SQLite has one writer: threads wait here in turn, which its file lock does not guarantee
        with self._one_thread() if self.is_sqlite else nullcontext(), self._connection() as connection:
            self._begin(connection, alone=alone, erasing=erasing)
            yield connection

    def migrate(self, target: str = "head") -> None:
        """Brings the tables to a version, all or nothing, while no other process does the same.

        Args:
            target: `head` for those that this code works with; an older version's name takes tables back.

        Raises:
            BusyError: The database stayed locked.
            DatabaseAwayError: It cannot be used.
            InputError: It was made by a later version of regroup.
        """
        if self.is_sqlite:
            with suppress(OSError):  # SQLite then says that it cannot open the file
                Path(self._url.database or "").parent.mkdir(parents=True, exist_ok=True)
            with self._connection() as connection:
                # readers and the one writer do not wait for each other; a commit is on disk before it returns
                if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":  # to ask takes no lock
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        with self._connection() as connection:
            self._begin(connection, alone=True)
            migrate(connection, target)
        self._migrated = target == "head"

    def compact(self) -> None:
        """Removes from disk what was deleted: SQLite keeps the bytes of deleted rows, PostgreSQL the rows themselves.

        What a PostgreSQL server's own log of changes and its backups hold is beyond this.

        Raises:
            BusyError: Another process is in the middle of something.
            DatabaseAwayError: It cannot be used.
        """
        with self._connection(in_transaction=False) as connection:
            connection.exec_driver_sql("VACUUM")
            if self.is_sqlite and connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar():
                raise BusyError(
                    "others read the database, so what was deleted is still in its file; try again in a moment"
                )

    def checkpoint(self) -> None:
        """Moves SQLite's log of changes into its file, so that no change has to stop for it; others go on meanwhile.

        What fails is left to the next time; PostgreSQL does it by itself.
        """
        if self.is_sqlite and self._has_file():
            with suppress(RegroupError), self._connection(in_transaction=False) as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def version(self) -> str | None:
        """The version of the tables; null where there are none yet."""
        with self._connection() as connection:
            return version_of(connection)

    def _has_file(self) -> bool:
        """Whether SQLite's file is there; one that may not be looked at is, and opening it says why it cannot be."""
        try:
            Path(self._url.database or "").stat()
        except OSError as error:
            return not isinstance(error, (FileNotFoundError, NotADirectoryError))
        return True

    @contextmanager
    def _one_thread(self) -> Iterator[None]:
        if not self._writer.acquire(timeout=WAIT_S):
            raise BusyError(f"other changes of this process took longer than {WAIT_S} s; try again")
        try:
            yield
        finally:
            self._writer.release()

    def _begin(self, connection: Connection, *, alone: bool, erasing: bool = False) -> None:
        if self.is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # waits here, not half-way
            return
        connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_S}s'"))
        if alone:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITERS})
        shared = "" if erasing else "_shared"
        connection.execute(text(f"SELECT pg_advisory_xact_lock{shared}(:key)"), {"key": ERASING})

    def _open(self) -> Engine:
        if self._engine is None:
            options: dict[str, Any] = {"timeout": WAIT_S} if self.is_sqlite else {"connect_timeout": WAIT_S}
            pool: dict[str, Any] = {"poolclass": NullPool}
            if self._connections:
                # a connection that died with the server's restart is noticed and replaced before it is used
                pool = {"pool_size": self._connections, "pool_timeout": WAIT_S, "pool_pre_ping": not self.is_sqlite}
            logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # its warnings show rows, which hold students
            self._engine = create_engine(self._url, connect_args=options, hide_parameters=True, **pool)
            if self.is_sqlite and self._connections:
                event.listen(self._engine, "connect", _collect_changes)
        return self._engine

    @contextmanager
    def _connection(self, *, in_transaction: bool = True) -> Iterator[Connection]:
        url = self._url
        where = f"SQLite file {url.database!r}" if self.is_sqlite else f"PostgreSQL at {url.host or 'the local socket'}"
        try:
            engine = self._open()
            if not in_transaction:
                engine = engine.execution_options(isolation_level="AUTOCOMMIT")
            with engine.begin() as connection:
                yield connection
        except RegroupError:
            raise
        except (ModuleNotFoundError, NoSuchModuleError):
            raise InputError(
                "the PostgreSQL driver is not installed; install regroup with its extra 'postgres'"
            ) from None
        except PoolTimeoutError:
            raise BusyError(f"all connections to {where} are in use; try again") from None
        except DBAPIError as error:
            # neither the statement nor its values may reach a log: they hold students
            if _is_busy(error.orig):
                raise BusyError(f"{where} stayed locked for {WAIT_S} s; try again when the other job is done") from None
            if _lacks_table(error.orig):
                raise no_roster() from None
            if isinstance(error, (IntegrityError, DataError)):
                raise InputError(f"{where} refuses what it was given ({_reason(error.orig)})") from None
            reason = _reason(error.orig)
            if reason.removeprefix("SQLSTATE ") in FULL:
                raise DatabaseAwayError(f"{where} cannot be changed: its disk is full; make room") from None
            message = f"{where} cannot be used ({reason}); check REGROUP_DATABASE_URL and its rights"
            raise DatabaseAwayError(message) from None


@contextmanager
def reading(where: str | Database | Connection) -> Iterator[Connection]:
    """See `Database.reading`; a URL gets a connection of its own, and a connection is used as it is."""
    if isinstance(where, Connection):
        yield where
    else:
        with _opened(where) as database, database.reading() as connection:
            yield connection


@contextmanager
def changing(where: str | Database | Connection, *, alone: bool = False) -> Iterator[Connection]:
    """See `Database.changing`; a URL gets a connection of its own, and a connection is used as it is."""
    if isinstance(where, Connection):
        yield where
    else:
        with _opened(where) as database, database.changing(alone=alone) as connection:
            yield connection


def no_roster() -> MissingError:
    """The error where no roster was loaded yet."""
    return MissingError("no roster is loaded yet; run `python -m features roster PATH` with a folder of CSV files")


@contextmanager
def _opened(where: str | Database) -> Iterator[Database]:
    if isinstance(where, Database):
        yield where
    else:
        with Database(where) as database:
            yield database


def _is_busy(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return getattr(cause, "sqlstate", None) in BUSY_STATES


def _lacks_table(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):
        return "no such table" in str(cause)
    return getattr(cause, "sqlstate", None) == NO_TABLE


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, sqlite3.Error):
        return str(getattr(cause, "sqlite_errorname", type(cause).__name__))
    state = getattr(cause, "sqlstate", None)
    return f"SQLSTATE {state}" if state else "it does not answer or refuses the login"


def _collect_changes(connection: sqlite3.Connection, _: object) -> None:
    connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_LEFT}")
