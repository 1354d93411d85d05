"""Evidence without answers: estimates of mastery from totals of other products."""

import sqlalchemy as sa
from alembic import op

from features.database.dialects import UtcTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "evidence",
        sa.Column("student_id", sa.Text(), primary_key=True),
        sa.Column("skill_id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("occurred_at", UtcTime(), primary_key=True),
        sa.Column("mastery", sa.Float(), nullable=False),
        sa.Column("uncertainty", sa.Float(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("questions", sa.BigInteger()),
    )


def downgrade() -> None:
    """Drops it."""
    op.drop_table("evidence")
