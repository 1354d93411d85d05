"""Statements that were voided, and of which statement a live event is."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Adds the table and the columns; live events of before name no statement."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "voided_statements",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("statement_id", sa.Text(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_version", sa.BigInteger()),
        sa.UniqueConstraint("source", "statement_id", name="uq_voided_statements_source"),
        sqlite_autoincrement=True,
    )
    op.add_column("live_events", sa.Column("statement", sa.String(32)))
    op.add_column("live_events", sa.Column("content", sa.String(32)))
    op.create_index("ix_live_events_statement", "live_events", ["statement"])


def downgrade() -> None:
    """Drops them."""
    op.drop_index("ix_live_events_statement", "live_events")
    op.drop_column("live_events", "content")
    op.drop_column("live_events", "statement")
    op.drop_table("voided_statements")
