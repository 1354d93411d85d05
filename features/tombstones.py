"""Tombstones: a keyed hash per erased student, so that late events of the student are recognized and dropped.

Ids of students are often short and guessable, so a plain hash could be turned back by trying all of them. The hash
is keyed with random bytes of this installation. A reader of the whole database can still ask whether one certain id was
erased; that is what the table is for.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, insert, select

from features.database import Database
from features.database.dialects import UtcTime, in_parts
from features.errors import MissingError

METADATA = MetaData()

TOMBSTONES = Table(
    "erased_students",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("salt", LargeBinary(32), nullable=False),  # the installation's, the same in every row
    Column("erased_at", UtcTime, nullable=False),
)


@dataclass(frozen=True)
class Tombstones:
    """Which students were erased.

    Attributes:
        salt: The installation's key of the hashes; empty before the first erasure.
        digests: The hash of each erased student's id.
    """

    salt: bytes = b""
    digests: frozenset[str] = frozenset()

    def among(self, student_ids: Iterable[str]) -> set[str]:
        """Which of the students were erased.

        Example:
            >>> Tombstones(b"salt", frozenset({digest_of("007", b"salt")})).among(["007", "7"])
            {'007'}
        """
        if not self.digests:
            return set()
        return {student_id for student_id in student_ids if digest_of(student_id, self.salt) in self.digests}


NOBODY = Tombstones()


def digest_of(student_id: str, salt: bytes) -> str:
    """64 hexadecimal digits that only this installation's salt connects with the student."""
    return hashlib.blake2b(student_id.encode("utf-8", "surrogatepass"), key=salt, digest_size=32).hexdigest()


def read_tombstones(source: Connection | Database) -> Tombstones:
    """The tombstones of all erased students; none where there are no tables yet.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    if isinstance(source, Database):
        try:
            with source.reading() as connection:
                return read_tombstones(connection)
        except MissingError:
            return NOBODY
    rows = source.execute(select(TOMBSTONES.c.digest, TOMBSTONES.c.salt)).all()
    return Tombstones(rows[0].salt, frozenset(row.digest for row in rows)) if rows else NOBODY


def find_erased(connection: Connection, student_ids: Iterable[str]) -> set[str]:
    """Which of the students were erased, without reading the tombstones of all others."""
    asked = list(student_ids)
    salt = connection.execute(select(TOMBSTONES.c.salt).limit(1)).scalar() if asked else None
    if salt is None:
        return set()
    by_digest = {digest_of(student_id, salt): student_id for student_id in asked}
    found = set[str]()
    for some in in_parts(by_digest):
        among = TOMBSTONES.c.digest.in_(some)
        found.update(connection.execute(select(TOMBSTONES.c.digest).where(among)).scalars())
    return {by_digest[digest] for digest in found}


def add_tombstone(connection: Connection, student_id: str, erased_at: datetime, salt: bytes | None = None) -> None:
    """Records that a student was erased, in a change that is `erasing`; a second time changes nothing.

    Args:
        connection: A transaction.
        student_id: The student.
        erased_at: The moment, in UTC.
        salt: The installation's key where the database holds no erasure yet; without it, a new one.
    """
    if not find_erased(connection, [student_id]):
        stored = connection.execute(select(TOMBSTONES.c.salt).limit(1)).scalar()
        salt = stored or salt or secrets.token_bytes(32)
        row = {"digest": digest_of(student_id, salt), "salt": salt, "erased_at": erased_at}
        connection.execute(insert(TOMBSTONES).values(row))
