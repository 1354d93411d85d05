"""Opens the database that a URL names, and turns what can go wrong there into sentences."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from features.errors import BusyError, InputError, MissingError, RegroupError
from features.roster.tables import METADATA

WAIT_S = 5
"""How long to wait for another process's lock, in seconds."""

WRITERS = 7_233_401
"""PostgreSQL advisory lock of whoever changes the roster; any number that nothing else uses."""

BUSY_STATES = {"55P03", "40001", "40P01", "53300", "57P03"}
"""PostgreSQL: lock not available, serialization failure, deadlock, too many connections, starting up."""


def read_url(text: str) -> URL:
    """The database URL with its driver filled in; `postgresql://` and `postgres://` use psycopg.

    Raises:
        InputError: It is no URL, or neither of SQLite with a file nor of PostgreSQL.

    Example:
        >>> read_url("postgresql://reader@db/school").drivername
        'postgresql+psycopg'
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # the text is not repeated: a mistyped URL may still hold a password
        raise InputError("REGROUP_DATABASE_URL is not a URL; write sqlite:///FILE or postgresql://…") from None
    if url.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise InputError(f"database {url.drivername!r} is not supported; write sqlite:///FILE or postgresql://…")
    if url.database in {None, "", ":memory:"}:
        raise InputError("a SQLite database in memory would forget the roster; write sqlite:///FILE")
    return url


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """A connection for one consistent look at the roster.

    Raises:
        MissingError: There is no roster yet.
        BusyError: The database stayed locked.
        InputError: The database cannot be used.
    """
    parsed = read_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise _no_roster()
    with _connection(parsed) as connection:
        if parsed.get_backend_name() == "postgresql":
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        else:
            connection.exec_driver_sql("BEGIN")  # sqlite3 by itself begins only at the first change
        present = connection.dialect.has_table(connection, "roster_teams")
        if not present:
            raise _no_roster()
        yield connection


@contextmanager
def changing(url: str) -> Iterator[Connection]:
    """A connection whose changes are kept together or not at all; the tables are there.

    Raises:
        BusyError: The database stayed locked.
        InputError: The database cannot be used.
    """
    parsed = read_url(url)
    if parsed.get_backend_name() == "sqlite":
        with suppress(OSError):  # SQLite then says that it cannot open the file
            Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
    with _connection(parsed) as connection:
        if parsed.get_backend_name() == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_S}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITERS})
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # waits here, not half-way
        METADATA.create_all(connection)
        yield connection


@contextmanager
def _connection(url: URL) -> Iterator[Connection]:
    sqlite = url.get_backend_name() == "sqlite"
    where = f"SQLite file {url.database!r}" if sqlite else f"PostgreSQL at {url.host or 'the local socket'}"
    options = {"timeout": WAIT_S} if sqlite else {"connect_timeout": WAIT_S}
    try:
        # no pool: a command opens one connection, and nothing stays open behind a finished one
        engine = create_engine(url, poolclass=NullPool, connect_args=options, hide_parameters=True)
        with engine.begin() as connection:
            yield connection
    except RegroupError:
        raise
    except (ModuleNotFoundError, NoSuchModuleError):
        raise InputError("the PostgreSQL driver is not installed; install regroup with its extra 'postgres'") from None
    except DBAPIError as error:
        # neither the statement nor its values may reach a log: they hold students
        if _is_busy(error.orig):
            raise BusyError(f"{where} stayed locked for {WAIT_S} s; try again when the other job is done") from None
        reason = _reason(error.orig)
        raise InputError(f"{where} cannot be used ({reason}); check REGROUP_DATABASE_URL and its rights") from None


def _is_busy(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return getattr(cause, "sqlstate", None) in BUSY_STATES


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, sqlite3.Error):
        return str(getattr(cause, "sqlite_errorname", type(cause).__name__))
    state = getattr(cause, "sqlstate", None)
    return f"SQLSTATE {state}" if state else "it does not answer or refuses the login"


def _no_roster() -> MissingError:
    return MissingError("no roster is loaded yet; run `python -m features roster PATH` with a folder of CSV files")
