"""The text of an API key, `rg_<key_id>_<secret>`, and what of it is kept.

The secret has 256 random bits, so nobody can try it out, and one SHA-256 of it is as good a thing to keep as a slow
hash of a password, which is meant for texts that people choose; each request can then be checked in microseconds.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

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

    def tell(self) -> str:
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
