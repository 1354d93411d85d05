"""The table of live events; whoever changes it adds a version to `features.database.versions` too."""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table, Text

from features.database.sequence import SEQUENCE

METADATA = MetaData()

LIVE_EVENTS = Table(
    "live_events",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),  # in the order of commits
    Column("event_id", Text, nullable=False, unique=True),
    Column("student_id", Text, nullable=False, index=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("key_id", String(16)),
    Column("occurred_us", BigInteger),  # microseconds since 1970 UTC; null where the source has only an order
    Column("event", Text, nullable=False),  # JSON of the row as the event log will hold it, and the item's skills
    Column("log_version", BigInteger, index=True),  # of the event log that first held it; null until a night took it
    sqlite_autoincrement=True,  # a number is never given twice, even after its event was deleted
)
