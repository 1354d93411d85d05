"""The lists of another system as they were loaded last, without which a file of changes would say nothing."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from features.errors import InputError
from features.roster.exports.cells import STUDENT
from features.roster.exports.lists import (
    Enrollment,
    Org,
    Person,
    PersonRole,
    Records,
    SchoolClass,
    SchoolLists,
    Term,
)
from features.roster.files.sheets import Findings, Row
from features.roster.tables import SOURCE_ROWS

KINDS: Mapping[str, type[Any]] = {
    "orgs": Org,
    "terms": Term,
    "classes": SchoolClass,
    "people": Person,
    "roles": PersonRole,
    "enrollments": Enrollment,
}


def add_stored(connection: Connection | None, lists: SchoolLists, findings: Findings) -> SchoolLists:
    """The lists with everything that their files of changes leave unsaid; lists that are whole stay as they are.

    Raises:
        InputError: They hold changes, and no whole lists were loaded before.
    """
    if not lists.delta:
        return lists
    stored = {} if connection is None else {kind: _read(connection, kind) for kind in KINDS}
    if not stored.get("people"):
        raise InputError(
            "the files hold only what has changed (delta), and nothing was loaded before; "
            "load the whole roster (bulk) once"
        )
    rows: dict[str, list[Row]] = {}
    for kind in KINDS:
        found = lists.rows.get(kind)
        if found is None:
            rows[kind] = [Row(None, record) for record in stored[kind].values()]
        elif kind not in lists.delta:
            rows[kind] = found
        else:
            joined = {key: Row(None, record) for key, record in stored[kind].items()}
            for row in found:
                if row.record.source_id is None:
                    findings.add(lists.files[kind], "is blank; a change names what it changes", row.line, "sourcedId")
                else:
                    joined[row.record.source_id] = row
            rows[kind] = list(joined.values())
    return replace(lists, rows=rows)


def replace_source_rows(connection: Connection, lists: SchoolLists | None) -> None:
    """Puts whole lists in place of those stored before; only lists of OneRoster can change by parts."""
    connection.execute(delete(SOURCE_ROWS))
    if lists is None or not lists.shape.startswith("OneRoster"):
        return
    kinds = {kind: [row.record for row in lists.rows.get(kind, ()) if row.record.active] for kind in KINDS}
    students = find_students(lists.rows)
    found = []
    for kind, records in kinds.items():
        for at, record in enumerate(records):
            about = record.source_id if kind == "people" else getattr(record, "person", None)
            found.append(
                {
                    "kind": kind,
                    "source_id": record.source_id or f"row {at}",
                    "student_id": None if about is None else students.get(about),
                    "record": {
                        key: value.isoformat() if isinstance(value, date) else value
                        for key, value in asdict(record).items()
                    },
                }
            )
    if found:
        connection.execute(insert(SOURCE_ROWS), found)


def find_students(rows: Records) -> dict[str, str]:
    """The ids that students have in regroup, by the ids that the lists name them by."""
    kinds = {kind: [row.record for row in rows.get(kind, ()) if row.record.active] for kind in KINDS}
    people: dict[str, Person] = {person.source_id: person for person in kinds["people"]}
    named = {person.source_id for person in people.values() if person.role == STUDENT}
    named |= {record.person for kind in ("roles", "enrollments") for record in kinds[kind] if record.role == STUDENT}
    return {source_id: person.regroup_id for source_id, person in people.items() if source_id in named}


def _read(connection: Connection, kind: str) -> dict[str, Any]:
    records = {}
    for row in connection.execute(select(SOURCE_ROWS).where(SOURCE_ROWS.c.kind == kind)).mappings():
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in row["record"].items()}
        for key in {"start", "end"} & values.keys():
            values[key] = date.fromisoformat(str(values[key])) if values[key] else None
        records[row["source_id"]] = KINDS[kind](**values)
    return records
