"""Makes keys and keeps them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from features.database import Database
from serving.access.caller import Scope
from serving.access.key_text import KeyText, make_key
from serving.store.keys import StoredKey, save_key


def issue_key(
    database: Database,
    name: str,
    scopes: Sequence[Scope],
    schools: Sequence[str] | None = None,
    *,
    expires_at: datetime | None = None,
    per_minute: int | None = None,
) -> KeyText:
    """A new key that counts from now on; its text exists nowhere but in the answer.

    Args:
        database: Of the service.
        name: Of who will hold it, for people.
        scopes: What it may be used for.
        schools: What it may be used about; null = all schools.
        expires_at: In UTC, from when on it is refused; null = never.
        per_minute: Requests; null = as many as the service allows any key.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    key = make_key()
    save_key(
        database,
        StoredKey(
            key_id=key.key_id,
            secret_hash=key.digest(),
            name=name,
            scopes=tuple(dict.fromkeys(map(str, scopes))),
            schools=None if schools is None else tuple(dict.fromkeys(schools)),
            per_minute=per_minute,
            created_at=datetime.now(UTC),
            expires_at=expires_at,
        ),
    )
    return key
