"""API keys as they are stored, without their secrets."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from features.database import Database
from features.errors import MissingError
from serving.store.tables import API_KEYS


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One API key; times are UTC.

    Attributes:
        key_id: The part of the key that identifies it.
        secret_hash: SHA-256 hash of the secret.
        name: The name of who holds the key, for people.
        scopes: What the key may be used for.
        schools: The schools that the key may be used for; None for all.
        per_minute: Requests allowed in a minute; None for as many as the service allows any key.
        created_at: The moment at which the key was issued.
        expires_at: The moment from which the key is refused; None for never.
        revoked_at: The moment at which the key was revoked; None where it was not.
        staff_id: The adult whose own key it is; None where it is of no certain one.
        teams: The ids of the teams of these schools that the key may be used for; None for all.
    """

    key_id: str
    secret_hash: bytes
    name: str
    scopes: tuple[str, ...]
    schools: tuple[str, ...] | None
    per_minute: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None
    staff_id: str | None = None
    teams: tuple[str, ...] | None = None

    def state(self, now: datetime) -> str:
        """The state of the key at a moment: `valid`, `expired` or `revoked`."""
        if self.revoked_at is not None and now >= self.revoked_at:
            return "revoked"
        return "valid" if self.expires_at is None or now < self.expires_at else "expired"


def save_key(database: Database, key: StoredKey) -> None:
    """Stores a new key.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    row = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(key).items()}
    with database.changing() as connection:
        connection.execute(insert(API_KEYS).values(**row))


def list_keys(database: Database) -> tuple[StoredKey, ...]:
    """All keys that were ever issued, the oldest first; none where there is no database yet.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    try:
        with database.reading() as connection:
            rows = connection.execute(select(API_KEYS)).mappings().all()
    except MissingError:
        return ()
    return tuple(sorted(map(_to_key, rows), key=lambda key: (key.created_at, key.key_id)))


def revoke_key(database: Database, key_id: str, now: datetime) -> bool:
    """Revokes a key and returns whether there is such a key; a second revocation changes nothing.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    named = API_KEYS.c.key_id == key_id
    with database.changing() as connection:
        if connection.execute(select(API_KEYS.c.key_id).where(named)).first() is None:
            return False
        connection.execute(update(API_KEYS).where(named, API_KEYS.c.revoked_at.is_(None)).values(revoked_at=now))
    return True


def _to_key(row: RowMapping) -> StoredKey:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return StoredKey(**values)
