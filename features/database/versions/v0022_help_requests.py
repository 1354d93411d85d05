"""Requests of students for help from the adult on call."""

import sqlalchemy as sa
from alembic import op

from features.database.dialects import UtcTime

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "help_requests",
        sa.Column("request_id", sa.String(32), primary_key=True),
        sa.Column("recommendation_id", sa.String(32), nullable=False),
        sa.Column("student_id", sa.Text(), nullable=False),
        sa.Column("block_id", sa.Text(), nullable=False),
        sa.Column("skill_id", sa.Text()),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("ended_at", UtcTime()),
        sa.Column("staff_id", sa.Text()),
    )
    op.create_index("ix_help_requests_recommendation_id", "help_requests", ["recommendation_id"])
    op.create_index("ix_help_requests_student_id", "help_requests", ["student_id"])


def downgrade() -> None:
    """Drops it."""
    op.drop_table("help_requests")
