"""What the service keeps of students, for an erasure; `features.erasure` holds the rest and says how it goes."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from features import erasure
from features.erasure import Installation, Store
from serving.store.tables import API_KEYS, AUDIT, DECISIONS, IDEMPOTENCY, RECOMMENDATION_STUDENTS, RECOMMENDATIONS

SHORT = 4
"""Ids with fewer characters are not looked for within sentences: a "7" there is most likely a number."""

Json = Any


def scrub(value: Json, student_id: str) -> Json:
    """JSON without the student.

    A record or a pair that names the student goes as a whole, such as a seat, a need or two who shall sit together; a
    list of ids loses the one, and a rule that is left with nobody, or about two with one, goes too.

    Args:
        value: What JSON held.
        student_id: Who was erased.

    Example:
        >>> day = {"students": ["a", "b"], "rules": [{"kind": "keep_apart", "student_ids": ["a", "b"]}], "n": 2}
        >>> scrub(day, "a")
        {'students': ['b'], 'rules': [], 'n': 2}
    """
    if isinstance(value, dict):
        return {name: scrub(each, student_id) for name, each in value.items() if name != student_id}
    if isinstance(value, list):
        return [scrub(each, student_id) for each in value if not _goes(each, student_id)]
    if isinstance(value, str):
        if value == student_id:
            return None
        if len(student_id) >= SHORT:
            return value.replace(student_id, "a student")
    return value


def _goes(each: Json, student_id: str) -> bool:
    if isinstance(each, dict):
        if student_id in [one for one in each.values() if isinstance(one, str)]:
            return True
        lists = [one for one in each.values() if isinstance(one, list) and student_id in one]
        fewest = 2 if str(each.get("kind", "")).startswith("keep_") else 1
        return any(len(set(one)) - 1 < fewest for one in lists if all(isinstance(who, str) for who in one))
    if isinstance(each, list):
        return student_id in each
    return bool(each == student_id)


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
    keys, held = list(table.primary_key), 0
    places = connection.execute(select(*keys)).all()
    for place in places:  # one row at a time: a plan may be large
        at = [key == value for key, value in zip(keys, place, strict=True)]
        row = connection.execute(select(*(table.c[name] for name in columns)).where(*at)).mappings().one()
        changed = {name: new for name in columns if (new := _scrubbed(row[name], student_id)) != row[name]}
        if changed:
            connection.execute(update(table).where(*at).values(**changed))
            held += 1
    return held


def _scrubbed(value: object, student_id: str) -> object:
    """The value without the student, unchanged if it does not name the student; a text in the layout that it had."""
    if not isinstance(value, str):
        return scrub(value, student_id)
    if student_id not in value and json.dumps(student_id)[1:-1] not in value:
        return value
    held = json.loads(value)
    scrubbed = scrub(held, student_id)
    if scrubbed == held:
        return value
    return json.dumps(scrubbed, ensure_ascii=False, indent=1 if value.startswith("{\n") else None)


def _erase_audit(place: Installation, student_id: str) -> int:
    with place.database.changing() as connection:
        mine = update(AUDIT).where(AUDIT.c.student_id == student_id)
        return connection.execute(mine.values(student_id=None)).rowcount


STORES = (
    *erasure.STORES,
    Store(
        "plans, decisions and answers kept for a repeated request",
        _erase_plans,
        tables=(RECOMMENDATION_STUDENTS.name, *(table.name for table in TEXTS)),
    ),
    Store("audit log", _erase_audit, tables=(AUDIT.name,)),
)
"""Everything that is kept of students, except audit entries that are not in the database yet."""

WITHOUT_STUDENTS = (*erasure.WITHOUT_STUDENTS, API_KEYS.name)
"""Tables that name no student."""
