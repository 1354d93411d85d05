"""Which database a URL names."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from features.errors import InputError


def read_url(text: str) -> URL:
    """The database URL with its driver filled in; `postgresql://` and `postgres://` use psycopg.

    Raises:
        InputError: It is no URL, or neither of SQLite with a file nor of PostgreSQL.

    Example:
        >>> read_url("postgresql://reader@db/school").drivername
        'postgresql+psycopg'
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # the text is not repeated: a mistyped URL may still hold a password
        raise InputError("REGROUP_DATABASE_URL is not a URL; write sqlite:///FILE or postgresql://…") from None
    if url.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise InputError(f"database {url.drivername!r} is not supported; write sqlite:///FILE or postgresql://…")
    if url.database in {None, "", ":memory:"}:
        raise InputError("a SQLite database in memory would forget the roster; write sqlite:///FILE")
    return url
