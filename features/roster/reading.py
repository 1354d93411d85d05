"""Reads a folder of roster files into one checked roster."""

from pathlib import Path

from features.errors import InputError
from features.roster.cells import nearest
from features.roster.checks import Sheets, check_sheets
from features.roster.layout import FILES
from features.roster.records import Roster
from features.roster.sheets import Findings, read_sheet

SHOWN = 50
"""Problems that one error lists."""


def read_roster_files(folder: Path) -> Roster:
    """The roster that the folder's CSV files hold.

    Raises:
        InputError: The folder or a needed file is missing, or rows break rules; every problem is listed.
    """
    if not folder.is_dir():
        raise InputError(f"roster folder {str(folder)!r} is not there; name a folder with teams.csv and the others")
    findings = Findings()
    sheets: Sheets = {}
    by_name = {path.name: path for path in sorted(folder.glob("*.csv"))}
    absent = [f"{each.name}.csv" for each in FILES if f"{each.name}.csv" not in by_name]
    known = {f"{each.name}.csv" for each in FILES}
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
            findings.add_file(layout.name, f"is missing; write one with the columns {columns}")
    sheets = check_sheets(sheets, findings)
    if findings.problems:
        raise InputError(_report(folder, findings.problems))
    records = {name: tuple(row.record for row in rows) for name, rows in sheets.items()}
    return Roster(**records, warnings=tuple(findings.warnings))


def _report(folder: Path, problems: list[str]) -> str:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = [f"the roster in {str(folder)!r} has {count}, so nothing was loaded:", *problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"and {len(problems) - SHOWN} more")
    return "\n  ".join(lines)
