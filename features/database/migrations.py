"""Brings the tables of a database from one version to another, with Alembic.

A version is a file in `versions/`; it is never changed once it was released. To add one: write the next file with the
steps up and down, and change the tables of `features.roster.tables` or `serving.store.tables` alike; a test compares.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from features.errors import InputError

FOLDER = Path(__file__).parent

HEAD = "0024"
"""The newest version, known without loading Alembic; a test compares."""

VERSION_TABLE = "alembic_version"


def version_of(connection: Connection) -> str | None:
    """The version of the tables; null where none was noted."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return found


def migrate(connection: Connection, target: str = "head") -> None:
    """Brings the tables to a version, in the transaction of the connection.

    Args:
        connection: With an open transaction that nobody else can have at the same time.
        target: A version's name, or `head`; `base` for no tables at all.

    Raises:
        InputError: The tables are of a version that this code does not know.
    """
    now = version_of(connection)
    if now == (HEAD if target == "head" else target):
        return
    # takes .3 s, and tables are nearly always up to date
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    if now is not None and now not in known:
        raise InputError(f"the database has tables of version {now}, this regroup knows {known[0]}; update regroup")
    if target == "head" or (target in known and (now is None or target > now)):
        command.upgrade(config, target)
    else:
        command.downgrade(config, target)
