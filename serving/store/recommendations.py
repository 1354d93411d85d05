"""Every plan that was returned, kept with all that it rests on."""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, and_, insert, or_, select

from features.database import Database
from features.errors import MissingError
from serving.errors import RequestError
from serving.formats import read_instance
from serving.grouping import Problem
from serving.schemas.recommendations import RecommendationOut
from serving.store.tables import DECISIONS, RECOMMENDATION_STUDENTS, RECOMMENDATIONS


@dataclass(frozen=True)
class StoredPlan:
    """A plan as it was returned, and what was decided on it.

    Attributes:
        answer: The plan.
        instance: The day as an open instance; null for plans of earlier versions.
        decision: Accepted, edited or rejected; null while nobody decided.
        decided_sessions: JSON of the sessions that were accepted; null while nobody decided.
    """

    answer: RecommendationOut
    instance: str | None
    decision: str | None
    decided_sessions: str | None

    def problem(self) -> Problem | None:
        """The day that was planned."""
        return None if self.instance is None else read_instance(self.instance)


def keep_recommendation(
    connection: Connection, answer: RecommendationOut, text: str, request: str, instance: str, students: Iterable[str]
) -> None:
    """Keeps a plan before it is returned, and everybody whom its texts name.

    Args:
        connection: Of a change that may hold more than this.
        answer: The plan.
        text: JSON of it.
        request: JSON of the body that asked for it.
        instance: The day as an open instance.
        students: Whom the day names.
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
        )
    )
    rows = [{"recommendation_id": answer.id, "student_id": student} for student in students]
    if rows:
        connection.execute(insert(RECOMMENDATION_STUDENTS), rows)


def find_recommendation(database: Database, identity: str) -> StoredPlan | None:
    """The stored plan, or None.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    decided = RECOMMENDATIONS.outerjoin(DECISIONS, DECISIONS.c.id == RECOMMENDATIONS.c.id)
    asked = select(
        RECOMMENDATIONS.c.answer,
        RECOMMENDATIONS.c.problem,
        DECISIONS.c.decision,
        DECISIONS.c.sessions,
    ).select_from(decided)
    try:
        with database.reading() as connection:
            row = connection.execute(asked.where(RECOMMENDATIONS.c.id == identity)).first()
    except MissingError:
        return None  # nothing was ever kept
    if row is None:
        return None
    return StoredPlan(RecommendationOut.model_validate_json(row.answer), row.problem, row.decision, row.sessions)


@dataclass(frozen=True)
class PlanRow:
    """One plan in a list; `decision` is null while nobody decided, the others for plans of earlier versions."""

    id: str
    created_at: datetime
    date: date | None
    status: str | None
    score: float | None
    decision: str | None


@dataclass(frozen=True)
class PlanQuery:
    """Which plans are listed; of all days where `day` is null."""

    team_id: str
    day: date | None = None


def list_plans(
    database: Database, query: PlanQuery, limit: int, cursor: str | None = None
) -> tuple[list[PlanRow], str | None]:
    """One page, and the cursor of the next; null after the last.

    A page goes on after the last plan of the one before, so that plans made in between shift none.

    Args:
        database: Of the service.
        query: Which plans.
        limit: Plans on a page.
        cursor: As a page of the same query gave it; null for the first.

    Raises:
        RequestError: The cursor is none, or of another query.
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    plans = RECOMMENDATIONS.c
    asked = (
        select(plans.id, plans.created_at, plans.date, plans.status, plans.score, DECISIONS.c.decision)
        .select_from(RECOMMENDATIONS.outerjoin(DECISIONS, DECISIONS.c.id == plans.id))
        .where(plans.team_id == query.team_id)
        .order_by(plans.created_at.desc(), plans.id.desc())
        .limit(limit + 1)
    )
    if query.day is not None:
        asked = asked.where(plans.date == query.day)
    if cursor is not None:
        at, identity = read_cursor(query, cursor)
        asked = asked.where(or_(plans.created_at < at, and_(plans.created_at == at, plans.id < identity)))
    try:
        with database.reading() as connection:
            rows = [PlanRow(**row) for row in connection.execute(asked).mappings()]
    except MissingError:
        rows = []  # nothing was ever kept
    page = rows[:limit]
    return page, write_cursor(query, page[-1]) if len(rows) > limit else None


def write_cursor(query: PlanQuery, last: PlanRow) -> str:
    """The cursor of the page after a plan: opaque to callers, and good for this query only."""
    told = [query.team_id, _day(query), last.created_at.isoformat(), last.id]
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def read_cursor(query: PlanQuery, cursor: str) -> tuple[datetime, str]:
    """Moment and id of the plan that a cursor stands after.

    Raises:
        RequestError: It is no cursor, or one of another query.
    """
    try:
        told = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        team, day, moment, identity = told
        at = datetime.fromisoformat(moment)
        right = (team, day) == (query.team_id, _day(query)) and identity.isprintable() and not at.utcoffset()
        right = right and at.tzinfo is not None
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError):
        right = False
    if not right:
        told_why = "cursor: not one that a page of this team and date gave; leave it out for the first page"
        raise RequestError("bad_cursor", told_why, field="cursor")
    return at, identity


def _day(query: PlanQuery) -> str | None:
    return None if query.day is None else query.day.isoformat()
