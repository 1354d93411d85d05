"""What happened in the sessions of a plan: attendance and exit checks."""

import sqlalchemy as sa
from alembic import op

from features.database.dialects import UtcTime

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Adds the tables; nobody reported on a session before."""
    op.create_table(
        "session_reports",
        sa.Column("recommendation_id", sa.String(32), primary_key=True),
        sa.Column("session_id", sa.Text(), primary_key=True),
        sa.Column("reported_at", UtcTime(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("happened", sa.Text(), nullable=False),
    )
    op.create_table(
        "session_report_students",
        sa.Column("recommendation_id", sa.String(32), primary_key=True),
        sa.Column("session_id", sa.Text(), primary_key=True),
        sa.Column("student_id", sa.Text(), primary_key=True),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("exit_check", sa.JSON(), nullable=False),
    )
    op.create_index("ix_session_report_students_student_id", "session_report_students", ["student_id"])


def downgrade() -> None:
    """Drops them."""
    op.drop_table("session_report_students")
    op.drop_table("session_reports")
