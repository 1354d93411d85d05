"""Which teams a key may be used for."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Adds the column; keys of before are for all teams of their schools."""
    op.add_column("api_keys", sa.Column("teams", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    """Drops it."""
    op.drop_column("api_keys", "teams")
