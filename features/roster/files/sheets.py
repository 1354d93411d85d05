"""Reads one roster file into records with their line numbers, and collects every problem on the way."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from features.errors import InputError
from features.roster.files.cells import nearest, shown
from features.roster.files.layout import RosterFile
from features.roster.records import ROLE_MAY_LEAD

SHOWN = 50
"""Problems that one error lists."""


@dataclass(frozen=True)
class Row:
    """One record and the line of the file it ended on; null where it is of no line."""

    line: int | None
    record: Any


@dataclass(frozen=True)
class Findings:
    """Problems, with which the roster cannot be used, and warnings, with which it can.

    Attributes:
        problems: Sentences in the order found.
        warnings: Sentences in the order found.
        broken: Names of files with a problem.
        labels: What to call a file that is not a CSV file of this name.
    """

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)

    def add(self, file: str, what: str, line: int | None = None, column: str | None = None) -> None:
        """Adds a problem of a file, of one line of it, or of one cell."""
        line_text = "" if line is None else f" line {line}"
        self.problems.append(f"{self.label(file)}{line_text}{'' if column is None else f', {column}'}: {what}")
        self.broken.add(file)

    def label(self, file: str) -> str:
        """What people call a file."""
        return self.labels.get(file, f"{file}.csv")


def raise_problems(findings: Findings, name: str) -> None:
    """Ends what reads a roster if anything was wrong.

    Raises:
        InputError: There are problems; they are listed.
    """
    problems = findings.problems
    if not problems:
        return
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = [f"the roster in {name!r} has {count}, so nothing was loaded:", *problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"and {len(problems) - SHOWN} more")
    raise InputError("\n  ".join(lines))


def read_sheet(data: bytes, layout: RosterFile, findings: Findings) -> list[Row]:
    """The rows of one file that could be parsed; everything else becomes a finding."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if layout.headers is None:
            findings.add(layout.name, f"is not UTF-8 at byte {error.start + 1}; save it as 'CSV UTF-8'")
            return []
        # names, which are not read, are where other systems write letters of Windows
        text = data.decode("cp1252", errors="replace")
        findings.warnings.append(f"{findings.label(layout.name)}: is not UTF-8 and was read as Windows text")
    # str.splitlines would also split at characters that an id may have, such as U+2028
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = _without_blank_end([name.strip() for name in next(lines, [])])
        if len(header) == 1 and ";" in header[0]:
            findings.add(layout.name, "is separated by semicolons; save it separated by commas")
            return []
        names = [_find_column(name.lower(), layout) for name in header]
        if not _check_header(names, layout, findings):
            return []
        numbered = ((lines.line_num, _without_blank_end(cells, len(header))) for cells in lines)
        labels = {} if layout.headers is None else dict(zip(names, header, strict=True))
        return list(_parse_lines(numbered, names, labels, layout, findings))
    except csv.Error as error:
        findings.add(layout.name, f"is not CSV ({error}); check the quotes", lines.line_num)
        return []


def _find_column(header: str, layout: RosterFile) -> str:
    """The column of a header in small letters; empty for one of no use."""
    if layout.headers is None:
        return header
    found = (column for column, known in layout.headers.items() if header in map(str.lower, known))
    return next(found, "")


def _without_blank_end(cells: list[str], least: int = 0) -> list[str]:
    """The cells without blank ones at the end, which spreadsheets add; at least so many."""
    while len(cells) > least and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _parse_lines(
    lines: Iterable[tuple[int, list[str]]],
    header: list[str],
    labels: Mapping[str, str],
    layout: RosterFile,
    findings: Findings,
) -> Iterator[Row]:
    """Yields the rows.

    Args:
        lines: Cells with their line.
        header: The column of each cell.
        labels: What the file calls a column, where that is another word.
        layout: The file.
        findings: Gets what is wrong.
    """
    seen: dict[tuple[object, ...], int] = {}
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            what = f"has {len(cells)} cells where the header has {len(header)}; check commas and quotes"
            findings.add(layout.name, what, line)
            continue
        values = _parse_cells(dict(zip(header, cells, strict=True)), labels, layout, line, findings)
        if values is None:
            continue
        key = tuple(values[name] for name in layout.key)
        first = seen.setdefault(key, line) if any(part is not None for part in key) else line
        if first != line:
            named = " + ".join(labels.get(name, name) for name in layout.key)
            findings.add(layout.name, f"repeats line {first}; keep one of them", line, named)
            continue
        yield Row(line, layout.record(**values))


def _check_header(header: list[str], layout: RosterFile, findings: Findings) -> bool:
    columns = layout.columns
    labels = {name: name if layout.headers is None else layout.headers[name][0] for name in columns}
    if not any(name in columns for name in header):
        # nothing of the line is repeated: without a header it holds students
        findings.add(layout.name, f"its first line names no column; write {', '.join(labels.values())}")
        return False
    before = len(findings.problems)
    absent = [name for name in columns if name not in header]
    for name in dict.fromkeys(name for name in header if name and header.count(name) > 1):
        findings.add(layout.name, f"has the column {shown(labels.get(name, name))} twice; keep one of them")
    for name in header:
        if name in columns or layout.headers is not None:
            continue
        meant = nearest(name, absent)
        if meant:
            findings.add(layout.name, f"column {shown(name)} is not known; did you mean {meant}?")
            absent.remove(meant)
        elif name:
            findings.warnings.append(f"{layout.name}.csv: column {shown(name)} is not known and was left out")
    missing = [name for name in absent if columns[name].needed]
    if missing:
        lacking = ", ".join(labels[name] for name in missing)
        findings.add(layout.name, f"lacks {lacking}; its columns are {', '.join(labels.values())}")
    return len(findings.problems) == before


def _parse_cells(
    cells: dict[str, str], labels: Mapping[str, str], layout: RosterFile, line: int, findings: Findings
) -> dict[str, Any] | None:
    values: dict[str, Any] = {}
    broken = False
    for name, column in layout.columns.items():
        text = cells.get(name, "")
        if not text.strip():
            values[name] = column.blank
            if column.needed:
                findings.add(layout.name, "is blank; every row needs one", line, labels.get(name, name))
                broken = True
            continue
        try:
            values[name] = column.parse(text)
        except ValueError as error:
            findings.add(layout.name, str(error), line, labels.get(name, name))
            broken = True
    if layout.name == "staff" and {"role", "may_lead"} <= values.keys() and not values["may_lead"]:
        role = values["role"]
        values["may_lead"] = ROLE_MAY_LEAD.get(role or "")
        if role is not None and role not in ROLE_MAY_LEAD:
            what = f"{shown(role)} is not known; use one of {', '.join(ROLE_MAY_LEAD)}, or fill in may_lead for it"
            findings.add(layout.name, what, line, "role")
            broken = True
    return None if broken else values
