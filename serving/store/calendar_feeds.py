"""Calendars of adults under a secret address: who may read which, as they are stored, without their secrets."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import and_, insert, select, update

from features.database import Database
from features.errors import MissingError
from serving.store.tables import API_KEYS, CALENDAR_FEEDS

REVOKED_KEYS = select(API_KEYS.c.key_id).where(API_KEYS.c.revoked_at.is_not(None))

IS_VALID = and_(CALENDAR_FEEDS.c.revoked_at.is_(None), CALENDAR_FEEDS.c.key_id.not_in(REVOKED_KEYS))
"""Whether an address is still answered: what a key made ends with it where the key is revoked, so that who should see
nothing any more has no address left; it outlives a key whose time is over, since a calendar is read all year."""


@dataclass(frozen=True, slots=True)
class CalendarFeed:
    """One address; times are UTC.

    Attributes:
        feed_id: The part of the address that identifies it; no secret.
        secret_hash: SHA-256 hash of the secret.
        team_id: The team.
        staff_id: The adult whose sessions it has.
        names: Whether it may show names of students.
        key_id: Id of the key that made it.
        created_at: The moment at which it was made.
        revoked_at: The moment from which it is refused; None where it is not.
    """

    feed_id: str
    secret_hash: bytes
    team_id: str
    staff_id: str
    names: bool
    key_id: str
    created_at: datetime
    revoked_at: datetime | None = None


def save_feed(database: Database, feed: CalendarFeed) -> None:
    """Stores a new address.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    with database.changing() as connection:
        connection.execute(insert(CALENDAR_FEEDS).values(**asdict(feed)))


def find_feed(database: Database, feed_id: str) -> CalendarFeed | None:
    """The address with an id; None where there is none, or it or the key that made it is revoked."""
    query = select(CALENDAR_FEEDS).where(CALENDAR_FEEDS.c.feed_id == feed_id, IS_VALID)
    try:
        with database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
    except MissingError:
        return None
    return None if row is None else CalendarFeed(**row)


def list_feeds(database: Database, team_id: str) -> tuple[CalendarFeed, ...]:
    """The addresses of a team that are answered, the oldest first."""
    feeds = CALENDAR_FEEDS.c
    query = select(CALENDAR_FEEDS).where(feeds.team_id == team_id, IS_VALID)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(feeds.created_at, feeds.feed_id)).mappings().all()
    return tuple(CalendarFeed(**row) for row in rows)


def revoke_feed(database: Database, team_id: str, feed_id: str, now: datetime) -> bool:
    """Revokes an address of a team and returns whether there was one."""
    feeds = CALENDAR_FEEDS.c
    named = (feeds.feed_id == feed_id, feeds.team_id == team_id, feeds.revoked_at.is_(None))
    with database.changing() as connection:
        return connection.execute(update(CALENDAR_FEEDS).where(*named).values(revoked_at=now)).rowcount == 1
