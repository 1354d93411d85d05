"""Who was erased: a keyed hash per student, so that late events of the student are known and dropped.

Ids of students are often short and guessable, so a plain hash could be turned back by trying all of them. The hash
is keyed with random bytes of this installation: the table alone, in a copy or in another installation, tells
nothing. Whoever has the whole database can still ask whether one given id was erased; that is what the table is for.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, select
from sqlalchemy import insert as add

from features.database import Database
from features.database.dialects import UtcTime
from features.errors import MissingError

METADATA = MetaData()

ERASED = Table(
    "erased_students",
    METADATA,
    Column("digest", String(64), primary_key=True),  # of the id; the id itself is gone
    Column("salt", LargeBinary(32), nullable=False),  # of the installation, the same in every row
    Column("erased_at", UtcTime, nullable=False),
)


@dataclass(frozen=True)
class Erased:
    """Who was erased.

    Attributes:
        salt: Of the installation; empty before the first erasure.
        digests: One per student.
    """

    salt: bytes = b""
    digests: frozenset[str] = field(default_factory=frozenset)

    def among(self, student_ids: Iterable[str]) -> set[str]:
        """Those of the students that were erased.

        Example:
            >>> Erased(b"salt", frozenset({digest_of("007", b"salt")})).among(["007", "7"])
            {'007'}
        """
        if not self.digests:
            return set()
        return {each for each in student_ids if digest_of(each, self.salt) in self.digests}


NOBODY = Erased()


def digest_of(student_id: str, salt: bytes) -> str:
    """64 hexadecimal digits that only this installation's salt connects with the student."""
    return hashlib.blake2b(student_id.encode("utf-8", "surrogatepass"), key=salt, digest_size=32).hexdigest()


def read_erased(where: Connection | Database) -> Erased:
    """Everybody who was erased; nobody where there are no tables yet.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    if isinstance(where, Database):
        try:
            with where.reading() as connection:
                return read_erased(connection)
        except MissingError:
            return NOBODY
    rows = where.execute(select(ERASED.c.digest, ERASED.c.salt)).all()
    return Erased(rows[0].salt, frozenset(each.digest for each in rows)) if rows else NOBODY


def note_erased(connection: Connection, student_id: str, at: datetime) -> None:
    """Remembers that a student was erased; a second time changes nothing."""
    known = read_erased(connection)
    if not known.among([student_id]):
        salt = known.salt or secrets.token_bytes(32)
        connection.execute(add(ERASED).values(digest=digest_of(student_id, salt), salt=salt, erased_at=at))
