"""Makes keys and keeps them."""

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

FORM = re.compile(r"rg_([0-9a-f]{16})_([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyText:
    """One key as its holder has it.

    Attributes:
        key_id: 16 hexadecimal digits that find the key.
        secret: 64 hexadecimal digits; stays out of logs and of the `repr`.
    """

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyText({self.key_id})"

    def reveal(self) -> str:
        """The whole key, to be shown once."""
        return f"rg_{self.key_id}_{self.secret}"

    def digest(self) -> bytes:
        """What is kept of the secret."""
        return hashlib.sha256(self.secret.encode()).digest()

    def fits(self, digest: bytes) -> bool:
        """Whether this is the secret that was kept; takes as long whichever byte differs."""
        return hmac.compare_digest(self.digest(), digest)


def make_key() -> KeyText:
    """A key that nobody had before."""
    return KeyText(secrets.token_hex(8), secrets.token_hex(32))


def read_key(text: str) -> KeyText | None:
    """The parts of a key; null where the text has another form.

    Example:
        >>> read_key("rg_" + "0" * 16 + "_" + "f" * 64)
        KeyText(0000000000000000)
    """
    found = FORM.fullmatch(text)
    return None if found is None else KeyText(*found.groups())


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
