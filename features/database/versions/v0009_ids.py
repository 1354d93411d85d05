"""The ids that students have in other systems, and ids of logs that stand for nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Adds both tables, empty until the next roster."""
    op.create_table(
        "roster_ids",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("other_id", sa.Text(), primary_key=True),
        sa.Column("student_id", sa.Text(), nullable=False, index=True),
    )
    op.create_table(
        "roster_unmatched_ids",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("other_id", sa.Text(), primary_key=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drops them."""
    op.drop_table("roster_unmatched_ids")
    op.drop_table("roster_ids")
