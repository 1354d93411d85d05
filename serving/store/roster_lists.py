"""The roster as lists that are read page by page: teams, adults, blocks and skills, each only as far as a caller sees.

A page begins after the last row of the page before, in the database's own order of ids, so that a roster that is loaded
in between shifts none.
"""

import base64
import binascii
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Select, func, select, tuple_

from features.database import Database
from features.errors import MissingError
from features.roster import list_teams
from features.roster.tables import BLOCKS, MEMBERS, PREREQUISITES, SKILLS, STAFF, TEAMS
from serving.errors import NotReadyError, RequestError

Row = dict[str, Any]
Value = TypeVar("Value")


@dataclass(frozen=True)
class ListQuery:
    """What of a list is asked for.

    Attributes:
        schools: The schools that the caller may know of; None for all.
        team_id: The one team whose rows are asked for; None for all teams.
        limit: The most rows on a page.
        cursor: The cursor that came with the page before; None for the first page.
    """

    schools: Collection[str] | None
    team_id: str | None = None
    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True)
class Page(Generic[Value]):
    """Some rows of a list, and the cursor of the next page; None after the last one."""

    rows: tuple[Value, ...]
    next_cursor: str | None


def page_teams(database: Database, query: ListQuery) -> Page[Row]:
    """The teams, and how many students and adults each has.

    Raises:
        NotReadyError: No roster is loaded.
        RequestError: The cursor is none of this list.
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    counts = [
        select(func.count()).where(table.c.team_id == TEAMS.c.team_id).scalar_subquery().label(name)
        for name, table in (("students", MEMBERS), ("staff", STAFF))
    ]
    return _page(database, select(TEAMS, *counts), (TEAMS.c.team_id,), query)


def page_staff(database: Database, query: ListQuery) -> Page[Row]:
    """The adults of the teams, one row for each team that an adult is in; errors as of `page_teams`."""
    of_team = select(STAFF).join(TEAMS, TEAMS.c.team_id == STAFF.c.team_id)
    return _page(database, of_team, (STAFF.c.team_id, STAFF.c.staff_id), query)


def page_blocks(database: Database, query: ListQuery) -> Page[Row]:
    """The weekly blocks of the teams; errors as of `page_teams`."""
    of_team = select(BLOCKS).join(TEAMS, TEAMS.c.team_id == BLOCKS.c.team_id)
    return _page(database, of_team, (BLOCKS.c.team_id, BLOCKS.c.block_id), query)


def page_skills(database: Database, query: ListQuery) -> Page[Row]:
    """The skills of the roster, which are those of all schools, and what each requires; errors as of `page_teams`."""

    def add_required(connection: Connection, rows: list[Row]) -> None:
        ids = [row["skill_id"] for row in rows]
        asked = select(PREREQUISITES).where(PREREQUISITES.c.skill_id.in_(ids))
        pairs = sorted((row.skill_id, row.requires_skill_id) for row in connection.execute(asked))
        for row in rows:
            row["requires"] = [required for skill, required in pairs if skill == row["skill_id"]]

    return _page(database, select(SKILLS), (SKILLS.c.skill_id,), query, add_required)


def _page(
    database: Database,
    statement: Select[Any],
    key: Sequence[Any],
    query: ListQuery,
    complete: Callable[[Connection, list[Row]], None] = lambda _, __: None,
) -> Page[Row]:
    name = key[0].table.name
    if name != SKILLS.name and query.schools is not None:
        statement = statement.where(TEAMS.c.school.in_(sorted(query.schools)))
    if query.team_id is not None:
        statement = statement.where(TEAMS.c.team_id == query.team_id)
    if query.cursor is not None:
        statement = statement.where(tuple_(*key) > tuple_(*_read_cursor(name, query, len(key))))
    try:
        list_teams(database)
        with database.reading() as connection:
            found = connection.execute(statement.order_by(*key).limit(query.limit + 1)).mappings()
            rows = [dict(row) for row in found]
            complete(connection, rows)
    except MissingError as error:
        raise NotReadyError("no_roster", str(error)) from error
    page = rows[: query.limit]
    last = [str(page[-1][column.name]) for column in key] if len(rows) > query.limit else None
    return Page(tuple(page), None if last is None else _write_cursor(name, query, last))


def _write_cursor(name: str, query: ListQuery, last: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([name, query.team_id, *last]).encode()).decode()


def _read_cursor(name: str, query: ListQuery, length: int) -> list[str]:
    """The key of the row after which a cursor's page begins.

    Raises:
        RequestError: The text is no cursor, or one of another list.
    """
    assert query.cursor is not None
    try:
        listed, team_id, *last = json.loads(base64.b64decode(query.cursor, altchars=b"-_", validate=True))
        valid = (listed, team_id, len(last)) == (name, query.team_id, length)
        valid = valid and all(isinstance(part, str) and part.isprintable() for part in last)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        valid = False
    if not valid:
        sentence = "cursor: not from a page of this list and team; leave it out for the first page"
        raise RequestError("bad_cursor", sentence, field="cursor")
    return [str(part) for part in last]
