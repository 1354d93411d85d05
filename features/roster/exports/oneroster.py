"""OneRoster 1.1 and 1.2 as CSV files, and Microsoft School Data Sync 2.1, whose files are nearly the same.

Source:
    1EdTech, OneRoster 1.1 and 1.2 CSV binding (https://www.imsglobal.org/spec/oneroster/v1p2/bind/csv); Microsoft,
    School Data Sync CSV file format V2.1 (https://learn.microsoft.com/schooldatasync/sds-v2.1-csv-file-format).
"""

import csv
import io
from dataclasses import replace

from features.errors import InputError
from features.roster.exports import cells
from features.roster.exports.lists import Enrollment, Org, Person, PersonRole, SchoolClass, SchoolLists, Term
from features.roster.files.archive import Files
from features.roster.files.cells import parse_text
from features.roster.files.layout import Column, RosterFile
from features.roster.files.sheets import Findings, Row, read_sheet

ID = Column(cells.parse_source_id)
OWN_ID = Column(cells.parse_source_id, needed=False)
STATUS = Column(cells.parse_status, needed=False, blank=True)
TEXT = Column(lambda text: parse_text(text) or None, needed=False)
LIST = Column(cells.parse_list, needed=False, blank=())
DAY = Column(cells.parse_day, needed=False)
ROLE = Column(cells.parse_role)

OTHER_IDS = ("sourcedId", "identifier", "username", "email", "userMasterIdentifier")
"""Which id of a person may be the one that events carry."""

FILES = {
    "orgs": RosterFile(
        "orgs",
        Org,
        {"source_id": ID, "active": STATUS, "name": TEXT},
        key=("source_id",),
        headers={"source_id": ("sourcedId",), "active": ("status",), "name": ("name",)},
    ),
    "terms": RosterFile(
        "academicSessions",
        Term,
        {"source_id": ID, "active": STATUS, "start": DAY, "end": DAY},
        key=("source_id",),
        headers={"source_id": ("sourcedId",), "active": ("status",), "start": ("startDate",), "end": ("endDate",)},
    ),
    "classes": RosterFile(
        "classes",
        SchoolClass,
        {
            "source_id": ID, "active": STATUS, "title": TEXT, "school": OWN_ID, "grades": LIST, "terms": LIST,
            "location": TEXT,
        },
        key=("source_id",),
        headers={
            "source_id": ("sourcedId",), "active": ("status",), "title": ("title",),
            "school": ("schoolSourcedId", "orgSourcedId"), "grades": ("grades", "grade"),
            "terms": ("termSourcedIds", "termSourcedId", "sessionSourcedIds"), "location": ("location",),
        },
    ),
    "people": RosterFile(
        "users",
        Person,
        {
            "source_id": ID, "active": STATUS, "enabled": Column(cells.parse_flag, needed=False, blank=True),
            "role": Column(cells.parse_role, needed=False), "grades": LIST,
        },
        key=("source_id",),
        headers={
            "source_id": ("sourcedId",), "active": ("status",), "enabled": ("enabledUser",), "role": ("role",),
            "grades": ("grades", "grade"),
        },
    ),
    "roles": RosterFile(
        "roles",
        PersonRole,
        {"person": ID, "role": ROLE, "source_id": OWN_ID, "active": STATUS, "start": DAY, "end": DAY},
        key=("source_id",),
        headers={
            "person": ("userSourcedId",), "role": ("role",), "source_id": ("sourcedId",), "active": ("status",),
            "start": ("beginDate", "roleStartDate"), "end": ("endDate", "roleEndDate"),
        },
    ),
    "enrollments": RosterFile(
        "enrollments",
        Enrollment,
        {
            "class_id": ID, "person": ID, "role": ROLE, "source_id": OWN_ID, "active": STATUS, "start": DAY, "end": DAY,
        },
        key=("source_id",),
        headers={
            "class_id": ("classSourcedId",), "person": ("userSourcedId",), "role": ("role",),
            "source_id": ("sourcedId",), "active": ("status",), "start": ("beginDate",), "end": ("endDate",),
        },
    ),
}  # fmt: skip

NEEDED = ("classes", "people", "enrollments")
"""Kinds without which nothing can be told, unless the files hold only what has changed."""

MANIFEST = "manifest"

MODES = ("bulk", "delta", "absent", "")


def is_oneroster(names: frozenset[str]) -> bool:
    """Whether files of these names, in small letters and without `.csv`, are OneRoster's or like them."""
    return len(names & {"users", "enrollments", "classes"}) > 1 or MANIFEST in names


def read_oneroster(files: Files, findings: Findings, id_of: str = "sourcedId") -> SchoolLists:
    """The lists that the files hold; what is wrong in them goes to the findings.

    Args:
        files: All files, by name.
        findings: Gets every problem and warning.
        id_of: The column of `users.csv` whose id events carry, one of `OTHER_IDS`.
    """
    by_name = {name.lower().removesuffix(".csv"): name for name in files}
    manifest = _read_manifest(files[by_name[MANIFEST]], findings) if MANIFEST in by_name else {}
    modes = {kind: manifest.get(f"file.{layout.name}".lower(), "bulk") for kind, layout in FILES.items()}
    for kind, mode in modes.items():
        if mode not in MODES:
            findings.add(
                MANIFEST, f"'{mode}' is no way of sending; write bulk, delta or absent", None, FILES[kind].name
            )
    delta = frozenset(kind for kind, mode in modes.items() if mode == "delta")
    rows: dict[str, list[Row]] = {}
    for kind, layout in FILES.items():
        name = by_name.get(layout.name.lower())
        if name is not None:
            rows[kind] = read_sheet(
                files[name], _with_other_id(layout, id_of) if kind == "people" else layout, findings
            )
        elif kind in NEEDED and not delta:
            findings.add(layout.name, "is missing; export it too")
    version = manifest.get("oneroster.version")
    shape = f"OneRoster {version}" if version else "OneRoster"
    if not manifest and "people" in rows and b"status" not in files[by_name["users"]].split(b"\n", 1)[0].lower():
        shape = "Microsoft School Data Sync 2.1"
    return SchoolLists(shape, rows, {kind: layout.name for kind, layout in FILES.items()}, delta)


def _with_other_id(layout: RosterFile, id_of: str) -> RosterFile:
    """The layout of `users.csv` that reads another id too; without one, no such column is looked at."""
    if id_of not in OTHER_IDS:
        raise InputError(f"student_id is {id_of!r}; use one of {', '.join(OTHER_IDS)}")
    if id_of == "sourcedId":
        return layout
    columns = {**layout.columns, "other_id": Column(cells.parse_source_id)}
    return replace(layout, columns=columns, headers={**(layout.headers or {}), "other_id": (id_of,)})


def _read_manifest(data: bytes, findings: Findings) -> dict[str, str]:
    """The properties in small letters."""
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    except (csv.Error, UnicodeDecodeError):
        findings.add(MANIFEST, "is not CSV in UTF-8; write lines such as file.users,bulk")
        return {}
    return {line[0].strip().lower(): line[1].strip().lower() for line in lines if len(line) > 1}
