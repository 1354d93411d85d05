"""The numbers that stand for ids of students in what experiments keep, and the salt between the two."""

import hashlib
import secrets
from collections.abc import Iterable
from contextlib import suppress
from tempfile import NamedTemporaryFile

import numpy as np
import numpy.typing as npt

from features.home import Home

Numbers = npt.NDArray[np.int64]

SALT_BYTES = 32


def number_ids(salt: bytes, ids: Iterable[str], purpose: str) -> Numbers:
    """Returns a number for each id, from which nobody without the salt gets back to it.

    Args:
        salt: What the ids are hashed with.
        ids: Ids of students or of events.
        purpose: What the numbers are for; those of two purposes know nothing of each other.

    Example:
        >>> number_ids(b"salt", ["ann", "bob", "ann"], "fold") % 5
        array([2, 1, 2])
    """
    digests = (hashlib.blake2b(f"{purpose} {text}".encode(), digest_size=8, key=salt).digest() for text in ids)
    return (np.frombuffer(b"".join(digests), "<u8") >> np.uint64(1)).astype(np.int64)


def read_salt(home: Home, name: str) -> bytes:
    """The secret of this home with this name, made on first use."""
    home.make()
    path = home.experiments / "salts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with NamedTemporaryFile(dir=path.parent, prefix=".") as draft:
            draft.write(secrets.token_bytes(SALT_BYTES))
            draft.flush()
            with suppress(FileExistsError):  # another process was first; both have its salt
                path.hardlink_to(draft.name)
    return path.read_bytes()
