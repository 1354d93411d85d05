"""What adults change on the board before they decide on a plan."""

import sqlalchemy as sa
from alembic import op

from features.database.dialects import CompressedText

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Adds the columns; no plan of before was changed."""
    op.add_column("recommendations", sa.Column("edit", CompressedText()))
    op.add_column("recommendations", sa.Column("edit_version", sa.Integer()))


def downgrade() -> None:
    """Drops them."""
    op.drop_column("recommendations", "edit_version")
    op.drop_column("recommendations", "edit")
