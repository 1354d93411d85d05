"""Microsoft School Data Sync, first format: sections, students, teachers and who is in which section, as CSV files.

Source:
    Microsoft, School Data Sync V1 CSV file format (https://learn.microsoft.com/schooldatasync/sds-v1-csv-file-format).
"""

from dataclasses import replace
from functools import partial

from features.roster.exports import cells
from features.roster.exports.lists import Enrollment, Org, Person, SchoolClass, SchoolLists
from features.roster.files.archive import Files
from features.roster.files.cells import parse_text
from features.roster.files.layout import Column, RosterFile
from features.roster.files.sheets import Findings, Row, read_sheet

ID = Column(cells.parse_source_id)
TEXT = Column(lambda text: parse_text(text) or None, needed=False)
LIST = Column(cells.parse_list, needed=False, blank=())
DAY = Column(cells.parse_us_day, needed=False)

SIS_ID = ("SIS ID",)
OF_PERSON = ({"source_id": ID, "grades": LIST}, ("source_id",))
IN_SECTION = ({"class_id": ID, "person": ID}, ("class_id", "person"))
PERSON_HEADERS = {"source_id": SIS_ID, "grades": ("Grade",)}
SECTION_HEADERS = {"class_id": ("Section SIS ID",), "person": SIS_ID}

FILES = (
    RosterFile(
        "School", Org, {"source_id": ID, "name": TEXT}, ("source_id",), headers={"source_id": SIS_ID, "name": ("Name",)}
    ),
    RosterFile(
        "Section",
        SchoolClass,
        {"source_id": ID, "school": ID, "title": TEXT, "start": DAY, "end": DAY},
        ("source_id",),
        headers={
            "source_id": SIS_ID,
            "school": ("School SIS ID",),
            "title": ("Section Name",),
            "start": ("Term StartDate",),
            "end": ("Term EndDate",),
        },
    ),
    RosterFile("Student", partial(Person, role=cells.STUDENT), *OF_PERSON, headers=PERSON_HEADERS),
    RosterFile("Teacher", partial(Person, role="teacher"), *OF_PERSON, headers=PERSON_HEADERS),
    RosterFile("StudentEnrollment", partial(Enrollment, role=cells.STUDENT), *IN_SECTION, headers=SECTION_HEADERS),
    RosterFile("TeacherRoster", partial(Enrollment, role="teacher"), *IN_SECTION, headers=SECTION_HEADERS),
)


def is_sds(names: frozenset[str]) -> bool:
    """Whether files of these names, in small letters and without `.csv`, are of the first format."""
    return len(names & {"section", "student", "studentenrollment", "teacherroster"}) > 1


def read_sds(files: Files, findings: Findings) -> SchoolLists:
    """The lists that the files hold; what is wrong in them goes to the findings."""
    by_name = {name.lower().removesuffix(".csv"): name for name in files}
    rows: dict[str, list[Row]] = {}
    for layout in FILES:
        name = by_name.get(layout.name.lower())
        if name is None:
            if layout.name != "School":
                findings.add(layout.name, "is missing; export it too")
            rows[layout.name] = []
        else:
            rows[layout.name] = read_sheet(files[name], layout, findings)
    people = rows["Student"] + [_apart(row, "source_id") for row in rows["Teacher"]]
    enrollments = rows["StudentEnrollment"] + [_apart(row, "person") for row in rows["TeacherRoster"]]
    kinds = {"orgs": rows["School"], "classes": rows["Section"], "people": people, "enrollments": enrollments}
    names = {"orgs": "School", "classes": "Section", "people": "Student", "enrollments": "StudentEnrollment"}
    return SchoolLists("Microsoft School Data Sync 1", kinds, names)


def _apart(row: Row, column: str) -> Row:
    """A teacher's row with an id that no student has: both count from 1."""
    own = getattr(row.record, column)
    changed = {column: f"teacher:{own}"} | ({"other_id": own} if column == "source_id" else {})
    return Row(row.line, replace(row.record, **changed))
