"""The one database of an installation, SQLite or PostgreSQL: how it is opened, and how its tables came to be."""

from features.database.connection import Database, changing, reading
from features.errors import DatabaseAwayError

__all__ = ["Database", "DatabaseAwayError", "changing", "reading"]
