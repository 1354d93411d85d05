"""Whom a restored back-up brought back: students who were erased after it was made.

The list of erasures says that there are some, and the stores are searched for who they are, since the list holds hashes
alone. Until they were erased again, no night runs and no service answers.
"""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from sqlalchemy import Column, Connection, MetaData, select

from features.bundle import MANIFEST
from features.database import Database
from features.erasure_list import add_listed, complete_list, read_list, read_stored, require_same_installation
from features.errors import DatabaseAwayError, InputError, RegroupError
from features.events.log.store import has_events, read_events
from features.home import MAPPING, Home
from features.logs import open_log
from features.publications import list_published_students
from features.roster.people.vault import find_vault
from features.tombstones import digest_of

AGAIN_S = 5.0
"""Seconds after a refusal before the stores are searched again."""


SEPARATORS = re.compile(r"""[\s,;|"'\x00-\x1f\ufffd]+""")
"""What stands between ids in a log file that nobody can read."""


def require_erased(home: Home, connection: Connection) -> None:
    """Refuses to go on where somebody is there who was erased; else list and database then hold the same erasures.

    Args:
        home: With the list of erasures, the event log, and what was published.
        connection: A transaction of `changing(alone=True)`.

    Raises:
        DatabaseAwayError: A back-up was restored that holds students who were erased since.
        InputError: The list is none, or that of another installation.
        UnavailableError: A file cannot be read or written.
    """
    listed, stored = read_list(home.erasures), read_stored(connection)
    require_same_installation(home.erasures, listed, stored)
    missing = listed.keys() - stored.keys()
    returned = _find(home, connection, missing) if missing else []
    if returned:
        raise DatabaseAwayError(
            f"a back-up was restored that holds {len(returned)} students who were erased since; "
            "erase them again with `python -m serving erase --restored --yes`"
        )
    _reconcile(home, connection)


def find_erased(home: Home, database: Database) -> list[str]:
    """The ids, in order, of students in any store who are on the list of erasures.

    An id that stands in sentences alone is not found.

    Raises:
        BusyError: The database stayed locked; further errors as for `require_erased`.
    """
    with database.changing(alone=True) as connection:
        return _find(home, connection, read_list(home.erasures))


def reconcile(home: Home, database: Database) -> None:
    """Makes list and database hold the same erasures, after the students were erased again.

    Raises:
        BusyError: The database stayed locked; further errors as for `require_erased`.
    """
    with database.changing(alone=True, erasing=True) as connection:
        _reconcile(home, connection)


def _reconcile(home: Home, connection: Connection) -> None:
    listed, stored = read_list(home.erasures), read_stored(connection)
    add_listed(connection, {digest: erasure for digest, erasure in listed.items() if digest not in stored})
    complete_list(home.erasures, connection)


class ReturnGuard:
    """`require_erased` for a service, which asks at its start and whenever it finds another database; see `Database`.

    Args:
        home: As for `require_erased`.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._refused: RegroupError | None = None
        self._until = 0.0

    def __call__(self, connection: Connection) -> None:
        """Refuses as `require_erased` does; the stores are not searched again for a few seconds after a refusal."""
        if self._refused is not None and time.monotonic() < self._until:
            raise self._refused
        try:
            require_erased(self._home, connection)
        except RegroupError as error:
            self._refused, self._until = error, time.monotonic() + AGAIN_S
            raise


def _find(home: Home, connection: Connection, digests: Iterable[str]) -> list[str]:
    wanted, salts = set(digests), {erasure.salt for erasure in read_list(home.erasures).values()}
    candidates = {*_in_database(connection), *_in_files(home)}
    keys = [bytes.fromhex(salt) for salt in salts]
    return sorted(each for each in candidates if any(digest_of(each, key) in wanted for key in keys))


def _in_database(connection: Connection) -> Iterator[str]:
    found = MetaData()
    found.reflect(connection)
    columns: list[Column[str]] = [table.c.student_id for table in found.tables.values() if "student_id" in table.c]
    for column in columns:
        yield from connection.execute(select(column).where(column.is_not(None)).distinct()).scalars()


def _in_files(home: Home) -> Iterator[str]:
    vault = find_vault()
    if vault is not None:
        yield from vault.list_students()
    if has_events(home):
        yield from read_events(home, columns=["student_id"])["student_id"].unique()
    for manifest in (*home.published.glob(f"*/*/{MANIFEST}"), *home.served.glob(f"*/profiles/{MANIFEST}")):
        with suppress(InputError):  # altered: no service serves it, and an erasure removes it
            yield from list_published_students(manifest.parent)
    for path in home.rejected.glob("*.parquet"):
        for column in pyarrow.parquet.read_table(path).columns:  # a row may be rejected because they were mixed up
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                yield from pc.unique(column.drop_null()).to_pylist()
    for path in home.inbox.rglob("*"):
        if path.is_file() and path.name != MAPPING:
            yield from _in_log(path, home.inbox_mapping(path))


def _in_log(path: Path, mapping: Path | None) -> Iterator[str]:
    try:
        for chunk in open_log(path, mapping=mapping).chunks():
            yield from chunk["student_id"].dropna().unique()
    except InputError:  # nobody can read it: whatever stands between two separators may be an id
        yield from {cell.strip() for cell in SEPARATORS.split(path.read_bytes().decode("utf-8", "replace"))}
