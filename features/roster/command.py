"""`python -m features roster PATH`: loads a folder of roster files and shows what was loaded."""

from pathlib import Path

from rich.table import Table

from features.console import OUT
from features.home import Home
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
    save_roster(roster, home.database_url())
    table = Table(title="roster")
    table.add_column("file")
    table.add_column("rows", justify="right")
    for layout in FILES:
        table.add_row(f"{layout.name}.csv", str(len(getattr(roster, layout.name))))
    OUT.print(table)
    for warning in roster.warnings:
        OUT.print(f"warning: {warning}", markup=False, highlight=False)
    return 0
