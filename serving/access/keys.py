"""Issues API keys and reads their text; only a hash of a key's secret is stored."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from features.database import Database
from serving.access.caller import Scope
from serving.store.keys import StoredKey, save_key

PATTERN = re.compile(r"rg_([0-9a-f]{16})_([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key with its secret, as its holder has it.

    Attributes:
        key_id: 16 hexadecimal digits that find the key; no secret.
        secret: 64 hexadecimal digits, which stay out of logs and of the `repr`.
    """

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"ApiKey({self.key_id})"

    def reveal(self) -> str:
        """The whole text of the key, to be shown once."""
        return f"rg_{self.key_id}_{self.secret}"

    def digest(self) -> bytes:
        """The SHA-256 hash of the secret, which is stored instead of it."""
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, digest: bytes) -> bool:
        """Whether the secret has this hash; the comparison takes the same time whichever byte differs."""
        return hmac.compare_digest(self.digest(), digest)


def make_key() -> ApiKey:
    """A new random key."""
    return ApiKey(secrets.token_hex(8), secrets.token_hex(32))


def parse_key(text: str) -> ApiKey | None:
    """The key of a text; None where the text does not have the form of a key.

    Example:
        >>> parse_key("rg_" + "0" * 16 + "_" + "f" * 64)
        ApiKey(0000000000000000)
    """
    found = PATTERN.fullmatch(text)
    return None if found is None else ApiKey(*found.groups())


def issue_key(
    database: Database,
    name: str,
    scopes: Sequence[Scope],
    schools: Sequence[str] | None = None,
    *,
    expires_at: datetime | None = None,
    per_minute: int | None = None,
    staff_id: str | None = None,
    teams: Sequence[str] | None = None,
) -> ApiKey:
    """Stores a new key, valid from now on, and returns it; its secret is nowhere else.

    Args:
        database: The service's database.
        name: The name of who will hold the key, for people.
        scopes: What the key may be used for.
        schools: The schools that the key may be used for; None for all.
        expires_at: The moment from which the key is refused, in UTC; None for never.
        per_minute: The requests that the key may make; None for as many as the service allows any key.
        staff_id: The adult whose own key it is; None where it is of no certain one.
        teams: The ids of the teams of these schools that the key may be used for; None for all.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
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
            staff_id=staff_id,
            teams=None if teams is None else tuple(dict.fromkeys(teams)),
        ),
    )
    return key
