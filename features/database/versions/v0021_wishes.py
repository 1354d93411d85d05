"""Wishes of students for their sessions."""

import sqlalchemy as sa
from alembic import op

from features.database.dialects import UtcTime

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "wishes",
        sa.Column("wish_id", sa.String(32), primary_key=True),
        sa.Column("student_id", sa.Text(), nullable=False),
        sa.Column("other_student_id", sa.Text()),
        sa.Column("staff_id", sa.Text()),
        sa.Column("skill_id", sa.Text()),
        sa.Column("wished_at", UtcTime(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("ended_at", UtcTime()),
    )
    op.create_index("ix_wishes_student_id", "wishes", ["student_id"])
    op.create_index("ix_wishes_other_student_id", "wishes", ["other_student_id"])


def downgrade() -> None:
    """Drops it."""
    op.drop_table("wishes")
