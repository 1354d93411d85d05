"""The identity of the database, by which a service notices that a back-up was restored."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds the identity: a new installation, its first epoch, and no change yet."""
    identity = op.create_table(
        "database_identity",
        sa.Column("installation", sa.String(32), primary_key=True),
        sa.Column("epoch", sa.String(32), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
    )
    row = {"installation": secrets.token_hex(16), "epoch": secrets.token_hex(16), "changes": 0}
    op.bulk_insert(identity, [row])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE database_changes")
        op.execute("SELECT nextval('database_changes')")


def downgrade() -> None:
    """Drops it."""
    op.drop_table("database_identity")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SEQUENCE database_changes")
