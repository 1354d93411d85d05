"""`python -m serving audit`: who read which forecasts and decided what, for those who answer for the data."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, date, datetime, time

from features.console import OUT
from features.database import Database
from features.errors import InputError, MissingError
from features.home import read_home
from serving.audit.entries import list_entries


def show_audit(given: argparse.Namespace) -> int:
    """Prints one JSON object per entry, the oldest first.

    Raises:
        InputError: A value is wrong.
        BusyError: Another process holds the database.
        DatabaseAwayError: The database cannot be used.
    """
    try:
        since = None if given.since is None else datetime.combine(date.fromisoformat(given.since), time(), UTC)
    except ValueError:
        raise InputError(f"--since {given.since!r} is not a day; write YYYY-MM-DD, such as 2026-03-01") from None
    with Database(read_home().database_url()) as database:
        try:
            entries = list_entries(database, student_id=given.student, since=since)
        except MissingError:
            entries = []
    for each in entries:
        line = {name: value for name, value in asdict(each).items() if name != "entry_id" and value is not None}
        OUT.print(json.dumps(line | {"at": each.at.isoformat()}), markup=False, highlight=False)
    return 0
