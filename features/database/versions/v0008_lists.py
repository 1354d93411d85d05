"""Students and adults in several teams, members from a day to a day, and the lists of other systems' rosters."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BOTH = {"roster_members": ["team_id", "student_id"], "roster_staff": ["staff_id", "team_id"]}
ONE = {"roster_members": ["student_id"], "roster_staff": ["staff_id"]}


def upgrade() -> None:
    """Adds the columns and the table; every row stays."""
    _set_keys(BOTH)
    op.create_index("ix_roster_members_student_id", "roster_members", ["student_id"])
    op.drop_index("ix_roster_members_team_id", "roster_members")
    op.add_column("roster_members", sa.Column("from_date", sa.Date()))
    op.add_column("roster_members", sa.Column("until", sa.Date()))
    op.add_column("roster_policies", sa.Column("roster", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "roster_source_rows",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("source_id", sa.Text(), primary_key=True),
        sa.Column("student_id", sa.Text(), index=True),
        sa.Column("record", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    """Drops them, and all but the first team of those who are in several."""
    op.drop_table("roster_source_rows")
    op.drop_column("roster_policies", "roster")
    op.drop_column("roster_members", "until")
    op.drop_column("roster_members", "from_date")
    op.create_index("ix_roster_members_team_id", "roster_members", ["team_id"])
    op.drop_index("ix_roster_members_student_id", "roster_members")
    for table, (key,) in ONE.items():
        op.execute(
            f"DELETE FROM {table} WHERE EXISTS (SELECT 1 FROM {table} AS other "  # noqa: S608 - names from above
            f"WHERE other.{key} = {table}.{key} AND other.team_id < {table}.team_id)"
        )
    _set_keys(ONE)


def _set_keys(keys: dict[str, list[str]]) -> None:
    """Gives tables another primary key; SQLite has to copy them for it."""
    bind = op.get_bind()
    for table, key in keys.items():
        if bind.dialect.name == "postgresql":
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
            op.create_primary_key(f"{table}_pkey", table, key)
            continue
        found = sa.inspect(bind)
        columns = [
            sa.Column(column["name"], column["type"], primary_key=column["name"] in key, nullable=column["nullable"])
            for column in found.get_columns(table)
        ]
        indexes = found.get_indexes(table)
        copy = sa.Table(f"{table}_copy", sa.MetaData(), *columns)
        copy.create(bind)
        op.execute(f"INSERT INTO {copy.name} SELECT * FROM {table}")  # noqa: S608 - names from above
        op.drop_table(table)
        op.rename_table(copy.name, table)
        for index in indexes:
            op.create_index(index["name"], table, [name for name in index["column_names"] if name])
