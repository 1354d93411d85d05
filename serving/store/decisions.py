"""What people decided on each plan."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, false, func, select, update

from features.database import Database
from features.database.dialects import upsert
from features.roster import PastSession, find_gone, replace_recorded_sessions
from serving.grouping import SessionType
from serving.schemas.sessions import SessionSeats
from serving.store.forgetting import forget_in_text
from serving.store.tables import DECISIONS, RECOMMENDATION_STUDENTS, RECOMMENDATIONS

SESSIONS = list[SessionSeats]
"""The type of the sessions of a decision."""


@dataclass(frozen=True)
class Decision:
    """A decision on one plan.

    Attributes:
        recommendation_id: Id of the plan.
        decided_at: The moment of the decision, UTC.
        key_id: Id of the API key that sent the decision; None without one.
        decision: `accepted`, `edited` or `rejected`.
        reasons: Codes of the reasons.
        note: A note in the team's own words; None without one, once a student of the plan was erased, and where it has
            the id of somebody erased before.
        sessions: JSON of the sessions that count as held; an empty list where rejected.
        replaces: Id of the plan of the same team and date that was current before; None if there was none.
        awaits_signature: Whether its sessions count as held only once the team's leader has signed it.
        signed_at: The moment of the signature, UTC; None without one.
        signed_by: Id of the API key that signed; None without one.
    """

    recommendation_id: str
    decided_at: datetime
    key_id: str | None
    decision: str
    reasons: tuple[str, ...]
    note: str | None
    sessions: str
    replaces: str | None = None
    awaits_signature: bool = False
    signed_at: datetime | None = None
    signed_by: str | None = None

    @property
    def content(self) -> tuple[object, ...]:
        """The content of the decision, equal where the same decision is sent again."""
        return self.decision, self.reasons, self.note, json.loads(self.sessions)


def keep_decision(
    connection: Connection,
    decision: Decision,
    team_id: str,
    day: date,
    students: Collection[str],
) -> tuple[Decision, bool] | None:
    """Stores a decision and, unless it rejects, its sessions as those of the day, without students who were erased.

    Args:
        connection: A transaction of `changing(alone=True)`.
        decision: The decision as it was sent; `replaces` is found here.
        team_id: The team of the plan.
        day: The date of the plan in the school's time zone.
        students: Everybody of the day as it was read: who was erased since then may be linked to the plan no longer;
            who was erased before is linked until the erasure comes to the plans.

    Returns:
        The decision that is stored, which is an earlier one where there is one, and whether it says the same. None
        where the plan is gone.
    """
    plan = select(RECOMMENDATIONS.c.id).where(RECOMMENDATIONS.c.id == decision.recommendation_id)
    if connection.execute(plan.with_for_update()).first() is None:
        return None
    gone = find_gone(connection, students) | find_gone_of(connection, decision.recommendation_id)
    if gone:
        decision = replace(decision, note=None, sessions=forget_in_text(SESSIONS, decision.sessions, gone))
    elif decision.note and find_gone(connection, split_words(decision.note)):
        decision = replace(decision, note=None)
    counts = decision.decision != "rejected" and not decision.awaits_signature
    replaces = find_held_plan(connection, team_id, day) if counts else None
    row = {
        "id": decision.recommendation_id,
        "recommendation_id": decision.recommendation_id,
        "decided_at": decision.decided_at,
        "key_id": decision.key_id,
        "decision": decision.decision,
        "reasons": {"codes": list(decision.reasons), "note": decision.note},
        "sessions": decision.sessions,
        "replaces": replaces,
        "awaits_signature": decision.awaits_signature,
        "signed_at": decision.signed_at,
        "signed_by": decision.signed_by,
    }
    insertion = upsert(connection, DECISIONS).values(row).returning(DECISIONS.c.id)
    if connection.execute(insertion).first() is not None and counts:
        _record(connection, team_id, day, decision.sessions)
    stored = read_decision(connection, decision.recommendation_id)
    return None if stored is None else (stored, stored.content == decision.content)


def keep_signature(
    connection: Connection, recommendation_id: str, team_id: str, day: date, signed_at: datetime, key_id: str
) -> tuple[Decision, bool] | None:
    """Stores the leader's signature on a decision that awaits it; its sessions are those of the day from now on.

    Args:
        connection: A transaction of `changing(alone=True)`.
        recommendation_id: The plan.
        team_id: Its team.
        day: Its date in the school's time zone.
        signed_at: The moment of the signature, UTC.
        key_id: Id of the API key that signs.

    Returns:
        The decision, and whether it was signed just now; None where nobody accepted the plan.
    """
    decision = read_decision(connection, recommendation_id)
    if decision is None or decision.decision == "rejected":
        return None
    if not decision.awaits_signature:
        return decision, False
    replaces = find_held_plan(connection, team_id, day)
    signed = replace(decision, awaits_signature=False, signed_at=signed_at, signed_by=key_id, replaces=replaces)
    connection.execute(
        update(DECISIONS)
        .where(DECISIONS.c.id == recommendation_id)
        .values(awaits_signature=False, signed_at=signed_at, signed_by=key_id, replaces=replaces)
    )
    _record(connection, team_id, day, decision.sessions)
    return signed, True


def split_words(note: str) -> set[str]:
    """The words of a note, any of which may be an id, with and without the marks around them."""
    words = note.split()
    return {*words, *(word.strip(".,;:!?()[]'\"") for word in words)}


def find_decision(database: Database, recommendation_id: str) -> Decision | None:
    """The decision on a plan, or None."""
    with database.reading() as connection:
        return read_decision(connection, recommendation_id)


def find_gone_of(connection: Connection, recommendation_id: str) -> set[str]:
    """Students of a plan who were erased, while an erasure is at work; afterwards the plan does not know of them."""
    linked = select(RECOMMENDATION_STUDENTS.c.student_id).where(
        RECOMMENDATION_STUDENTS.c.recommendation_id == recommendation_id
    )
    return find_gone(connection, connection.execute(linked).scalars().all())


def read_decision(connection: Connection, recommendation_id: str) -> Decision | None:
    """The decision on a plan, without students who were erased; null where nobody decided."""
    query = select(DECISIONS).where(DECISIONS.c.id == recommendation_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    reasons: dict[str, Any] = row["reasons"]
    gone = find_gone_of(connection, recommendation_id)
    return Decision(
        recommendation_id=row["recommendation_id"],
        decided_at=row["decided_at"],
        key_id=row["key_id"],
        decision=row["decision"],
        reasons=tuple(reasons["codes"]),
        note=None if gone else reasons["note"],
        sessions=forget_in_text(SESSIONS, row["sessions"], gone),
        replaces=row["replaces"],
        awaits_signature=bool(row["awaits_signature"]),
        signed_at=row["signed_at"],
        signed_by=row["signed_by"],
    )


def find_held_plan(connection: Connection, team_id: str, day: date) -> str | None:
    """The id of the current plan of a team's day: the last one that was accepted, edited or not, or signed since."""
    plans = RECOMMENDATIONS.c
    query = (
        select(plans.id)
        .join_from(RECOMMENDATIONS, DECISIONS, DECISIONS.c.id == plans.id)
        .where(
            plans.team_id == team_id,
            plans.date == day,
            DECISIONS.c.decision != "rejected",
            func.coalesce(DECISIONS.c.awaits_signature, false()) == false(),
        )
        .order_by(func.coalesce(DECISIONS.c.signed_at, DECISIONS.c.decided_at).desc(), plans.id)
    )
    found: str | None = connection.execute(query.limit(1)).scalar()
    return found


def _record(connection: Connection, team_id: str, day: date, sessions: str) -> None:
    record_sessions(connection, team_id, day, TypeAdapter(SESSIONS).validate_json(sessions))


def record_sessions(connection: Connection, team_id: str, day: date, seats: Iterable[SessionSeats]) -> None:
    """Puts sessions in place of those recorded of a day; nobody leads online work, also where supervised.

    Args:
        connection: A transaction of `changing(alone=True)`.
        team_id: The team.
        day: The school's own date.
        seats: The sessions that count as held.
    """
    past = [
        PastSession(
            day,
            team_id,
            each.block_id,
            None if each.session_type is SessionType.ONLINE else each.adults[0],
            each.skill_id,
            tuple(each.students),
            each.room_id,
        )
        for each in seats
    ]
    replace_recorded_sessions(connection, team_id, day, past)
