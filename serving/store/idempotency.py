"""Idempotency keys, with which callers repeat a request safely; one request at a time claims a key.

A claim has the moment at which it was made. A request that takes over a claim whose process died moves that moment, so
that the first request, should it be alive after all, can no longer finish.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, CursorResult, and_, delete, select, tuple_, update

from features.database import Database
from features.database.dialects import upsert
from serving.store.tables import IDEMPOTENCY

PRUNED_AT_ONCE = 200
"""The most old keys that one transaction removes, so that no request waits long for it."""


@dataclass(frozen=True)
class Claim:
    """The right of one request to answer a key.

    Attributes:
        owner: Id of the caller's API key; empty without one.
        key: The idempotency key, as the caller chose it.
        body_hash: Hash of the request's body.
        started_at: The moment of the claim, UTC; no other claim of this key has the same.
    """

    owner: str
    key: str
    body_hash: str
    started_at: datetime


@dataclass(frozen=True)
class StoredAnswer:
    """The stored answer to a key: a plan, since a refusal holds for one moment only and is never stored.

    Attributes:
        status: The HTTP status.
        recommendation_id: Id of the plan that was made.
        location: Its address.
    """

    status: int
    recommendation_id: str
    location: str


def claim_key(
    connection: Connection, claim: Claim, *, kept: timedelta, takeover: timedelta
) -> Claim | StoredAnswer | Literal["in_flight", "other_body"]:
    """Claims a key, or returns why it cannot be claimed.

    Args:
        connection: A transaction, which may also note that the answer is shown.
        claim: The claim, with the present moment.
        kept: How long answers are stored.
        takeover: Age at which a claim counts as lost with its process.

    Returns:
        The claim where the key is new or its claim was lost; the answer where there is one; else the reason.
    """
    prune_keys(connection, claim.started_at - kept)
    row = {
        "owner": claim.owner,
        "idempotency_key": claim.key,
        "body_hash": claim.body_hash,
        "started_at": claim.started_at,
    }
    # not the row count, which psycopg's INSERT leaves at -1
    insertion = upsert(connection, IDEMPOTENCY).values(row).returning(IDEMPOTENCY.c.owner)
    if connection.execute(insertion).first() is not None:
        return claim
    found = connection.execute(select(IDEMPOTENCY).where(_has_key(claim))).one_or_none()
    if found is None:
        return "in_flight"  # given up between both statements; the caller has to ask again
    if found.body_hash != claim.body_hash:
        return "other_body"
    if found.status is not None:
        return StoredAnswer(found.status, found.recommendation_id, found.location)
    if found.started_at > claim.started_at - takeover:
        return "in_flight"
    lost = and_(_has_key(claim), IDEMPOTENCY.c.status.is_(None), IDEMPOTENCY.c.started_at == found.started_at)
    taken = connection.execute(update(IDEMPOTENCY).where(lost).values(started_at=claim.started_at)).rowcount
    return claim if taken else "in_flight"


def finish_claim(connection: Connection, claim: Claim, answer: StoredAnswer) -> bool:
    """Stores the answer within a transaction; returns False where the claim was taken over meanwhile."""
    values = asdict(answer)
    done: CursorResult[tuple[()]] = connection.execute(update(IDEMPOTENCY).where(_is_open(claim)).values(values))
    return done.rowcount == 1


def give_up_claim(database: Database, claim: Claim) -> None:
    """Frees the key for the next request; nothing happens where the claim was taken over."""
    with database.changing() as connection:
        connection.execute(delete(IDEMPOTENCY).where(_is_open(claim)))


def _has_key(claim: Claim) -> ColumnElement[bool]:
    return and_(IDEMPOTENCY.c.owner == claim.owner, IDEMPOTENCY.c.idempotency_key == claim.key)


def _is_open(claim: Claim) -> ColumnElement[bool]:
    return and_(_has_key(claim), IDEMPOTENCY.c.started_at == claim.started_at, IDEMPOTENCY.c.status.is_(None))


def prune_keys(connection: Connection, before: datetime) -> int:
    """Removes some old keys, and returns how many.

    PostgreSQL skips those that another transaction has locked, so that nobody waits.
    """
    keys = IDEMPOTENCY.c.owner, IDEMPOTENCY.c.idempotency_key
    old = select(*keys).where(IDEMPOTENCY.c.started_at < before).limit(PRUNED_AT_ONCE).with_for_update(skip_locked=True)
    return connection.execute(delete(IDEMPOTENCY).where(tuple_(*keys).in_(old))).rowcount
