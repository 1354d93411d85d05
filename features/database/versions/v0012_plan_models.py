"""Plans say in columns which run's models and which profiles they rest on, so that pruning leaves these."""

import json
import zlib

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

AT_ONCE = 100
"""Plans that are read at a time."""


def upgrade() -> None:
    """Adds the columns, and fills them from the plans."""
    op.add_column("recommendations", sa.Column("run_id", sa.String(32)))
    op.add_column("recommendations", sa.Column("profiles", sa.Text()))
    connection = op.get_bind()
    ids = connection.execute(sa.text("SELECT id FROM recommendations ORDER BY id")).scalars().all()
    read = sa.text("SELECT id, answer FROM recommendations WHERE id BETWEEN :first AND :last")
    write = sa.text("UPDATE recommendations SET run_id = :run_id, profiles = :profiles WHERE id = :id")
    for at in range(0, len(ids), AT_ONCE):
        few = ids[at : at + AT_ONCE]
        for identity, packed in connection.execute(read, {"first": few[0], "last": few[-1]}).all():
            provenance = json.loads(zlib.decompress(packed)).get("provenance")
            if provenance:
                run_id, profiles = provenance["model"]["run_id"], provenance["profiles"]
                connection.execute(write, {"id": identity, "run_id": run_id, "profiles": profiles})
    op.create_index("ix_recommendations_profiles", "recommendations", ["run_id", "profiles"])


def downgrade() -> None:
    """Drops them."""
    op.drop_index("ix_recommendations_profiles", "recommendations")
    op.drop_column("recommendations", "profiles")
    op.drop_column("recommendations", "run_id")
