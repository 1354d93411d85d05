"""Observations of one adult by another, and which adult a key is of."""

import sqlalchemy as sa
from alembic import op

from features.database.dialects import UtcTime

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Adds the table and the column; keys of before are of no adult."""
    op.add_column("api_keys", sa.Column("staff_id", sa.Text()))
    op.create_table(
        "observations",
        sa.Column("observation_id", sa.String(32), primary_key=True),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("recommendation_id", sa.String(32), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("observer_id", sa.Text(), nullable=False),
        sa.Column("observed_id", sa.Text(), nullable=False),
        sa.Column("aim", sa.Text(), nullable=False),
        sa.Column("feedback", sa.Text()),
        sa.Column("next_step", sa.Text()),
        sa.Column("noted_at", UtcTime(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
    )
    op.create_index("ix_observations_team_id", "observations", ["team_id"])
    op.create_index("ix_observations_recommendation_id", "observations", ["recommendation_id"])


def downgrade() -> None:
    """Drops them."""
    op.drop_table("observations")
    op.drop_column("api_keys", "staff_id")
