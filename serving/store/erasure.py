"""What the service stores about students, for an erasure; `features.erasure` has the rest and runs it."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from features import erasure
from features.erasure import Installation, Store
from serving.store.tables import API_KEYS, AUDIT, DECISIONS, IDEMPOTENCY, RECOMMENDATION_STUDENTS, RECOMMENDATIONS

MIN_LENGTH = 4
"""Shorter ids are not searched within sentences, where a "7" is most likely a number."""

Json = Any


def scrub(value: Json, student_id: str) -> Json:
    """JSON without the student.

    An object or a pair with the student's id as a value is removed as a whole, such as a seat, a need, or two students
    to keep together. A list of ids loses the one, and a rule whose list is then too short is removed too.

    Args:
        value: The parsed JSON.
        student_id: The id of the student to erase.

    Example:
        >>> day = {"students": ["a", "b"], "rules": [{"kind": "keep_apart", "student_ids": ["a", "b"]}], "n": 2}
        >>> scrub(day, "a")
        {'students': ['b'], 'rules': [], 'n': 2}
    """
    if isinstance(value, dict):
        return {name: scrub(member, student_id) for name, member in value.items() if name != student_id}
    if isinstance(value, list):
        return [scrub(element, student_id) for element in value if not _must_go(element, student_id)]
    if isinstance(value, str):
        if value == student_id:
            return None
        if len(student_id) >= MIN_LENGTH:
            return value.replace(student_id, "a student")
    return value


def _must_go(element: Json, student_id: str) -> bool:
    """Whether an element of a list is about the student, or means nothing without the student."""
    if isinstance(element, list):
        return student_id in element
    if not isinstance(element, dict):
        return bool(element == student_id)
    if student_id in [value for value in element.values() if isinstance(value, str)]:
        return True
    lists = [value for value in element.values() if isinstance(value, list) and student_id in value]
    least = 2 if str(element.get("kind", "")).startswith("keep_") else 1
    return any(len(set(ids)) - 1 < least for ids in lists if all(isinstance(student, str) for student in ids))


TEXTS: Mapping[Table, tuple[str, ...]] = {
    RECOMMENDATIONS: ("request", "answer", "problem"),
    DECISIONS: ("reasons", "sessions"),
    IDEMPOTENCY: ("answer",),
}
"""Columns with JSON that may name students."""


def _erase_plans(place: Installation, student_id: str) -> int:
    # not only plans with a seat of the student: one who was away is named too
    with place.database.changing() as connection:
        seats = RECOMMENDATION_STUDENTS
        connection.execute(delete(seats).where(seats.c.student_id == student_id))
        return sum(_scrub_table(connection, table, columns, student_id) for table, columns in TEXTS.items())


def _scrub_table(connection: Connection, table: Table, columns: tuple[str, ...], student_id: str) -> int:
    """Scrubs the columns of each row, and returns the number of rows that changed."""
    keys, count = list(table.primary_key), 0
    for key in connection.execute(select(*keys)).all():  # one row at a time: a plan may be large
        this_row = [column == value for column, value in zip(keys, key, strict=True)]
        row = connection.execute(select(*(table.c[name] for name in columns)).where(*this_row)).mappings().one()
        changed = {name: new for name in columns if (new := _scrub_cell(row[name], student_id)) != row[name]}
        if changed:
            connection.execute(update(table).where(*this_row).values(**changed))
            count += 1
    return count


def _scrub_cell(value: object, student_id: str) -> object:
    """The value without the student; a text keeps its layout, and is unchanged if it does not name the student."""
    if not isinstance(value, str):
        return scrub(value, student_id)
    if student_id not in value and json.dumps(student_id)[1:-1] not in value:
        return value
    document = json.loads(value)
    scrubbed = scrub(document, student_id)
    if scrubbed == document:
        return value
    return json.dumps(scrubbed, ensure_ascii=False, indent=1 if value.startswith("{\n") else None)


def _erase_audit(place: Installation, student_id: str) -> int:
    with place.database.changing() as connection:
        about_student = update(AUDIT).where(AUDIT.c.student_id == student_id)
        return connection.execute(about_student.values(student_id=None)).rowcount


STORES = (
    *erasure.STORES,
    Store(
        "plans, decisions and answers kept for a repeated request",
        _erase_plans,
        tables=(RECOMMENDATION_STUDENTS.name, *(table.name for table in TEXTS)),
    ),
    Store("audit log", _erase_audit, tables=(AUDIT.name,)),
)
"""Everything that is stored about students, except audit entries that are not in the database yet."""

WITHOUT_STUDENTS = (*erasure.WITHOUT_STUDENTS, API_KEYS.name)
"""Tables that name no student."""
