"""Moments as they come out of a database."""

from datetime import UTC, datetime


def utc(moment: datetime) -> datetime:
    """The moment in UTC; SQLite gives it without its zone, PostgreSQL in that of the session.

    Example:
        >>> utc(datetime(2026, 3, 16)).isoformat()
        '2026-03-16T00:00:00+00:00'
    """
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
