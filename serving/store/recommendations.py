"""Every plan that was returned, stored with what it was made from."""

import base64
import binascii
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, or_, select, update

from features.database import Database
from features.errors import MissingError
from features.roster import find_gone
from serving.errors import RequestError
from serving.formats import is_current, unpack_instance
from serving.grouping import Problem
from serving.schemas.edits import Edit
from serving.schemas.recommendations import RecommendationOut, RecommendationRequest
from serving.store.decisions import SESSIONS, find_gone_of
from serving.store.forgetting import forget_in_text
from serving.store.tables import DECISIONS, RECOMMENDATION_STUDENTS, RECOMMENDATIONS


@dataclass(frozen=True)
class StoredPlan:
    """A plan as it was returned, and the decision on it.

    Attributes:
        answer: The plan.
        instance: The day as an instance of regroup-day; None for plans of earlier versions.
        decision: `accepted`, `edited` or `rejected`; None while nobody decided.
        decided_sessions: JSON of the sessions that were accepted; None while nobody decided.
        request: JSON of the body that asked for it.
        edit: JSON of what was changed and not decided on yet; None where nothing was.
        edit_version: How often it was changed.
        awaits_signature: Whether it was accepted and counts only once the team's leader has signed it.
    """

    answer: RecommendationOut
    instance: str | None
    decision: str | None
    decided_sessions: str | None
    request: str
    edit: str | None
    edit_version: int
    awaits_signature: bool = False

    def problem(self) -> Problem | None:
        """The day that was planned; None for plans of earlier versions."""
        return unpack_instance(self.instance) if self.instance and is_current(self.instance) else None


def keep_recommendation(
    connection: Connection, answer: RecommendationOut, text: str, request: str, instance: str, students: Iterable[str]
) -> None:
    """Stores a plan before it is returned, and the students whom its texts name.

    Args:
        connection: A connection within a transaction, which may store more.
        answer: The plan.
        text: JSON of the plan.
        request: JSON of the body that asked for the plan.
        instance: The day as an instance of regroup-day.
        students: Ids of the students of the day.
    """
    connection.execute(
        insert(RECOMMENDATIONS).values(
            id=answer.id,
            created_at=answer.created_at,
            team_id=answer.team_id,
            problem_hash=answer.problem_hash,
            request=request,
            answer=text,
            problem=instance,
            date=answer.date,
            status=answer.status,
            score=answer.score,
            cycle=None if answer.cycle is None else answer.cycle.id,
            run_id=answer.provenance.model.run_id,
            profiles=answer.provenance.profiles,
        )
    )
    rows = [{"recommendation_id": answer.id, "student_id": student} for student in students]
    if rows:
        connection.execute(insert(RECOMMENDATION_STUDENTS), rows)


def find_recommendation(database: Database, identity: str) -> StoredPlan | None:
    """The stored plan without students who were erased; None where there is none with this id.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    plans = RECOMMENDATIONS.c
    query = (
        select(
            plans.answer,
            plans.problem,
            plans.request,
            plans.edit,
            plans.edit_version,
            DECISIONS.c.decision,
            DECISIONS.c.sessions,
            DECISIONS.c.awaits_signature,
        )
        .select_from(RECOMMENDATIONS.outerjoin(DECISIONS, DECISIONS.c.id == plans.id))
        .where(plans.id == identity)
    )
    try:
        with database.reading() as connection:
            row = connection.execute(query).first()
            gone = find_gone_of(connection, identity)
    except MissingError:
        return None  # nothing was ever stored
    if row is None:
        return None
    return StoredPlan(
        RecommendationOut.model_validate_json(forget_in_text(RecommendationOut, row.answer, gone)),
        None if row.problem is None else forget_in_day(row.problem, gone),
        row.decision,
        None if row.sessions is None else forget_in_text(SESSIONS, row.sessions, gone),
        forget_in_text(RecommendationRequest, row.request, gone),
        None if row.edit is None else forget_in_text(Edit, row.edit, gone),
        row.edit_version or 0,
        bool(row.awaits_signature),
    )


def keep_edit(connection: Connection, identity: str, version: int, edit: Edit) -> bool:
    """Stores what was changed in a plan, without students who were erased, and returns whether it could.

    It cannot where somebody has changed the plan since, or decided on it.

    Args:
        connection: A connection within a transaction.
        identity: Id of the plan.
        version: The version of the edit on which the change was made.
        edit: All that was changed.
    """
    students = {student for step in edit.steps for session in step.sessions for student in session.students}
    gone = find_gone(connection, students) | find_gone_of(connection, identity)
    plans = RECOMMENDATIONS.c
    decided = select(DECISIONS.c.id).where(DECISIONS.c.id == identity).exists()
    found = (plans.id == identity) & (func.coalesce(plans.edit_version, 0) == version) & ~decided
    text = forget_in_text(Edit, edit.model_dump_json(), gone)
    return (
        connection.execute(update(RECOMMENDATIONS).where(found).values(edit=text, edit_version=version + 1)).rowcount
        == 1
    )


def read_answer(connection: Connection, identity: str) -> tuple[str, str] | None:
    """The team and the JSON of a plan without students who were erased; None where there is none with this id."""
    query = select(RECOMMENDATIONS.c.team_id, RECOMMENDATIONS.c.answer).where(RECOMMENDATIONS.c.id == identity)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return row.team_id, forget_in_text(RecommendationOut, row.answer, find_gone_of(connection, identity))


def forget_in_day(instance: str, student_ids: Collection[str]) -> str | None:
    """A day without some students; None for one of an earlier version, which nobody can read any more."""
    if student_ids and not is_current(instance):
        return None
    return forget_in_text(Problem, instance, student_ids)


@dataclass(frozen=True)
class PlanRow:
    """One plan in a list; `decision` is None while nobody decided, other fields are for plans of earlier versions."""

    id: str
    created_at: datetime
    date: date | None
    status: str | None
    score: float | None
    decision: str | None
    cycle: str | None
    awaits_signature: bool | None = None


@dataclass(frozen=True)
class PlanQuery:
    """The plans to list: those of a team, of one day and one cycle where these are not None."""

    team_id: str
    day: date | None = None
    cycle: str | None = None


def list_plans(
    database: Database, query: PlanQuery, limit: int, cursor: str | None = None
) -> tuple[list[PlanRow], str | None]:
    """One page of plans, the latest first, and the cursor of the next page; None after the last page.

    A page begins after the last plan of the page before, so that plans made in between shift none.

    Args:
        database: The service's database.
        query: The plans to list.
        limit: The most plans on a page.
        cursor: The cursor that came with the page before; None for the first page.

    Raises:
        RequestError: The cursor is no cursor, or one of another query.
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    plans = RECOMMENDATIONS.c
    statement = (
        _select_rows()
        .where(plans.team_id == query.team_id)
        .order_by(plans.created_at.desc(), plans.id.desc())
        .limit(limit + 1)
    )
    if query.day is not None:
        statement = statement.where(plans.date == query.day)
    if query.cycle is not None:
        statement = statement.where(plans.cycle == query.cycle)
    if cursor is not None:
        created_at, identity = read_cursor(query, cursor)
        statement = statement.where(
            or_(plans.created_at < created_at, and_(plans.created_at == created_at, plans.id < identity))
        )
    try:
        with database.reading() as connection:
            rows = [PlanRow(**row) for row in connection.execute(statement).mappings()]
    except MissingError:
        rows = []  # nothing was ever stored
    page = rows[:limit]
    return page, write_cursor(query, page[-1]) if len(rows) > limit else None


def find_current_plan(database: Database, team_id: str, day: date) -> str | None:
    """The id of the plan that a team works on: the newest of a day that was not rejected; None where there is none.

    Plans are looked through from the newest on, so that those of a year before are not read.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    plans = RECOMMENDATIONS.c
    newest = (
        select(plans.id)
        .select_from(RECOMMENDATIONS.outerjoin(DECISIONS, DECISIONS.c.id == plans.id))
        .where(plans.team_id == team_id, plans.date == day)
        .where(func.coalesce(DECISIONS.c.decision, "") != "rejected")
        .order_by(plans.created_at.desc(), plans.id.desc())
        .limit(1)
    )
    try:
        with database.reading() as connection:
            found: str | None = connection.execute(newest).scalar()
    except MissingError:
        return None  # nothing was ever stored
    return found


def find_current_plans(database: Database, team_id: str, first: date, last: date) -> dict[date, PlanRow]:
    """The plan that a team works on by day: the newest that was not rejected; days without one are left out.

    Args:
        database: The service's database.
        team_id: The team.
        first: The first day.
        last: The last day.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    plans = RECOMMENDATIONS.c
    statement = (
        _select_rows()
        .where(plans.team_id == team_id, plans.date.between(first, last))
        .where(func.coalesce(DECISIONS.c.decision, "") != "rejected")
        .order_by(plans.created_at, plans.id)
    )
    try:
        with database.reading() as connection:
            rows = [PlanRow(**row) for row in connection.execute(statement).mappings()]
    except MissingError:
        rows = []  # nothing was ever stored
    return {row.date: row for row in rows if row.date is not None}


def _select_rows() -> Select[Any]:
    """Selects the fields of `PlanRow` of every plan."""
    plans = RECOMMENDATIONS.c
    return select(
        plans.id,
        plans.created_at,
        plans.date,
        plans.status,
        plans.score,
        plans.cycle,
        DECISIONS.c.decision,
        DECISIONS.c.awaits_signature,
    ).select_from(RECOMMENDATIONS.outerjoin(DECISIONS, DECISIONS.c.id == plans.id))


def write_cursor(query: PlanQuery, last: PlanRow) -> str:
    """The cursor of the page after a plan: opaque to callers, and valid for this query only."""
    parts = [query.team_id, _day(query), query.cycle, last.created_at.isoformat(), last.id]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def read_cursor(query: PlanQuery, cursor: str) -> tuple[datetime, str]:
    """The moment and the id of the plan after which a cursor's page begins.

    Raises:
        RequestError: The text is no cursor, or one of another query.
    """
    try:
        team, day, cycle, moment, identity = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        created_at = datetime.fromisoformat(moment)
        valid = (team, day, cycle) == (query.team_id, _day(query), query.cycle) and identity.isprintable()
        valid = valid and created_at.utcoffset() == timedelta(0)
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError):
        valid = False
    if not valid:
        sentence = "cursor: not from a page of this team, date and cycle; leave it out for the first page"
        raise RequestError("bad_cursor", sentence, field="cursor")
    return created_at, identity


def _day(query: PlanQuery) -> str | None:
    return None if query.day is None else query.day.isoformat()
