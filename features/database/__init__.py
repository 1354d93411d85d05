"""The database of an installation, SQLite or PostgreSQL: connections, dialects and migrations."""

from features.database.connection import Database, changing, reading
from features.errors import DatabaseAwayError

__all__ = ["Database", "DatabaseAwayError", "changing", "reading"]
