"""Series of the roster, and the cycle that a plan belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the tables of series, and the cycle to each plan."""
    text = sa.Text()
    op.create_table(
        "roster_series",
        sa.Column("series_id", text, primary_key=True),
        sa.Column("team_id", text, nullable=False, index=True),
        sa.Column("staff_id", text, nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until", sa.Date()),
        sa.Column("block_ids", sa.JSON()),
        sa.Column("weekdays", sa.JSON()),
        sa.Column("sessions_per_week", sa.Integer()),
        sa.Column("minutes_per_week", sa.Integer()),
    )
    op.create_table(
        "roster_series_students",
        sa.Column("series_id", text, primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("student_id", text, nullable=False, index=True),
    )
    op.add_column("recommendations", sa.Column("cycle", sa.String(32)))
    op.create_index("ix_recommendations_cycle", "recommendations", ["cycle"])


def downgrade() -> None:
    """Drops them, and what they hold; plans stay."""
    op.drop_index("ix_recommendations_cycle", "recommendations")
    op.drop_column("recommendations", "cycle")
    op.drop_table("roster_series_students")
    op.drop_table("roster_series")
