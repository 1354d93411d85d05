"""Stages of growth of adults, with who signed them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Adds the table; no adult has a stage until somebody says one."""
    op.create_table(
        "growth_stages",
        sa.Column("team_id", sa.Text(), primary_key=True),
        sa.Column("staff_id", sa.Text(), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("most", sa.Integer()),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("signed_on", sa.Date()),
        sa.Column("signed_by", sa.Text()),
        sa.Column("key_id", sa.String(16), nullable=False),
    )


def downgrade() -> None:
    """Drops it."""
    op.drop_table("growth_stages")
