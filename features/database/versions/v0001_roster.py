"""The roster, and the plans that the service returned; databases of before versions were noted have these already."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes what is not there."""
    text, many = sa.Text(), {"if_not_exists": True}
    op.create_table(
        "roster_teams",
        sa.Column("team_id", text, primary_key=True),
        sa.Column("school", text, nullable=False),
        sa.Column("name", text),
        **many,
    )
    op.create_table(
        "roster_members",
        sa.Column("team_id", text, nullable=False, index=True),
        sa.Column("student_id", text, primary_key=True),
        **many,
    )
    op.create_table(
        "roster_staff",
        sa.Column("staff_id", text, primary_key=True),
        sa.Column("team_id", text, nullable=False, index=True),
        sa.Column("role", text, nullable=False),
        sa.Column("may_lead", sa.JSON(), nullable=False),
        sa.Column("skills", sa.JSON()),
        sa.Column("max_group", sa.Integer()),
        sa.Column("certified", sa.Boolean(), nullable=False),
        sa.Column("coach", text),
        **many,
    )
    op.create_table(
        "roster_rooms",
        sa.Column("room_id", text, primary_key=True),
        sa.Column("team_id", text, nullable=False, index=True),
        sa.Column("capacity", sa.Integer(), nullable=False),
        **many,
    )
    op.create_table(
        "roster_blocks",
        sa.Column("block_id", text, primary_key=True),
        sa.Column("team_id", text, nullable=False, index=True),
        sa.Column("weekday", text, nullable=False),
        sa.Column("start", sa.Time(), nullable=False),
        sa.Column("end", sa.Time(), nullable=False),
        **many,
    )
    op.create_table(
        "roster_rules",
        sa.Column("rule_id", text, primary_key=True),
        sa.Column("team_id", text, nullable=False, index=True),
        sa.Column("kind", text, nullable=False),
        sa.Column("staff_id", text),
        sa.Column("block_id", text),
        sa.Column("skill_id", text),
        **many,
    )
    op.create_table(
        "roster_rule_students",
        sa.Column("rule_id", text, primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("student_id", text, nullable=False, index=True),
        **many,
    )
    op.create_table(
        "roster_skills",
        sa.Column("skill_id", text, primary_key=True),
        sa.Column("name", text),
        sa.Column("grade", text),
        sa.Column("subject", text),
        **many,
    )
    op.create_table(
        "roster_prerequisites",
        sa.Column("skill_id", text, primary_key=True),
        sa.Column("requires_skill_id", text, primary_key=True),
        **many,
    )
    op.create_table(
        "roster_focus",
        sa.Column("team_id", text, primary_key=True),
        sa.Column("skill_id", text, primary_key=True),
        sa.Column("weight", sa.Double(), nullable=False),
        **many,
    )
    op.create_table(
        "roster_past_sessions",
        sa.Column("session_id", text, primary_key=True),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("team_id", text, nullable=False, index=True),
        sa.Column("block_id", text, nullable=False),
        sa.Column("staff_id", text),
        sa.Column("skill_id", text),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        **many,
    )
    op.create_table(
        "roster_past_session_students",
        sa.Column("session_id", text, primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("student_id", text, nullable=False, index=True),
        **many,
    )
    op.create_table(
        "roster_demographics",
        sa.Column("student_id", text, primary_key=True),
        sa.Column("column", text, primary_key=True),
        sa.Column("value", text, nullable=False),
        **many,
    )
    op.create_table(
        "recommendations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("team_id", text, nullable=False, index=True),
        sa.Column("problem_hash", sa.String(64), nullable=False),
        sa.Column("request", text, nullable=False),
        sa.Column("answer", text, nullable=False),
        **many,
    )


def downgrade() -> None:
    """Removes everything."""
    for table in (
        "recommendations", "roster_demographics", "roster_past_session_students", "roster_past_sessions",
        "roster_focus", "roster_prerequisites", "roster_skills", "roster_rule_students", "roster_rules",
        "roster_blocks", "roster_rooms", "roster_staff", "roster_members", "roster_teams",
    ):  # fmt: skip
        op.drop_table(table)
