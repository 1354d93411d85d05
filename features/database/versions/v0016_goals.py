"""Goals of students."""

import sqlalchemy as sa
from alembic import op

from features.database.dialects import UtcTime

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "goals",
        sa.Column("goal_id", sa.String(32), primary_key=True),
        sa.Column("student_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("skill_id", sa.Text()),
        sa.Column("habit", sa.Text()),
        sa.Column("minutes_per_week", sa.Integer()),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("set_at", UtcTime(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("ended_at", UtcTime()),
        sa.Column("reached", sa.Boolean()),
    )
    op.create_index("ix_goals_student_id", "goals", ["student_id"])


def downgrade() -> None:
    """Drops it."""
    op.drop_table("goals")
