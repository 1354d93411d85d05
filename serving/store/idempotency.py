"""Keys by which callers ask again for what they may have been answered already, each claimed by one request at a time.

A claim holds the moment at which it was made. Whoever takes over a claim whose process died moves that moment, so that
the first, should it live after all, finds that it may not finish any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, CursorResult, and_, delete, select, tuple_, update

from features.database import Database
from features.database.dialects import upsert
from serving.store.tables import IDEMPOTENCY, RECOMMENDATIONS

PRUNED_AT_ONCE = 200
"""Old keys that one claim removes, so that no request waits long for it."""


@dataclass(frozen=True)
class Claim:
    """One request's right to answer a key.

    Attributes:
        owner: Id of the caller's API key; empty without one.
        key: As the caller chose it.
        body_hash: Of what is asked for.
        started_at: UTC; nobody else holds a claim of this key with this moment.
    """

    owner: str
    key: str
    body_hash: str
    started_at: datetime


@dataclass(frozen=True)
class Kept:
    """What a key was answered.

    Attributes:
        status: Of HTTP.
        answer: JSON; null for a plan that was erased since.
        location: Address of what was made; null for a refusal.
    """

    status: int
    answer: str | None
    location: str | None


def claim_key(
    database: Database, claim: Claim, *, kept: timedelta, takeover: timedelta
) -> Claim | Kept | Literal["in_flight", "other_body"]:
    """Claims a key, or tells what stands against it.

    Args:
        database: Of the service.
        claim: Made by now.
        kept: How long answers are kept.
        takeover: After which a claim counts as lost with its process.

    Returns:
        The claim where the key is free, new or lost; the answer where there is one; why not otherwise.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    with database.changing() as connection:
        _prune(connection, claim.started_at - kept)
        row = {
            "owner": claim.owner,
            "idempotency_key": claim.key,
            "body_hash": claim.body_hash,
            "started_at": claim.started_at,
        }
        # not the row count, which psycopg's INSERT leaves at -1
        new = upsert(connection, IDEMPOTENCY).values(row).returning(IDEMPOTENCY.c.owner)
        if connection.execute(new).first() is not None:
            return claim
        found = connection.execute(select(IDEMPOTENCY).where(_of(claim))).one_or_none()
        if found is None:
            return "in_flight"  # given up between both statements; the caller asks again
        if found.body_hash != claim.body_hash:
            return "other_body"
        if found.status is not None:
            return _read(connection, found.status, found.answer, found.location, found.recommendation_id)
        if found.started_at > claim.started_at - takeover:
            return "in_flight"
        lost = and_(_of(claim), IDEMPOTENCY.c.status.is_(None), IDEMPOTENCY.c.started_at == found.started_at)
        taken = connection.execute(update(IDEMPOTENCY).where(lost).values(started_at=claim.started_at)).rowcount
        return claim if taken else "in_flight"


def finish_claim(
    connection: Connection,
    claim: Claim,
    status: int,
    *,
    answer: str | None = None,
    location: str | None = None,
    recommendation_id: str | None = None,
) -> bool:
    """Keeps the answer within a change that may hold more; False where the claim was taken over meanwhile."""
    values = {"status": status, "answer": answer, "location": location, "recommendation_id": recommendation_id}
    done: CursorResult[tuple[()]] = connection.execute(update(IDEMPOTENCY).where(_mine(claim)).values(values))
    return done.rowcount == 1


def give_up_claim(database: Database, claim: Claim) -> None:
    """Frees the key for whoever asks next; nothing happens where the claim was taken over."""
    with database.changing() as connection:
        connection.execute(delete(IDEMPOTENCY).where(_mine(claim)))


def _of(claim: Claim) -> ColumnElement[bool]:
    return and_(IDEMPOTENCY.c.owner == claim.owner, IDEMPOTENCY.c.idempotency_key == claim.key)


def _mine(claim: Claim) -> ColumnElement[bool]:
    return and_(_of(claim), IDEMPOTENCY.c.started_at == claim.started_at, IDEMPOTENCY.c.status.is_(None))


def _read(
    connection: Connection, status: int, answer: str | None, location: str | None, recommendation_id: str | None
) -> Kept:
    if recommendation_id is not None:
        plans = RECOMMENDATIONS.c
        answer = connection.execute(select(plans.answer).where(plans.id == recommendation_id)).scalar()
    return Kept(status, answer, location)


def _prune(connection: Connection, before: datetime) -> None:
    """Removes keys of long ago; PostgreSQL skips those that somebody else is at, so that nobody waits."""
    keys = IDEMPOTENCY.c.owner, IDEMPOTENCY.c.idempotency_key
    old = select(*keys).where(IDEMPOTENCY.c.started_at < before).limit(PRUNED_AT_ONCE).with_for_update(skip_locked=True)
    connection.execute(delete(IDEMPOTENCY).where(tuple_(*keys).in_(old)))
