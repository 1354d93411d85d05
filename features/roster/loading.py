"""`python -m features roster PATH`: loads a folder of roster files and shows what was loaded."""

from pathlib import Path

from rich.table import Table

from features.console import OUT
from features.database import Database
from features.errors import InputError
from features.home import Home
from features.roster.cells import nearest
from features.roster.checks import Sheets, check_sheets
from features.roster.layout import FILES
from features.roster.policy_file import NAME as POLICY_FILE
from features.roster.policy_file import read_policies
from features.roster.records import PolicyLayer, Roster
from features.roster.sheets import Findings, read_sheet
from features.roster.store import save_roster

SHOWN = 50
"""Problems that one error lists."""

BUSY = "a student is being erased, or another roster loaded; load this one when that has ended"


def read_roster_files(folder: Path) -> Roster:
    """The roster that the folder's files hold.

    Raises:
        InputError: The folder or a needed file is missing, or rows break rules; every problem is listed.
    """
    if not folder.is_dir():
        raise InputError(f"roster folder {str(folder)!r} is not there; name a folder with teams.csv and the others")
    findings = Findings()
    sheets: Sheets = {}
    by_name = {path.name: path for path in sorted(folder.glob("*.csv"))}
    known = [f"{layout.name}.csv" for layout in FILES]
    absent = [name for name in known if name not in by_name]
    for stray in (name for name in by_name if name not in known):
        meant = nearest(stray, absent)
        if meant:
            findings.problems.append(f"{stray}: is not a roster file; did you mean {meant}?")
        else:
            findings.warnings.append(f"{stray}: is not a roster file and was left out")
    for layout in FILES:
        path = by_name.get(f"{layout.name}.csv")
        if path is not None:
            sheets[layout.name] = read_sheet(path, layout, findings)
            continue
        sheets[layout.name] = []
        if layout.needed:
            columns = ", ".join(layout.columns)
            findings.add(layout.name, f"is missing; write one with the columns {columns}")
    sheets = check_sheets(sheets, findings)
    policies = _find_policies(folder, sheets, findings)
    if findings.problems:
        raise InputError(_report(folder, findings.problems))
    records = {name: tuple(row.record for row in rows) for name, rows in sheets.items()}
    return Roster(**records, policies=policies, warnings=tuple(findings.warnings))


def _find_policies(folder: Path, sheets: Sheets, findings: Findings) -> tuple[PolicyLayer, ...]:
    """The team policies, where the folder has any."""
    for stray in sorted(path.name for path in folder.glob("*.toml") if path.name != POLICY_FILE):
        if nearest(stray, [POLICY_FILE]):
            findings.problems.append(f"{stray}: is not a roster file; did you mean {POLICY_FILE}?")
        else:
            findings.warnings.append(f"{stray}: is not a roster file and was left out")
    path = folder / POLICY_FILE
    return read_policies(path, sheets, findings) if path.exists() else ()


def _report(folder: Path, problems: list[str]) -> str:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = [f"the roster in {str(folder)!r} has {count}, so nothing was loaded:", *problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"and {len(problems) - SHOWN} more")
    return "\n  ".join(lines)


def load_roster_command(path: Path, home: Home) -> int:
    """Loads the folder into the home's database, prints counts and warnings, and returns the exit code.

    Raises:
        InputError: The files have problems; nothing was changed.
        BusyError: A student is being erased, or another process holds the database; nothing was changed.
        DatabaseAwayError: The database cannot be used; nothing was changed.
    """
    roster = read_roster_files(path)
    # what an erasure has done in one store while it is at work in another must not come back
    with home.work("roster", busy=BUSY), Database(home.database_url()) as database:
        erased = save_roster(roster, database)
    table = Table(title="roster")
    table.add_column("file")
    table.add_column("rows", justify="right")
    for layout in FILES:
        table.add_row(f"{layout.name}.csv", str(len(getattr(roster, layout.name))))
    table.add_row(POLICY_FILE, str(len(roster.policies)))
    OUT.print(table)
    if erased:
        OUT.print(
            f"warning: {erased} members were erased before; they are seated without demographics, past sessions and "
            "events, and their events are still dropped"
        )
    for warning in roster.warnings:
        OUT.print(f"warning: {warning}", markup=False, highlight=False)
    return 0
