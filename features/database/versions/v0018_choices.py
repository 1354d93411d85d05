"""What students chose of the skills that they were offered."""

import sqlalchemy as sa
from alembic import op

from features.database.dialects import UtcTime

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "choices",
        sa.Column("choice_id", sa.String(32), primary_key=True),
        sa.Column("student_id", sa.Text(), nullable=False),
        sa.Column("skill_id", sa.Text(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("offered", sa.JSON(), nullable=False),
        sa.Column("chosen_at", UtcTime(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
    )
    op.create_index("ix_choices_student_id", "choices", ["student_id"])


def downgrade() -> None:
    """Drops it."""
    op.drop_table("choices")
