"""`python -m serving keys`: API keys issued, listed and revoked."""

import argparse
from datetime import UTC, date, datetime, time, timedelta

from rich.table import Table

from features.console import ERR, OUT
from features.database import Database
from features.errors import InputError, MissingError
from features.home import read_home
from features.roster import list_teams
from serving.access.caller import Scope
from serving.access.keys import issue_key
from serving.store.keys import StoredKey, list_keys, revoke_key


def run_keys(given: argparse.Namespace) -> int:
    """Does what was asked and returns the exit code.

    Raises:
        InputError: A value is wrong, or there is no such key.
        BusyError: Another process holds the database.
        DatabaseAwayError: The database cannot be used.
    """
    with Database(read_home().database_url()) as database:
        if given.deed == "issue":
            _issue(database, given)
        elif given.deed == "list":
            _list(database)
        else:
            _revoke(database, given.key_id)
    return 0


def _issue(database: Database, given: argparse.Namespace) -> None:
    if not given.name.strip():
        raise InputError("--name is blank; write who will hold the key")
    if given.per_minute is not None and given.per_minute < 1:
        raise InputError(f"--per-minute {given.per_minute} must be 1 or more")
    expires_at = None if given.expires is None else _end_of(given.expires)
    if given.school:
        _require_schools(database, given.school)
    scopes = [Scope(each) for each in given.scope]
    key = issue_key(database, given.name, scopes, given.school, expires_at=expires_at, per_minute=given.per_minute)
    # the key alone on standard output, so that a script can take it
    OUT.print(key.reveal(), markup=False, highlight=False)
    ERR.print(f"Keep it now: it is not shown again. Its id is {key.key_id}.", markup=False, highlight=False)


def _end_of(text: str) -> datetime:
    try:
        last = date.fromisoformat(text)
        ends = datetime.combine(last + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        raise InputError(f"--expires {text!r} is not a day; write YYYY-MM-DD, such as 2027-06-30") from None
    if ends <= datetime.now(UTC):
        raise InputError(f"--expires {text} is past; write the last day on which the key should work")
    return ends


def _require_schools(database: Database, schools: list[str]) -> None:
    try:
        known = sorted({team.school for team in list_teams(database)})
    except MissingError:
        return  # keys may be issued before the roster is loaded
    for school in schools:
        if school not in known:
            raise InputError(f"--school {school!r} is not in the roster; it has {', '.join(map(repr, known))}")


def _list(database: Database) -> None:
    keys = list_keys(database)
    now = datetime.now(UTC)
    table = Table()
    for name in ("key id", "name", "scopes", "schools", "a minute", "expires", "state"):
        table.add_column(name, no_wrap=name in {"key id", "expires", "state"}, overflow="fold")
    for key in keys:
        table.add_row(*_cells(key, now))
    OUT.print(table, markup=False, highlight=False, soft_wrap=False)
    if not keys:
        ERR.print("no key was issued yet; see `python -m serving keys issue --help`", markup=False, highlight=False)


def _cells(key: StoredKey, now: datetime) -> tuple[str, ...]:
    return (
        key.key_id,
        key.name,
        ", ".join(key.scopes),
        "all" if key.schools is None else ", ".join(key.schools),
        "" if key.per_minute is None else str(key.per_minute),
        "never" if key.expires_at is None else f"{key.expires_at - timedelta(days=1):%Y-%m-%d}",
        key.state(now),
    )


def _revoke(database: Database, key_id: str) -> None:
    if not revoke_key(database, key_id, datetime.now(UTC)):
        # the value is not repeated: it may be a whole key
        raise InputError("there is no key with this id; `python -m serving keys list` shows the ids")
    ERR.print("revoked; running services notice within seconds", markup=False, highlight=False)
