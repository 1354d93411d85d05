"""Finds the ids that people have in other systems, and their names, in the files of a roster of another system.

Only ids of a kind that a log is said to have are read, and names only where there is a vault for them: everything else
of these columns is dropped here.
"""

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from features.roster.exports.class_list import HEADERS as CLASS_LIST
from features.roster.exports.lists import SchoolLists
from features.roster.exports.source_rows import find_students
from features.roster.files.archive import Files
from features.roster.files.cells import nearest, parse_id, parse_text, shown
from features.roster.files.layout import NAMES
from features.roster.files.sheets import Findings, Row, read_sheet
from features.roster.people.records import OtherId, PersonName
from features.roster.policy.file import NAME

STUDENT, ADULT = "student", "adult"

Who = tuple[str, str]
"""`STUDENT` or `ADULT`, and the id in regroup; an adult may have the id of a student."""

Cells = Mapping[str, str]
"""The cells of one line by their header, in small letters and without blanks, hyphens and underscores."""

USER_IDS = re.compile(r"\{\s*([^:{}]+?)\s*:\s*([^{}]+?)\s*\}")
"""One id of the column `userIds`: `{type:id}`."""

FIRST = ("preferredgivenname", "prefferedgivenname", "preferredfirstname", "givenname", "firstname")
LAST = ("preferredfamilyname", "prefferedfamilyname", "preferredlastname", "familyname", "lastname", "surname")
WHOLE = ("displayname", "fullname", "studentname", "pupilname", "name")
"""Headers of names, the first that is filled in counts; with two f as a version of the standard had it."""

SECRET = re.compile(r"password|phone|sms|birth|gender|sex|ethnic|race|address")
"""Headers of columns that are never ids."""


@dataclass(frozen=True)
class PersonRow:
    """One line about one person.

    Attributes:
        source_id: The id by which the lists of the roster name the person.
        cells: The line.
    """

    source_id: str
    cells: Cells


@dataclass(frozen=True)
class People:
    """What the files say of people.

    Attributes:
        mentioned: The people whom the files have a line about, by the id that the lists name them by.
        ids: Of each kind that was asked for, the ids of each of them.
        names: Display names of those who have one; empty unless names were asked for.
    """

    mentioned: frozenset[str] = frozenset()
    ids: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def read_people(
    files: Files, lists: SchoolLists, kinds: Mapping[str, str], findings: Findings, *, names: bool
) -> People:
    """Reads the columns of ids that logs have, and of names.

    Args:
        files: The files of the roster.
        lists: What they were read to.
        kinds: The kind of id of each source of events that has another than the roster.
        findings: Gets a problem for a kind that no file has.
        names: Whether names are read.
    """
    if not kinds and not names:
        return People()
    rows = list(_read_rows(files, lists))
    headers = {header for row in rows for header in row.cells}
    types = {_plain(kind) for row in rows for kind, _ in USER_IDS.findall(row.cells.get("userids", ""))}
    known = {header for header in headers if header and not SECRET.search(header)} - {*FIRST, *LAST, *WHOLE} | types
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for source, kind in kinds.items():
        if rows and _plain(kind) not in known and not lists.delta:
            meant = nearest(_plain(kind), known)
            hint = f"did you mean {shown(meant)}?" if meant else "name a column of ids that the roster has"
            where = f"{NAME} [default] sources.{source}"
            findings.problems.append(f"{where}: {shown(kind)} is no id that people have in this roster; {hint}")
        found[kind] = {row.source_id: ids for row in rows if (ids := tuple(_ids_of(row.cells, kind)))}
    return People(
        frozenset(row.source_id for row in rows),
        found,
        {row.source_id: name for row in rows if (name := name_of(row.cells))} if names else {},
    )


def join_ids(people: People, lists: SchoolLists, stored: Iterable[OtherId], findings: Findings) -> list[Row]:
    """The rows of the id table; an id that several students share stands for none of them, which is counted.

    Args:
        people: What the files say of people.
        lists: The lists, whole.
        stored: The table as it is; where the files hold changes alone, it stays for everybody else.
        findings: Gets a warning for shared ids.
    """
    students = find_students(lists.rows)
    of_id: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind, found in people.ids.items():
        for source_id, others in found.items():
            for other in others if source_id in students else ():
                of_id[kind, other].add(students[source_id])
    if lists.delta:
        unsaid = {student for source_id, student in students.items() if source_id not in people.mentioned}
        for each in stored:
            if each.kind in people.ids and each.student_id in unsaid:
                of_id[each.kind, each.other_id].add(each.student_id)
    shared = Counter(kind for (kind, _), owners in of_id.items() if len(owners) > 1)
    for kind, count in shared.items():
        findings.warnings.append(
            f"{count} ids of the kind {shown(kind)} are of several students each and stand for none of them"
        )
    return [Row(None, OtherId(min(owners), kind, other)) for (kind, other), owners in of_id.items() if len(owners) == 1]


def join_names(people: People, lists: SchoolLists) -> dict[Who, str]:
    """The display names by the ids that people have in regroup."""
    students = find_students(lists.rows)
    known = {row.record.source_id: row.record for row in lists.rows.get("people", ()) if row.record.active}
    return {
        (STUDENT if source_id in students else ADULT, known[source_id].regroup_id): name
        for source_id, name in people.names.items()
        if source_id in known
    }


def read_name_file(files: Files, findings: Findings, *, names: bool) -> dict[Who, str]:
    """The display names of a folder of roster files; none where names are not read, which is said."""
    data = files.get(f"{NAMES.name}.csv")
    if data is None:
        return {}
    if not names:
        findings.warnings.append(f"{NAMES.name}.csv: was not read, since REGROUP_VAULT names no file to keep names in")
        return {}
    found: dict[Who, str] = {}
    for row in read_sheet(data, NAMES, findings):
        person: PersonName = row.record
        if (person.student_id is None) == (person.staff_id is None):
            findings.add(NAMES.name, "names nobody or two; fill in student_id or staff_id", row.line)
        else:
            kind = ADULT if person.student_id is None else STUDENT
            found[kind, person.student_id or person.staff_id or ""] = person.name
    return found


def name_of(cells: Cells) -> str | None:
    """The display name in a line, as the person is called; null where there is none.

    Example:
        >>> name_of({"givenname": "Maria", "preferredgivenname": "Mia", "familyname": "Jones"})
        'Mia Jones'
    """
    parts = [_first_of(cells, FIRST), _first_of(cells, LAST)]
    text = " ".join(part for part in parts if part) or _first_of(cells, WHOLE)
    try:
        return " ".join(parse_text(text).split()) if text else None
    except ValueError:
        return None


def read_cells(data: bytes) -> Iterator[Cells]:
    """The lines of a CSV file; those that cannot be read are left to the reader of the lists, which reports them."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [_plain(name) for name in next(lines, [])]
        for cells in lines:
            if any(cells):
                yield {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}
    except csv.Error:
        return


def _read_rows(files: Files, lists: SchoolLists) -> Iterator[PersonRow]:
    by_name = {name.lower().removesuffix(".csv"): data for name, data in files.items()}
    if lists.shape == "class list":
        for cells in read_cells(by_name[lists.files["people"].lower()]):
            if student := _first_of(cells, map(_plain, CLASS_LIST["student"])):
                yield PersonRow(student, cells)
            teacher = _first_of(cells, map(_plain, CLASS_LIST["teacher"]))
            if teacher and cells.get("teachername"):
                yield PersonRow(f"teacher:{teacher}", {"name": cells["teachername"]})
        return
    sds_1 = "student" in by_name and "users" not in by_name
    for file, header, mark in (("student", "sisid", ""), ("teacher", "sisid", "teacher:"), ("users", "sourcedid", "")):
        if file in by_name and (file == "users") is not sds_1:
            for cells in read_cells(by_name[file]):
                if cells.get(header):
                    yield PersonRow(mark + cells[header], cells)


def _ids_of(cells: Cells, kind: str) -> Iterable[str]:
    typed = USER_IDS.findall(cells.get("userids", ""))
    for name, other in ((kind, cells.get(_plain(kind)) or ""), *typed):
        if other and _plain(name) == _plain(kind):
            with suppress(ValueError):  # of more than any event may carry
                yield parse_id(other)


def _first_of(cells: Cells, headers: Iterable[str]) -> str | None:
    return next((cells[header] for header in headers if cells.get(header)), None)


def _plain(header: str) -> str:
    return re.sub(r"[\s_-]+", "", header).casefold()
