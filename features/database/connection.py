"""Opens the database, and turns what can go wrong there into sentences."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from features.database.continuity import Continuity, Marker, read_identity
from features.database.migrations import migrate, version_of
from features.database.refusals import WAIT_S, explain_refusal, no_roster
from features.database.sqlite_file import SqliteFile, empty_log
from features.database.url import read_url
from features.errors import BusyError, DatabaseAwayError, InputError, RegroupError

PAGES_LEFT = 20_000
"""Pages that SQLite's log of changes may hold before a change has to checkpoint it itself; about 80 MB."""

CACHE_KB = 512
"""KB of SQLite's file that a connection that is kept open may hold in memory, which the system holds once for all."""

STATEMENTS = 32
"""Prepared statements that a connection to SQLite keeps, some 30 KB each; to prepare one takes 10 to 20 us."""

WRITERS = 7_233_401
"""PostgreSQL advisory lock for changing the roster or the tables; any number that nothing else uses."""

ERASING = 7_233_403
"""PostgreSQL advisory lock that every change shares, and that whoever begins to erase a student has alone."""


class Database:
    """The database that a URL names; nothing is opened before the first question.

    One that keeps connections open notices when another database is in the place of the one that it has seen: a file
    that was replaced, a restored back-up. The question that notices fails with `DatabaseAwayError`, `restarts` grows,
    and the next question begins anew.

    Args:
        url: `sqlite:///FILE` or `postgresql://…`.
        connections: Kept open for threads that ask at the same time, by a process that calls `checkpoint` now and then;
            0: every query opens its own, so that nothing stays open behind a command.
        marker: A file that says which database the home was used with, for a service that must not begin with an empty
            one while its own is away; None to go without.
        check: Called with a transaction that nobody else can have at the same time, before the first question and after
            each restart; what it raises refuses the question, and the next question calls it again.

    Raises:
        InputError: The URL names no database that is supported.
    """

    def __init__(
        self,
        url: str,
        connections: int = 0,
        marker: Path | None = None,
        check: Callable[[Connection], None] | None = None,
    ) -> None:
        self._url = read_url(url)
        self._connections = connections
        self._engine: Engine | None = None
        self._migrated = -1  # at how many restarts
        self._writer = threading.RLock()
        self._file = SqliteFile(Path(self._url.database or "")) if self.is_sqlite else None
        where = self._url.host or "the local socket"
        self._name = f"SQLite file {self._url.database!r}" if self.is_sqlite else f"PostgreSQL at {where}"
        noted = None if marker is None else Marker(marker, self._url.render_as_string(hide_password=True))
        self._check = check
        self._needs_tables = noted is not None or check is not None
        self._continuity = Continuity(self._name, noted)

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

    @property
    def restarts(self) -> int:
        """How often another database was found in the place of the one seen before: older caches are of no use."""
        return self._continuity.restarts

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for one consistent look.

        Raises:
            MissingError: There are no tables yet.
            BusyError: The database stayed locked.
            DatabaseAwayError: It cannot be used, or is another one than before.
        """
        if self._needs_tables:
            self._require_tables()
        elif self._file is not None and not self._file.is_there():
            raise self._file.gone() if self._continuity.installation else no_roster()
        restarts = self.restarts
        with self._connection() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")  # sqlite3 by itself begins only at the first change
            else:
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            self._continuity.follow(connection, restarts)
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
            DatabaseAwayError: It cannot be used, or is another one than before; nothing was changed.
            InputError: It was made by a later version of regroup.
        """
        self._require_tables()
        # SQLite has one writer: threads wait here in turn, which its file lock does not guarantee
        with self._one_thread() if self.is_sqlite else nullcontext():
            restarts = self.restarts
            with self._connection() as connection:
                self._begin(connection, alone=alone, erasing=erasing)
                identity = self._continuity.count_change(connection)
                yield connection
            self._require_file()  # what went into a file that has lost its name is not kept
            if self.restarts != restarts:  # another thread has noticed it first
                raise DatabaseAwayError(f"the {self._name} was replaced or restored during a change; try again")
            self._continuity.keep(identity, restarts)

    def migrate(self, target: str = "head") -> None:
        """Brings the tables to a version, all or nothing, while no other process does the same.

        Args:
            target: `head` for those that this code works with; an older version's name takes tables back.

        Raises:
            BusyError: The database stayed locked.
            DatabaseAwayError: It cannot be used, or is another one than this process or its home has used.
            InputError: It was made by a later version of regroup.
        """
        known, restarts = self._continuity.installation is not None, self.restarts
        if self._file is not None:
            if known and not self._file.is_there():
                raise self._file.gone()
            with suppress(OSError):  # SQLite then says that it cannot open the file
                self._file.path.parent.mkdir(parents=True, exist_ok=True)
            with self._connection() as connection:
                # readers and the one writer do not wait for each other; a commit is on disk before it returns
                if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":  # to ask takes no lock
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        with self._connection() as connection:
            self._begin(connection, alone=True)
            if known and version_of(connection) is None:
                raise DatabaseAwayError(f"{self._name} has lost its tables; is it being restored?")
            migrate(connection, target)
            if target == "head":
                if self._check is not None:
                    self._check(connection)
                self._continuity.keep(read_identity(connection))
            else:
                self._continuity.forget()
        self._migrated = restarts if target == "head" else -1

    def compact(self) -> None:
        """Removes from disk what was deleted: SQLite keeps the bytes of deleted rows, PostgreSQL the rows themselves.

        What a PostgreSQL server's own log of changes and its backups hold is beyond this.

        Raises:
            BusyError: Another process is in the middle of something.
            DatabaseAwayError: It cannot be used.
        """
        with self._connection(in_transaction=False) as connection:
            connection.exec_driver_sql("VACUUM")
            if self.is_sqlite and not empty_log(lambda sql: bool(connection.exec_driver_sql(sql).scalar()), WAIT_S):
                raise BusyError(
                    "others read the database, so what was deleted is still in its file; try again in a moment"
                )

    def checkpoint(self) -> None:
        """Moves SQLite's log of changes into its file, so that no change has to stop for it; others go on meanwhile.

        What fails is left to the next time; PostgreSQL does it by itself.
        """
        if self._file is not None and self._file.is_there():
            with suppress(RegroupError), self._connection(in_transaction=False) as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def version(self) -> str | None:
        """The version of the tables; null where there are none yet."""
        with self._connection() as connection:
            return version_of(connection)

    def _require_tables(self) -> None:
        """Brings the tables to the newest version before the first use, and after each restart."""
        if self._migrated != self.restarts:
            with self._one_thread():
                if self._migrated != self.restarts:
                    self.migrate()

    def _require_file(self) -> None:
        """Looks that SQLite's file is the one that is open.

        Raises:
            DatabaseAwayError: It is gone or was replaced; what is in its place is opened next.
        """
        if self._file is not None and self._file.was_replaced():
            self.close()
            self._continuity.begin_anew()
            raise DatabaseAwayError(f"the {self._name} was replaced; try again")

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
            options: dict[str, Any] = {"connect_timeout": WAIT_S}
            if self.is_sqlite:
                options = {"timeout": WAIT_S, "cached_statements": STATEMENTS}
            pool: dict[str, Any] = {"poolclass": NullPool}
            if self._connections:
                # a connection that died with the server's restart is noticed and replaced before it is used
                pool = {"pool_size": self._connections, "pool_timeout": WAIT_S, "pool_pre_ping": not self.is_sqlite}
                pool |= {"pool_use_lifo": True}  # few connections are busy at once, so that few fill their memory
            logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # its warnings show rows, which hold students
            self._engine = create_engine(self._url, connect_args=options, hide_parameters=True, **pool)
            if self.is_sqlite and self._connections:
                event.listen(self._engine, "do_connect", self._note_file)
                event.listen(self._engine, "connect", self._prepare)
        return self._engine

    @contextmanager
    def _connection(self, *, in_transaction: bool = True) -> Iterator[Connection]:
        self._require_file()
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
            raise BusyError(f"all connections to {self._name} are in use; try again") from None
        except DBAPIError as error:
            raise explain_refusal(error, self._name, had_tables=self._continuity.installation is not None) from None

    def _note_file(self, *_: object) -> None:
        """Notes the file before it is opened: one that takes its place in between is then noticed, at worst twice."""
        assert self._file is not None
        self._file.opened()

    def _prepare(self, connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_LEFT}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        assert self._file is not None
        self._file.opened()


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


@contextmanager
def _opened(where: str | Database) -> Iterator[Database]:
    if isinstance(where, Database):
        yield where
    else:
        with Database(where) as database:
            yield database
