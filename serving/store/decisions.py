"""What people decided on each plan, and what became of the day."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from features.database import Database
from features.database.dialects import upsert
from features.roster import PastSession, replace_recorded_sessions
from serving.grouping import Session
from serving.store.tables import DECISIONS, RECOMMENDATIONS


@dataclass(frozen=True)
class Decision:
    """A decision on one plan.

    Attributes:
        recommendation_id: Of the plan.
        decided_at: UTC.
        key_id: Of the API key with which it came; null without one.
        decision: Accepted, edited or rejected.
        reasons: Codes.
        note: In the team's own words; null without.
        sessions: JSON of the sessions that count as held; an empty list where rejected.
        replaces: Id of the plan of the same team and date that was in force before; null if there was none.
    """

    recommendation_id: str
    decided_at: datetime
    key_id: str | None
    decision: str
    reasons: tuple[str, ...]
    note: str | None
    sessions: str
    replaces: str | None = None

    @property
    def said(self) -> tuple[object, ...]:
        """All that makes it the same decision, sent again."""
        return self.decision, self.reasons, self.note, json.loads(self.sessions)


def keep_decision(
    database: Database, decision: Decision, team_id: str, day: date, held: Sequence[Session]
) -> Decision | None:
    """Keeps a decision and, unless it rejects, its sessions as those of the day; both or nothing.

    Args:
        database: Of the service.
        decision: As it was sent; what it replaces is found here.
        team_id: Of the plan.
        day: Of the plan, the school's own date.
        held: The sessions that count as held.

    Returns:
        The decision as it is kept: an earlier one, where there is one already. None where the plan is gone.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    with database.changing(alone=True) as connection:
        there = select(RECOMMENDATIONS.c.id).where(RECOMMENDATIONS.c.id == decision.recommendation_id)
        if connection.execute(there.with_for_update()).first() is None:
            return None  # erased while the decision was read
        replaces = None if decision.decision == "rejected" else _in_force(connection, team_id, day)
        row = {
            "id": decision.recommendation_id,
            "recommendation_id": decision.recommendation_id,
            "decided_at": decision.decided_at,
            "key_id": decision.key_id,
            "decision": decision.decision,
            "reasons": {"codes": list(decision.reasons), "note": decision.note},
            "sessions": decision.sessions,
            "replaces": replaces,
        }
        kept = upsert(connection, DECISIONS).values(row).returning(DECISIONS.c.id)
        if connection.execute(kept).first() is not None and decision.decision != "rejected":
            replace_recorded_sessions(connection, team_id, day, [_past(team_id, day, each) for each in held])
        return _read(connection, decision.recommendation_id)


def find_decision(database: Database, recommendation_id: str) -> Decision | None:
    """The decision on a plan, or None."""
    with database.reading() as connection:
        return _read(connection, recommendation_id)


def _read(connection: Connection, recommendation_id: str) -> Decision | None:
    asked = select(DECISIONS).where(DECISIONS.c.id == recommendation_id)
    row = connection.execute(asked).mappings().one_or_none()
    if row is None:
        return None
    reasons: dict[str, Any] = row["reasons"]
    return Decision(
        recommendation_id=row["recommendation_id"],
        decided_at=row["decided_at"],
        key_id=row["key_id"],
        decision=row["decision"],
        reasons=tuple(reasons["codes"]),
        note=reasons["note"],
        sessions=row["sessions"],
        replaces=row["replaces"],
    )


def _in_force(connection: Connection, team_id: str, day: date) -> str | None:
    """The plan of a team's day that was accepted last."""
    plans = RECOMMENDATIONS.c
    asked = (
        select(plans.id)
        .join_from(RECOMMENDATIONS, DECISIONS, DECISIONS.c.id == plans.id)
        .where(plans.team_id == team_id, plans.date == day, DECISIONS.c.decision != "rejected")
        .order_by(DECISIONS.c.decided_at.desc(), plans.id)
    )
    found: str | None = connection.execute(asked.limit(1)).scalar()
    return found


def _past(team_id: str, day: date, session: Session) -> PastSession:
    """A session as one that happened; online nobody leads, whoever monitors."""
    lead = session.adults[0] if session.led else None
    return PastSession(day, team_id, session.block, lead, session.skill, session.students)
