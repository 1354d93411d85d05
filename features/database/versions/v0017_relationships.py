"""Adults' own marks that they know a student."""

import sqlalchemy as sa
from alembic import op

from features.database.dialects import UtcTime

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "relationship_marks",
        sa.Column("student_id", sa.Text(), primary_key=True),
        sa.Column("staff_id", sa.Text(), primary_key=True),
        sa.Column("marked_at", UtcTime(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
    )


def downgrade() -> None:
    """Drops it."""
    op.drop_table("relationship_marks")
