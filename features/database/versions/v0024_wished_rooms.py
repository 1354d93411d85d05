"""Wishes for rooms, and where recorded sessions were held."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Adds the columns; nobody knows where sessions of before were held."""
    for table in ("wishes", "roster_past_sessions"):
        op.add_column(table, sa.Column("room_id", sa.Text()))


def downgrade() -> None:
    """Drops them, and wishes for rooms."""
    op.execute("DELETE FROM wishes WHERE room_id IS NOT NULL")
    for table in ("wishes", "roster_past_sessions"):
        op.drop_column(table, "room_id")
