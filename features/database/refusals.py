"""What SQLite and PostgreSQL say when they refuse something, as errors with a sentence."""

import sqlite3

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from features.errors import BusyError, DatabaseAwayError, InputError, MissingError, RegroupError

WAIT_S = 5
"""How long to wait for another process's lock, in seconds."""

BUSY_STATES = {"55P03", "40001", "40P01", "53300", "57P03"}
"""PostgreSQL: lock not available, serialization failure, deadlock, too many connections, starting up."""

NO_TABLE = "42P01"
"""PostgreSQL: undefined table."""

FULL = {"53100", "SQLITE_FULL"}
"""What both databases say of a full disk."""


def no_roster() -> MissingError:
    """The error where no roster was loaded yet."""
    return MissingError("no roster is loaded yet; run `python -m features roster PATH` with a folder of CSV files")


def explain_refusal(error: DBAPIError, where: str, *, had_tables: bool) -> RegroupError:
    """The error that says why a database refused something; without the statement and its values, which hold students.

    Args:
        error: What the driver raised.
        where: What the database is, for people.
        had_tables: Whether tables were seen there before.
    """
    if _is_busy(error.orig):
        return BusyError(f"{where} stayed locked for {WAIT_S} s; try again when the other job is done")
    if _lacks_table(error.orig):
        return DatabaseAwayError(f"{where} has lost its tables; is it being restored?") if had_tables else no_roster()
    reason = _reason(error.orig)
    if isinstance(error, (IntegrityError, DataError)):
        return InputError(f"{where} refuses what it was given ({reason})")
    if reason.removeprefix("SQLSTATE ") in FULL:
        return DatabaseAwayError(f"{where} cannot be changed: its disk is full; make room")
    return DatabaseAwayError(f"{where} cannot be used ({reason}); check REGROUP_DATABASE_URL and its rights")


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
