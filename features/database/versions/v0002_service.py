"""Keys, audit, idempotency, decisions, live events and erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MADE = (
    "roster_versions", "erased_students", "live_events", "audit_log", "api_keys", "idempotency_keys", "decisions",
    "recommendation_students",
)  # fmt: skip

STAYS = {
    "sqlite": (
        """CREATE TRIGGER audit_log_keeps_rows BEFORE DELETE ON audit_log
           BEGIN SELECT RAISE(ABORT, 'audit_log only grows'); END""",
        """CREATE TRIGGER audit_log_keeps_facts
           BEFORE UPDATE OF sequence, entry_id, at, key_id, request_id, action, team_id, subject ON audit_log
           BEGIN SELECT RAISE(ABORT, 'audit_log only grows'); END""",
        """CREATE TRIGGER audit_log_forgets_students BEFORE UPDATE OF student_id ON audit_log
           WHEN NEW.student_id IS NOT NULL
           BEGIN SELECT RAISE(ABORT, 'audit_log only grows'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_log_stays() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN
             IF TG_OP = 'UPDATE' THEN
               IF NEW.student_id IS NULL AND to_jsonb(NEW) - 'student_id' = to_jsonb(OLD) - 'student_id' THEN
                 RETURN NEW;
               END IF;
             END IF;
             RAISE EXCEPTION 'audit_log only grows';
           END $$""",
        """CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE ON audit_log
           FOR EACH ROW EXECUTE FUNCTION audit_log_stays()""",
        """CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log
           FOR EACH STATEMENT EXECUTE FUNCTION audit_log_stays()""",
    ),
}
"""What has the database itself refuse to change or remove an audit entry; an erasure may forget a student."""


def upgrade() -> None:
    """Adds tables, and the problem to each plan."""
    text, moment = sa.Text(), sa.DateTime(timezone=True)
    sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for column in (
        sa.Column("problem", text),
        sa.Column("date", sa.Date()),
        sa.Column("status", text),
        sa.Column("score", sa.Double()),
    ):
        op.add_column("recommendations", column)
    op.create_index("ix_recommendations_page", "recommendations", ["team_id", "created_at", "id"])
    op.create_table(
        "recommendation_students",
        sa.Column("recommendation_id", sa.String(32), primary_key=True),
        sa.Column("student_id", text, primary_key=True, index=True),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("recommendation_id", sa.String(32), nullable=False, index=True),
        sa.Column("decided_at", moment, nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("decision", text, nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("sessions", text, nullable=False),
        sa.Column("replaces", sa.String(32)),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.String(16), primary_key=True),
        sa.Column("idempotency_key", sa.String(255), primary_key=True),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("started_at", moment, nullable=False, index=True),
        sa.Column("status", sa.Integer()),
        sa.Column("answer", text),
        sa.Column("location", text),
        sa.Column("recommendation_id", sa.String(32), index=True),
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(16), primary_key=True),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("schools", sa.JSON()),
        sa.Column("per_minute", sa.Integer()),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("revoked_at", moment),
    )
    op.create_table(
        "audit_log",
        sa.Column("sequence", sequence, primary_key=True, autoincrement=True),
        sa.Column("entry_id", sa.String(32), nullable=False, unique=True),
        sa.Column("at", moment, nullable=False, index=True),
        sa.Column("key_id", sa.String(16)),
        sa.Column("request_id", text, nullable=False),
        sa.Column("action", text, nullable=False),
        sa.Column("team_id", text),
        sa.Column("student_id", text, index=True),
        sa.Column("subject", text),
    )
    for statement in STAYS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_table(
        "live_events",
        sa.Column("sequence", sequence, primary_key=True, autoincrement=True),
        sa.Column("event_id", text, nullable=False, unique=True),
        sa.Column("student_id", text, nullable=False, index=True),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("occurred_us", sa.BigInteger()),
        sa.Column("event", text, nullable=False),
        sa.Column("log_version", sa.BigInteger(), index=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "roster_versions",
        sa.Column("team_id", text, primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "erased_students",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("erased_at", moment, nullable=False),
    )


def downgrade() -> None:
    """Removes them; plans stay."""
    for table in MADE:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_log_stays()")
    op.drop_index("ix_recommendations_page", "recommendations")
    for column in ("score", "status", "date", "problem"):
        op.drop_column("recommendations", column)
