"""`python -m features roster PATH`: loads a folder of roster files and shows what was loaded."""

from pathlib import Path

from rich.table import Table

from features.console import OUT
from features.database import Database
from features.erased import read_erased
from features.home import Home
from features.roster.forgetting import drop_erased
from features.roster.layout import FILES
from features.roster.reading import read_roster_files
from features.roster.store import save_roster


def load_roster_command(path: Path, home: Home) -> int:
    """Loads the folder into the home's database, prints counts and warnings, and returns the exit code.

    Raises:
        InputError: The files have problems, or the database cannot be used; nothing was changed.
        BusyError: Another process holds the database; nothing was changed.
    """
    roster = read_roster_files(path)
    with Database(home.database_url()) as database:
        roster, erased = drop_erased(roster, read_erased(database))
        save_roster(roster, database)
    table = Table(title="roster")
    table.add_column("file")
    table.add_column("rows", justify="right")
    for layout in FILES:
        table.add_row(f"{layout.name}.csv", str(len(getattr(roster, layout.name))))
    OUT.print(table)
    if erased:
        OUT.print(
            f"warning: {erased} members were erased before; they are seated without demographics, past sessions and "
            "events, and events of theirs are still dropped"
        )
    for warning in roster.warnings:
        OUT.print(f"warning: {warning}", markup=False, highlight=False)
    return 0
