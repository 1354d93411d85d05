"""`python -m serving erase STUDENT_ID`: removes every trace of a student."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from features.console import OUT
from features.errors import InputError
from features.home import read_home
from serving.cli import Commands, add_command

ABOUT = """Removes every trace of a student: roster, plans, decisions, audit, live events, event log with all its
older versions, rejected rows, published profiles and the copy of what served last. Running services drop the student
within REGROUP_POLL_SECONDS. The models hold no student; the next night trains new ones without the student's
answers. Older versions of the event log are gone for everybody, so a training run on one of them cannot be repeated.
Notes of decisions on plans with the student go too, since they may name the student in any words.
Bundles that were exported are yours to export again. Back-ups hold the student, and the list of erasures says so:
after a restore, nothing answers until --restored has erased everybody again who was erased since the back-up.

Log files in the inbox (also under done and refused) that hold the student are named and left. Clean or delete them
and run this again, or give --delete-files."""


def add_erase(commands: Commands) -> None:
    """Adds the command and its options."""
    exits = {1: "a log file that holds the student was left"}
    examples = "erase s01-012 --yes\nerase --restored --yes"
    parser = add_command(commands, "erase", erase, "remove every trace of a student", examples, exits)
    parser.description = ABOUT
    parser.add_argument("student_id", metavar="STUDENT_ID", nargs="?", default="")
    parser.add_argument(
        "--restored", action="store_true", help="erase again everybody whom a restored back-up brought back"
    )
    parser.add_argument("--yes", action="store_true", help="erase; without it, nothing is done")
    parser.add_argument(
        "--delete-files", action="store_true", help="delete log files in the inbox that hold the student"
    )


def erase(options: argparse.Namespace) -> int:
    """Erases the student or students, shows what was found, and returns the exit code.

    Raises:
        InputError: It was not confirmed with `--yes`, or it is not clear who is meant.
        BusyError: A nightly run or an ingest is at work, or the database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    from features.database import Database
    from features.erasure import Installation, erase_everywhere
    from features.restore import find_erased, reconcile
    from serving.audit.spool import SPOOL
    from serving.store.erasure import STORES

    student_id = options.student_id.strip()
    if options.restored and student_id:
        raise InputError("--restored finds the students itself; leave STUDENT_ID out")
    if not options.restored and not student_id:
        raise InputError("STUDENT_ID is blank; name the student to erase")
    if not options.yes:
        raise InputError("nothing was erased, since this cannot be undone; add --yes to erase the student")
    home = read_home()
    counts: Counter[str] = Counter()
    with Database(home.database_url()) as database:
        place = Installation(home, database, options.delete_files)
        students = find_erased(home, database) if options.restored else [options.student_id]
        for each in students:
            counts.update(erase_everywhere((*STORES, SPOOL), place, each))
        if options.restored:
            reconcile(home, database)
            OUT.print(f"students who were erased before and are erased again: {len(students)}")
    _show(counts, place.left)
    return 1 if place.left else 0


def _show(counts: Mapping[str, int], left: Sequence[Path]) -> None:
    from rich.table import Table

    table = Table("store", "rows or files", title="erased")
    table.columns[1].justify = "right"
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    OUT.print(table)
    for path in left:
        OUT.print(f"still holds the student: {path}", markup=False, highlight=False)
