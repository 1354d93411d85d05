"""A plain class list: one CSV file with a student, a class and maybe a teacher a line."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from features.roster.exports import cells
from features.roster.exports.lists import Enrollment, Org, Person, SchoolClass, SchoolLists
from features.roster.files.archive import Files
from features.roster.files.cells import parse_text
from features.roster.files.layout import Column, RosterFile
from features.roster.files.sheets import Findings, Row, read_sheet


@dataclass(frozen=True)
class _Line:
    student: str
    class_id: str
    teacher: str | None
    school: str | None
    grade: str | None
    start: date | None
    end: date | None


ID = Column(cells.parse_source_id)
MAYBE_ID = Column(cells.parse_source_id, needed=False)
TEXT = Column(lambda text: parse_text(text) or None, needed=False)
DAY = Column(cells.parse_day, needed=False)

COLUMNS = {
    "student": ID, "class_id": ID, "teacher": MAYBE_ID, "school": TEXT, "grade": TEXT, "start": DAY, "end": DAY,
}  # fmt: skip

HEADERS = {
    "student": ("student", "student_id", "student id", "studentid", "pupil", "pupil id", "pupil_id"),
    "class_id": ("class", "class_id", "class id", "classid", "section", "section_id", "section id"),
    "teacher": ("teacher", "teacher_id", "teacher id", "teacherid", "staff_id", "staff id"),
    "school": ("school", "school_id", "school id"),
    "grade": ("grade", "grade level", "grade_level", "year"),
    "start": ("from_date", "from", "start date", "begin date", "begindate"),
    "end": ("until", "to", "end date", "enddate"),
}


def is_class_list(files: Files) -> bool:
    """Whether this is one CSV file with columns for a student and a class."""
    sheets = [data for name, data in files.items() if name.lower().endswith(".csv")]
    if len(sheets) != 1:
        return False
    first_line = sheets[0].split(b"\n", 1)[0].decode("utf-8-sig", "replace")
    headers = {cell.strip(' "\r').lower() for cell in first_line.replace(";", ",").split(",")}
    return all(headers & set(HEADERS[column]) for column in ("student", "class_id"))


def read_class_list(files: Files, findings: Findings) -> SchoolLists:
    """The lists that the file holds; what is wrong in it goes to the findings."""
    name = next(name for name in files if name.lower().endswith(".csv"))
    data, stem = files[name], name[: -len(".csv")]
    key = ("student", "class_id", "teacher", "start", "end")
    lines = read_sheet(data, RosterFile(stem, _Line, COLUMNS, key, headers=HEADERS), findings)
    orgs: dict[str, Row] = {}
    classes: dict[str, Row] = {}
    people: dict[str, Row] = {}
    enrollments: dict[Enrollment, Row] = {}
    for row in lines:
        line: _Line = row.record
        school = line.school or "school"
        orgs.setdefault(school, Row(row.line, Org(school, name=school)))
        grades = (line.grade,) if line.grade else ()
        classes.setdefault(line.class_id, Row(row.line, SchoolClass(line.class_id, school=school, grades=grades)))
        people.setdefault(line.student, Row(row.line, Person(line.student, role=cells.STUDENT, grades=grades)))
        own = Enrollment(line.class_id, line.student, cells.STUDENT, start=line.start, end=line.end)
        enrollments.setdefault(own, Row(row.line, own))
        if line.teacher:
            apart = f"teacher:{line.teacher}"
            people.setdefault(apart, Row(row.line, Person(apart, role="teacher", other_id=line.teacher)))
            leads = Enrollment(line.class_id, apart, "teacher")
            enrollments.setdefault(leads, Row(row.line, leads))
    kinds: dict[str, dict[Any, Row]] = {"orgs": orgs, "classes": classes, "people": people, "enrollments": enrollments}
    return SchoolLists(
        "class list", {kind: list(found.values()) for kind, found in kinds.items()}, dict.fromkeys(kinds, stem)
    )
