"""Types and statements that hide the differences between SQLite and PostgreSQL."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    Table,
    TypeDecorator,
)
from sqlalchemy.dialects import postgresql, sqlite

Value = TypeVar("Value")

AT_ONCE = 1000
"""Values in one query; SQLite takes a limited number of them."""

SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
"""The type of a number that a table gives its rows; SQLite counts only in a column that is called INTEGER."""


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, and PostgreSQL gives that of the session.

    Example:
        >>> UtcTime().process_result_value(datetime(2026, 3, 16), sqlite.dialect()).isoformat()
        '2026-03-16T00:00:00+00:00'
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment to store.

        Raises:
            ValueError: It has no zone.
        """
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a zone cannot be stored; give it in UTC")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as it was stored."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


LEVEL = 3
"""Of zlib: for a plan two thirds of the time of its default level, and a tenth more bytes."""


class CompressedText(TypeDecorator[str]):
    """A long text, such as the JSON of a plan, that is kept as the bytes that zlib makes of its UTF-8.

    Example:
        >>> kept = CompressedText().process_bind_param("plan " * 1000, sqlite.dialect())
        >>> len(kept) < 100, CompressedText().process_result_value(kept, sqlite.dialect()) == "plan " * 1000
        (True, True)
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """The bytes to store."""
        del dialect
        return None if value is None else zlib.compress(value.encode(), LEVEL)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """The text as it was stored."""
        del dialect
        return None if value is None else zlib.decompress(value).decode()


def upsert(
    connection: Connection, table: Table, changes: Mapping[str, ColumnElement[Any]] | None = None
) -> sqlite.Insert | postgresql.Insert:
    """An INSERT for rows that may be there already.

    Args:
        connection: A connection to the database.
        table: The table that the rows go to.
        changes: New values of a row whose primary key is there; without them, a row that is there stays as it is.
    """
    new = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    if changes is None:
        return new.on_conflict_do_nothing()
    return new.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes)


def in_parts(values: Iterable[Value], size: int = AT_ONCE) -> Iterator[list[Value]]:
    """The values in parts that one query can name.

    Example:
        >>> list(in_parts(["a", "b", "c"], 2))
        [['a', 'b'], ['c']]
    """
    listed = list(values)
    return (listed[at : at + size] for at in range(0, len(listed), size))
