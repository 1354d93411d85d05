"""Plans and their days are compressed; no refusal is kept for a repeated request."""

import zlib
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

AT_ONCE = 100
"""Plans that are read at a time: the texts of one take about 140 KB."""


def upgrade() -> None:
    """Compresses the texts, and forgets refusals, which hold for one moment of the roster only."""
    _rewrite(sa.LargeBinary(), lambda text: zlib.compress(text.encode(), 3))
    op.execute("DELETE FROM idempotency_keys WHERE answer IS NOT NULL")
    op.drop_column("idempotency_keys", "answer")


def downgrade() -> None:
    """Makes them texts again."""
    op.add_column("idempotency_keys", sa.Column("answer", sa.Text()))
    _rewrite(sa.Text(), lambda packed: zlib.decompress(packed).decode())


def _rewrite(kind: sa.Text | sa.LargeBinary, convert: Callable[..., object]) -> None:
    """Puts a table with other types of `answer` and `problem` in the place of `recommendations`."""
    for index in ("ix_recommendations_team_id", "ix_recommendations_page", "ix_recommendations_cycle"):
        op.drop_index(index, "recommendations")
    text = sa.Text()
    new = op.create_table(
        "recommendations_new",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("team_id", text, nullable=False),
        sa.Column("problem_hash", sa.String(64), nullable=False),
        sa.Column("request", text, nullable=False),
        sa.Column("answer", kind, nullable=False),
        sa.Column("problem", kind),
        sa.Column("date", sa.Date()),
        sa.Column("status", text),
        sa.Column("score", sa.Double()),
        sa.Column("cycle", sa.String(32)),
    )
    connection, texts = op.get_bind(), {"answer", "problem"}
    plain = ", ".join(column.name for column in new.columns if column.name not in texts)
    # the other columns are copied by the database itself; the texts follow, a few rows at a time
    empty = "''" if isinstance(kind, sa.Text) or connection.dialect.name == "sqlite" else "''::bytea"
    op.execute(f"INSERT INTO recommendations_new ({plain}, answer) SELECT {plain}, {empty} FROM recommendations")  # noqa: S608
    ids = connection.execute(sa.text("SELECT id FROM recommendations ORDER BY id")).scalars().all()
    old = sa.text("SELECT id, answer, problem FROM recommendations WHERE id BETWEEN :first AND :last")
    for at in range(0, len(ids), AT_ONCE):
        few = ids[at : at + AT_ONCE]
        for identity, *values in connection.execute(old, {"first": few[0], "last": few[-1]}).all():
            row = {name: value and convert(value) for name, value in zip(("answer", "problem"), values, strict=True)}
            connection.execute(sa.update(new).where(new.c.id == identity).values(row))
    op.drop_table("recommendations")
    op.rename_table("recommendations_new", "recommendations")
    op.create_index("ix_recommendations_team_id", "recommendations", ["team_id"])
    op.create_index("ix_recommendations_page", "recommendations", ["team_id", "created_at", "id"])
    op.create_index("ix_recommendations_cycle", "recommendations", ["cycle"])
