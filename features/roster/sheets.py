"""Reads one roster file into records with their line numbers, and collects every problem on the way."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from features.roster.cells import nearest, shown
from features.roster.layout import RosterFile
from features.roster.records import ROLE_MAY_LEAD


@dataclass(frozen=True)
class Row:
    """One record and the line of the file it ended on."""

    line: int
    record: Any


@dataclass(frozen=True)
class Findings:
    """Problems, with which the roster cannot be used, and warnings, with which it can.

    Attributes:
        problems: Sentences in the order found.
        warnings: Sentences in the order found.
        broken: Names of files with a problem.
    """

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def add(self, file: str, what: str, line: int | None = None, column: str | None = None) -> None:
        """Adds a problem of a file, of one line of it, or of one cell."""
        line_text = "" if line is None else f" line {line}"
        self.problems.append(f"{file}.csv{line_text}{'' if column is None else f', {column}'}: {what}")
        self.broken.add(file)


def read_sheet(path: Path, layout: RosterFile, findings: Findings) -> list[Row]:
    """The rows of one file that could be parsed; everything else becomes a finding."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        findings.add(layout.name, f"is not UTF-8 at byte {error.start + 1}; save it as 'CSV UTF-8'")
        return []
    # str.splitlines would also split at characters that an id may have, such as U+2028
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(lines, [])]
        if not _check_header(header, layout, findings):
            return []
        return list(_parse_lines(((lines.line_num, cells) for cells in lines), header, layout, findings))
    except csv.Error as error:
        findings.add(layout.name, f"is not CSV ({error}); check the quotes", lines.line_num)
        return []


def _parse_lines(
    lines: Iterable[tuple[int, list[str]]], header: list[str], layout: RosterFile, findings: Findings
) -> Iterator[Row]:
    seen: dict[tuple[object, ...], int] = {}
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            what = f"has {len(cells)} cells where the header has {len(header)}; check commas and quotes"
            findings.add(layout.name, what, line)
            continue
        values = _parse_cells(dict(zip(header, cells, strict=True)), layout, line, findings)
        if values is None:
            continue
        key = tuple(values[name] for name in layout.key)
        first = seen.setdefault(key, line)
        if first != line:
            findings.add(layout.name, f"repeats line {first}; keep one of them", line, " + ".join(layout.key))
            continue
        yield Row(line, layout.record(**values))


def _check_header(header: list[str], layout: RosterFile, findings: Findings) -> bool:
    columns = layout.columns
    if len(header) == 1 and ";" in header[0]:
        findings.add(layout.name, "is separated by semicolons; save it separated by commas")
        return False
    if not any(name in columns for name in header):
        # nothing of the line is repeated: without a header it holds students
        findings.add(layout.name, f"its first line names no column; write {', '.join(columns)}")
        return False
    before = len(findings.problems)
    absent = [name for name in columns if name not in header]
    for name in dict.fromkeys(name for name in header if name and header.count(name) > 1):
        findings.add(layout.name, f"has the column {shown(name)} twice; keep one of them")
    for name in header:
        if name in columns:
            continue
        meant = nearest(name, absent)
        if meant:
            findings.add(layout.name, f"column {shown(name)} is not known; did you mean {meant}?")
            absent.remove(meant)
        elif name:
            findings.warnings.append(f"{layout.name}.csv: column {shown(name)} is not known and was left out")
    missing = [name for name in absent if columns[name].needed]
    if missing:
        findings.add(layout.name, f"lacks {', '.join(missing)}; its columns are {', '.join(columns)}")
    return len(findings.problems) == before


def _parse_cells(cells: dict[str, str], layout: RosterFile, line: int, findings: Findings) -> dict[str, Any] | None:
    values: dict[str, Any] = {}
    broken = False
    for name, column in layout.columns.items():
        text = cells.get(name, "")
        if not text.strip():
            values[name] = column.blank
            if column.needed:
                findings.add(layout.name, "is blank; every row needs one", line, name)
                broken = True
            continue
        try:
            values[name] = column.parse(text)
        except ValueError as error:
            findings.add(layout.name, str(error), line, name)
            broken = True
    if layout.name == "staff" and {"role", "may_lead"} <= values.keys() and not values["may_lead"]:
        role = values["role"]
        values["may_lead"] = ROLE_MAY_LEAD.get(role or "")
        if role is not None and role not in ROLE_MAY_LEAD:
            what = f"{shown(role)} is not known; use one of {', '.join(ROLE_MAY_LEAD)}, or fill in may_lead for it"
            findings.add(layout.name, what, line, "role")
            broken = True
    return None if broken else values
