"""API keys as they are kept: without their secrets."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import insert, select, update

from features.database import Database
from features.errors import MissingError
from serving.store.tables import API_KEYS


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One API key; times are UTC.

    Attributes:
        key_id: Finds it.
        secret_hash: SHA-256 of its secret.
        name: Of who holds it, for people.
        scopes: What it may be used for.
        schools: What it may be used about; null = all schools.
        per_minute: Requests; null = as many as the service allows any key.
        created_at: When it was issued.
        expires_at: From when on it is refused; null = never.
        revoked_at: Likewise; null = it was not revoked.
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

    def state(self, now: datetime) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revoked_at is not None and now >= self.revoked_at:
            return "revoked"
        return "valid" if self.expires_at is None or now < self.expires_at else "expired"


def save_key(database: Database, key: StoredKey) -> None:
    """Keeps a new key.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    row = {**asdict(key), "scopes": list(key.scopes), "schools": None if key.schools is None else list(key.schools)}
    with database.changing() as connection:
        connection.execute(insert(API_KEYS).values(**row))


def list_keys(database: Database) -> tuple[StoredKey, ...]:
    """All keys that were ever issued, the oldest first; none where there is no database yet.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    try:
        with database.reading() as connection:
            rows = connection.execute(select(API_KEYS)).mappings().all()
    except MissingError:
        return ()
    keys = [_stored({name: row[name] for name in _NAMES}) for row in rows]
    return tuple(sorted(keys, key=lambda key: (key.created_at, key.key_id)))


def revoke_key(database: Database, key_id: str, now: datetime) -> bool:
    """Has a key refused from now on, and says whether there is such a key; the first revocation counts.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    named = API_KEYS.c.key_id == key_id
    with database.changing() as connection:
        if connection.execute(select(API_KEYS.c.key_id).where(named)).first() is None:
            return False
        connection.execute(update(API_KEYS).where(named, API_KEYS.c.revoked_at.is_(None)).values(revoked_at=now))
    return True


_NAMES = tuple(each.name for each in fields(StoredKey))


def _stored(row: dict[str, object]) -> StoredKey:
    for name in ("scopes", "schools"):
        value = row[name]
        row[name] = tuple(value) if isinstance(value, list) else None
    return StoredKey(**row)  # type: ignore[arg-type]  # the columns have the types of the fields
