"""Counts the changes of the roster, so that whoever keeps a team in memory sees in one look whether it still holds.

Whatever changes rows of the roster counts it here in the same transaction.
"""

from sqlalchemy import Connection, bindparam, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from features.roster.tables import VERSIONS

WHOLE = ""
"""Stands for all teams and the skills; no team has this id."""

Version = tuple[int, int]
"""How often the whole roster was changed, and one team by itself."""


def count_change(connection: Connection, team_id: str = WHOLE) -> None:
    """Counts a change of one team or of the whole roster.

    Args:
        connection: Of the change.
        team_id: Whose rows change; the whole roster's unless given.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    first = insert(VERSIONS).values(team_id=team_id, version=1)
    connection.execute(
        first.on_conflict_do_update(index_elements=["team_id"], set_={"version": VERSIONS.c.version + 1})
    )


def read_version(connection: Connection, team_id: str) -> Version:
    """The version of one team."""
    found = {row.team_id: row.version for row in connection.execute(_ASKED, {"asked": team_id})}
    return found.get(WHOLE, 0), found.get(team_id, 0)


_ASKED = select(VERSIONS).where(or_(VERSIONS.c.team_id == WHOLE, VERSIONS.c.team_id == bindparam("asked")))
"""Made once: every request asks it."""
