"""`python -m serving audit`: who read which forecasts and decided what, for those who answer for the data."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, date, datetime, time

from features.console import OUT
from features.errors import InputError, MissingError
from features.home import read_home
from serving.cli import Commands, add_command


def add_audit(commands: Commands) -> None:
    """Adds the command and its options."""
    examples = "audit\naudit --student s01-012 --since 2026-03-01"
    audit = add_command(commands, "audit", print_audit, "print the audit log, one JSON object per entry", examples)
    audit.add_argument("--student", metavar="ID", help="only entries about this student, not about a whole team")
    audit.add_argument("--since", metavar="DATE", help="only entries from this day on, YYYY-MM-DD in UTC")


def print_audit(options: argparse.Namespace) -> int:
    """Prints one JSON object per entry, the oldest first.

    Raises:
        InputError: A value is wrong.
        BusyError: Another process holds the database.
        DatabaseAwayError: The database cannot be used.
    """
    from features.database import Database
    from serving.audit.entries import list_entries

    try:
        since = None if options.since is None else datetime.combine(date.fromisoformat(options.since), time(), UTC)
    except ValueError:
        raise InputError(f"--since {options.since!r} is not a day; write YYYY-MM-DD, such as 2026-03-01") from None
    with Database(read_home().database_url()) as database:
        try:
            entries = list_entries(database, student_id=options.student, since=since)
        except MissingError:
            entries = []
    for entry in entries:
        line = {name: value for name, value in asdict(entry).items() if name != "entry_id" and value is not None}
        OUT.print(json.dumps(line | {"at": entry.at.isoformat()}), markup=False, highlight=False)
    return 0
