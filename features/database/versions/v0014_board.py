"""The leader's signature on a day, and calendars of adults under a secret address."""

import sqlalchemy as sa
from alembic import op

from features.database.dialects import UtcTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Adds the columns and the table; every decision of before counts."""
    op.add_column("decisions", sa.Column("awaits_signature", sa.Boolean()))
    op.add_column("decisions", sa.Column("signed_at", UtcTime()))
    op.add_column("decisions", sa.Column("signed_by", sa.String(16)))
    op.create_table(
        "calendar_feeds",
        sa.Column("feed_id", sa.String(16), primary_key=True),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("names", sa.Boolean(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("revoked_at", UtcTime()),
    )
    op.create_index("ix_calendar_feeds_team_id", "calendar_feeds", ["team_id"])


def downgrade() -> None:
    """Drops them."""
    op.drop_table("calendar_feeds")
    for name in ("signed_by", "signed_at", "awaits_signature"):
        op.drop_column("decisions", name)
