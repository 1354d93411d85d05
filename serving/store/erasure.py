"""Everything that the service stores about students, for an erasure; `features.erasure` has the rest and runs it."""

import time
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Table, delete, select, union, update

from features import erasure
from features.erasure import Installation, Store
from serving.schemas.edits import Edit
from serving.schemas.recommendations import RecommendationOut, RecommendationRequest
from serving.store.decisions import SESSIONS
from serving.store.forgetting import forget_in_text
from serving.store.practice.observations import forget_texts
from serving.store.recommendations import forget_in_day
from serving.store.tables import (
    API_KEYS,
    AUDIT,
    CALENDAR_FEEDS,
    CHOICES,
    DECISIONS,
    GOALS,
    GROWTH_STAGES,
    HELP_REQUESTS,
    IDEMPOTENCY,
    OBSERVATIONS,
    RECOMMENDATION_STUDENTS,
    RECOMMENDATIONS,
    RELATIONSHIP_MARKS,
    SESSION_REPORT_STUDENTS,
    SESSION_REPORTS,
    WISHES,
)

Forget = Callable[[str, list[str]], str | None]

TEXTS: Mapping[Table, Mapping[str, Forget]] = {
    RECOMMENDATIONS: {
        "request": lambda text, students: forget_in_text(RecommendationRequest, text, students),
        "answer": lambda text, students: forget_in_text(RecommendationOut, text, students),
        "problem": forget_in_day,
        "edit": lambda text, students: forget_in_text(Edit, text, students),
    },
    DECISIONS: {"sessions": lambda text, students: forget_in_text(SESSIONS, text, students)},
}
"""Columns with JSON that names students, by table, and how each forgets them."""


AT_ONCE_S = 0.05
"""Seconds after which a transaction begins no further plan, so that nobody waits for long; each has a plan at least."""


def _erase_plans(place: Installation, student_id: str) -> int:
    links, plans = RECOMMENDATION_STUDENTS.c, RECOMMENDATIONS.c
    of_student = select(links.recommendation_id).where(links.student_id == student_id)
    unlinked = select(plans.id).where(plans.problem.is_(None))  # of an earlier version, or its day is gone already
    with place.database.reading() as connection:
        found = connection.execute(union(of_student, unlinked)).scalars().all()
    count, left = 0, sorted(found, reverse=True)
    while left:
        with place.database.changing() as connection:
            count += _erase_plan(connection, left.pop(), student_id)
            until = time.monotonic() + AT_ONCE_S
            while left and time.monotonic() < until:
                count += _erase_plan(connection, left.pop(), student_id)
    return count


def _erase_plan(connection: Connection, plan_id: str, student_id: str) -> int:
    links = RECOMMENDATION_STUDENTS.c
    count = sum(_forget(connection, table, plan_id, student_id) for table in TEXTS)
    link = (links.recommendation_id == plan_id) & (links.student_id == student_id)
    if connection.execute(delete(RECOMMENDATION_STUDENTS).where(link)).rowcount:
        _forget_note(connection, plan_id)
        forget_texts(connection, plan_id)
    return count


def _forget(connection: Connection, table: Table, plan_id: str, student_id: str) -> int:
    """Removes the student from the texts of one row; returns how many rows changed."""
    row = connection.execute(select(table).where(table.c.id == plan_id)).mappings().one_or_none()
    if row is None:
        return 0
    changed = {
        name: new
        for name, forget in TEXTS[table].items()
        if row[name] is not None and (new := forget(row[name], [student_id])) != row[name]
    }
    if changed:
        connection.execute(update(table).where(table.c.id == plan_id).values(**changed))
    return int(bool(changed))


def _forget_note(connection: Connection, plan_id: str) -> None:
    """Removes the note of a decision: it may name the student in any words."""
    decision = DECISIONS.c.id == plan_id
    reasons = connection.execute(select(DECISIONS.c.reasons).where(decision)).scalar()
    if reasons is not None and reasons["note"] is not None:
        connection.execute(update(DECISIONS).where(decision).values(reasons=reasons | {"note": None}))


OF_STUDENTS = (SESSION_REPORT_STUDENTS, GOALS, RELATIONSHIP_MARKS, CHOICES, WISHES, HELP_REQUESTS)
"""Tables of which rows that name the student are deleted."""


def _erase_practice(place: Installation, student_id: str) -> int:
    with place.database.changing() as connection:
        return sum(
            connection.execute(delete(table).where(column == student_id)).rowcount
            for table in OF_STUDENTS
            for column in table.c
            if column.name in {"student_id", "other_student_id"}
        )


def _erase_audit(place: Installation, student_id: str) -> int:
    with place.database.changing() as connection:
        about_student = update(AUDIT).where(AUDIT.c.student_id == student_id)
        return connection.execute(about_student.values(student_id=None)).rowcount


STORES = (
    # first what the service shows, then what takes long
    Store(
        "plans and decisions",
        _erase_plans,
        tables=(RECOMMENDATION_STUDENTS.name, OBSERVATIONS.name, *(table.name for table in TEXTS)),
    ),
    Store(
        "reports on sessions, goals, relationships, choices, wishes and requests for help",
        _erase_practice,
        tables=tuple(table.name for table in OF_STUDENTS),
    ),
    Store("audit log", _erase_audit, tables=(AUDIT.name,)),
    *erasure.STORES,
)
"""Everything that is stored about students, except audit entries on this machine's disk."""

WITHOUT_STUDENTS = (
    *erasure.WITHOUT_STUDENTS,
    *(table.name for table in (API_KEYS, IDEMPOTENCY, CALENDAR_FEEDS, SESSION_REPORTS, GROWTH_STAGES)),
)
"""Tables that name no student."""
