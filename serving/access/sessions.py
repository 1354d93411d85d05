"""Sessions of people who signed in to the board: what their cookie says, signed with the hash of their key's secret.

So a session needs no table and no secret of its own: every process knows the hash, a restart changes nothing, and with
the key all its sessions end. Who knows the key could make a session, and may.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from typing import Self

IDLE_S = 3600
"""Seconds without a request after which a session ends: a lesson and a break."""

LONGEST_S = 12 * 3600
"""Seconds after which a session ends in any case."""

RENEW_S = 60
"""Seconds from which on a request renews the cookie."""

FORM = re.compile(r"([0-9a-f]{16})\.(\d{1,12})\.(\d{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class BoardSession:
    """One session.

    Attributes:
        key_id: Id of the key that signed in.
        begun_at: When it began, in seconds since 1970.
        seen_at: When it was last renewed, likewise.
        nonce: 32 hexadecimal digits that no other session has.
    """

    key_id: str
    begun_at: int
    seen_at: int
    nonce: str

    @classmethod
    def begin(cls, key_id: str, now: float) -> Self:
        """A new session."""
        return cls(key_id, int(now), int(now), secrets.token_hex(16))

    def renewed(self, now: float) -> Self:
        """The same session, seen now."""
        return replace(self, seen_at=int(now))

    def is_over(self, now: float) -> bool:
        """Whether nobody was seen for too long, or the session is too old.

        Example:
            >>> [BoardSession("k", 0, 0, "n").is_over(moment) for moment in (IDLE_S, IDLE_S + 1)]
            [False, True]
        """
        return now - self.seen_at > IDLE_S or now - self.begun_at > LONGEST_S

    def csrf_token(self, secret_hash: bytes) -> str:
        """What every form of the session has to send; pages of others cannot know it."""
        return _sign(secret_hash, f"form.{self.key_id}.{self.nonce}")

    def to_cookie(self, secret_hash: bytes) -> str:
        """The text of the cookie."""
        text = f"{self.key_id}.{self.begun_at}.{self.seen_at}.{self.nonce}"
        return f"{text}.{_sign(secret_hash, text)}"


def read_key_id(cookie: str) -> str | None:
    """The id of the key that a cookie claims; null where it has not the form of one."""
    found = FORM.fullmatch(cookie)
    return None if found is None else found[1]


def read_cookie(cookie: str, secret_hash: bytes) -> BoardSession | None:
    """The session of a cookie; null where it was not signed with this hash.

    Example:
        >>> session = BoardSession.begin("0" * 16, 1_800_000_000)
        >>> read_cookie(session.to_cookie(b"hash"), b"hash") == session
        True
        >>> read_cookie(session.to_cookie(b"hash"), b"other") is None
        True
    """
    found = FORM.fullmatch(cookie)
    if found is None or not hmac.compare_digest(_sign(secret_hash, cookie.rpartition(".")[0]), found[5]):
        return None
    return BoardSession(found[1], int(found[2]), int(found[3]), found[4])


def _sign(secret_hash: bytes, text: str) -> str:
    return hmac.new(secret_hash, f"regroup board {text}".encode(), hashlib.sha256).hexdigest()
