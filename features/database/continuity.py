"""Whether the database still goes on from what a process has seen of it.

A restored back-up looks like a database, and a process that goes on with what it remembers would answer from a past
that is gone. So the database has an identity: the installation, an epoch, and a count of changes. A count that has
gone back shows a restore; whoever sees that begins another epoch, which tells all other processes.
"""

import json
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from sqlalchemy import BigInteger, Column, Connection, MetaData, Row, String, Table, select, text, update

from features.errors import DatabaseAwayError

METADATA = MetaData()

IDENTITY = Table(
    "database_identity",
    METADATA,
    Column("installation", String(32), primary_key=True),  # random; one row, made with the table
    Column("epoch", String(32), nullable=False),  # random; another one after each restore that was noticed
    Column("changes", BigInteger, nullable=False),  # transactions that changed something; see `COUNTER`
)

COUNTER = "database_changes"
"""PostgreSQL's sequence that counts changes there, since a row would make every change wait for the one before."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a database says of itself at one moment.

    Attributes:
        installation: Never changes, in a back-up neither.
        epoch: Changes when a restore is noticed.
        changes: Grows with every change; a transaction that fails may count too.
    """

    installation: str
    epoch: str
    changes: int

    def continues(self, before: Self) -> bool:
        """Whether this may be a later moment of the same past.

        Example:
            >>> before = Identity("school", "first", 7)
            >>> Identity("school", "first", 9).continues(before), Identity("school", "first", 6).continues(before)
            (True, False)
        """
        return (self.installation, self.epoch) == (before.installation, before.epoch) and self.changes >= before.changes


def read_identity(connection: Connection) -> Identity:
    """The identity as the transaction sees it.

    Raises:
        DatabaseAwayError: There is none, as in the middle of a restore.
    """
    if connection.dialect.name == "sqlite":
        return _to_identity(connection.execute(select(IDENTITY)).first())
    asked = text(f"SELECT i.installation, i.epoch, c.last_value AS changes FROM database_identity i, {COUNTER} c")  # noqa: S608
    return _to_identity(connection.execute(asked).first())


def count_change(connection: Connection) -> Identity:
    """The identity after one more change, that of the transaction.

    Raises:
        DatabaseAwayError: As for `read_identity`.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(update(IDENTITY).values(changes=IDENTITY.c.changes + 1))
        return read_identity(connection)
    asked = text(f"SELECT installation, epoch, nextval('{COUNTER}') AS changes FROM database_identity")  # noqa: S608
    return _to_identity(connection.execute(asked).first())


def begin_epoch(connection: Connection, identity: Identity) -> Identity:
    """The identity with a new epoch."""
    begun = replace(identity, epoch=secrets.token_hex(16))
    connection.execute(update(IDENTITY).values(epoch=begun.epoch))
    return begun


@dataclass(frozen=True, slots=True)
class Marker:
    """A file outside the database that says which one a home was used with, so that no other takes its place.

    Attributes:
        path: The file.
        database: The URL of the database, without its password.
    """

    path: Path
    database: str

    def read(self) -> str | None:
        """The installation; None where the home was never used with a database at this URL."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return str(found["installation"]) if found["database"] == self.database else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, installation: str) -> None:
        """Notes the installation; a file that cannot be written protects nothing, and nothing else depends on it."""
        if self.read() == installation:
            return
        draft = self.path.with_name(f".{self.path.name}-{secrets.token_hex(4)}")
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            content = {"database": self.database, "installation": installation}
            draft.write_text(json.dumps(content) + "\n", encoding="utf-8")
            draft.replace(self.path)


class Continuity:
    """What a process has seen of its database, for all its threads.

    Args:
        name: The database, for people.
        marker: Where the installation is noted; None for nowhere.

    Attributes:
        restarts: How often another past was found than the one seen before; what was read earlier is of no use then.
        installation: The installation that the database must be of; None where it may be any.
    """

    def __init__(self, name: str, marker: Marker | None) -> None:
        self._name = name
        self._marker = marker
        self._lock = threading.Lock()
        self._seen: Identity | None = None
        self._must_begin_epoch = False
        self.restarts = 0
        self.installation = None if marker is None else marker.read()

    def follow(self, connection: Connection, restarts: int) -> None:
        """Checks at the beginning of a transaction that reads.

        Args:
            connection: With the transaction.
            restarts: As for `keep`.

        Raises:
            DatabaseAwayError: A back-up was restored, which is said once, or this is the database of others.
        """
        before = self._seen
        if before is not None:
            now = read_identity(connection)
            self._require(now.continues(before), before, now)
            self.keep(now, restarts)

    def count_change(self, connection: Connection) -> Identity:
        """Checks at the beginning of a transaction that changes something, which is counted.

        Returns:
            The identity to `keep` when the transaction was committed.

        Raises:
            DatabaseAwayError: As for `follow`.
        """
        before = self._seen
        now = count_change(connection)
        if before is not None:
            self._require(now.continues(before) and now.changes > before.changes, before, now)
        return begin_epoch(connection, now) if self._must_begin_epoch else now

    def keep(self, now: Identity, restarts: int | None = None) -> None:
        """Notes what was seen.

        Args:
            now: The identity that a transaction saw, and committed if it changed something.
            restarts: The number of restarts at its beginning: what it saw of a past that is gone is not noted.

        Raises:
            DatabaseAwayError: It is the database of others.
        """
        self._require_installation(now)
        with self._lock:
            if restarts is not None and restarts != self.restarts:
                return
            last = self._seen
            if last is None or now.epoch != last.epoch:
                self._must_begin_epoch = False
            if last is None or now.epoch != last.epoch or now.changes > last.changes:
                self._seen = now
            self.installation = now.installation
        if last is None and self._marker is not None:
            self._marker.write(now.installation)

    def begin_anew(self) -> None:
        """Forgets what was seen but for the installation: another database is in the place of the one before."""
        with self._lock:
            self._seen = None
            self._must_begin_epoch = False
            self.restarts += 1

    def forget(self) -> None:
        """Forgets everything: the identity itself was dropped."""
        with self._lock:
            self._seen = self.installation = None

    def _require(self, continues: bool, before: Identity, now: Identity) -> None:
        self._require_installation(now)
        if continues:
            return
        with self._lock:
            if self._seen is before:  # no other thread has noticed yet
                self._must_begin_epoch = now.epoch == before.epoch
                self._seen = replace(now, changes=now.changes - 1)  # this transaction's own is rolled back
                self.restarts += 1
        raise DatabaseAwayError(f"the {self._name} was restored from a back-up; try again")

    def _require_installation(self, found: Identity) -> None:
        if self.installation not in {None, found.installation}:
            meant = "" if self._marker is None else f"; if it is meant, delete {self._marker.path.name} of the home"
            raise DatabaseAwayError(f"the {self._name} holds another installation's data than before{meant}")


def _to_identity(row: Row[Any] | None) -> Identity:
    if row is None:
        raise DatabaseAwayError("the database has no identity; is it being restored?")
    return Identity(**row._mapping)  # noqa: SLF001 - the public name of a row's columns
