"""A team's own policy."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds the policies of teams, and the students whom they name."""
    text = sa.Text()
    op.create_table(
        "roster_policies",
        sa.Column("team_id", text, primary_key=True),
        sa.Column("settings", sa.JSON(), nullable=False),
    )
    op.create_table(
        "roster_policy_students",
        sa.Column("team_id", text, primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("student_id", text, nullable=False, index=True),
        sa.Column("excluded_staff_id", text),
    )


def downgrade() -> None:
    """Removes them."""
    op.drop_table("roster_policy_students")
    op.drop_table("roster_policies")
