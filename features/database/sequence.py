"""The type of a number that a table gives its rows by itself."""

from sqlalchemy import BigInteger, Integer

SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up by itself only in a column that is called INTEGER."""
