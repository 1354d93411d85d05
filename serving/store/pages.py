"""A team's plans, page by page, the newest first."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, or_, select

from features.database import Database
from features.errors import MissingError
from serving.errors import RequestError
from serving.store.moments import utc
from serving.store.tables import DECISIONS, RECOMMENDATIONS


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
            found = connection.execute(asked).mappings()
            rows = [PlanRow(**{**row, "created_at": utc(row["created_at"])}) for row in found]
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
