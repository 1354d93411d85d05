"""Audit entries older than half a year may be removed, by the retention that the installation sets."""

from alembic import op

revision = "0007"
down_revision = "0006"

KEPT_DAYS = 180
"""For so long the database itself refuses to remove an entry, whatever a setting says."""

SQLITE = "CREATE TRIGGER audit_log_keeps_rows BEFORE DELETE ON audit_log {when}BEGIN SELECT RAISE(ABORT, '{why}'); END"

POSTGRESQL = """CREATE OR REPLACE FUNCTION audit_log_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.student_id IS NULL AND to_jsonb(NEW) - 'student_id' = to_jsonb(OLD) - 'student_id' THEN
      RETURN NEW;
    END IF;
  {branch}END IF;
  RAISE EXCEPTION '{why}';
END $$"""

GROWS = "audit_log only grows"
KEEPS = f"audit_log keeps its entries for {KEPT_DAYS} days"


def upgrade() -> None:
    """Lets old entries go."""
    # moments are texts in SQLite, all of one form
    young = f"WHEN OLD.at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-{KEPT_DAYS} days') "
    old = f"ELSIF TG_OP = 'DELETE' THEN IF OLD.at < now() - interval '{KEPT_DAYS} days' THEN RETURN OLD; END IF;\n  "
    _replace(SQLITE.format(when=young, why=KEEPS), POSTGRESQL.format(branch=old, why=KEEPS))


def downgrade() -> None:
    """Keeps every entry for ever."""
    _replace(SQLITE.format(when="", why=GROWS), POSTGRESQL.format(branch="", why=GROWS))


def _replace(sqlite: str, postgresql: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(postgresql)
        return
    op.execute("DROP TRIGGER audit_log_keeps_rows")
    op.execute(sqlite)
