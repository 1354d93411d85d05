"""The roster as lists that are read page by page: teams, adults, blocks and skills, each only as far as a caller sees.

A page begins after the last row of the page before, in the database's own order of ids, so that a roster that is loaded
in between shifts none.
"""

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select, tuple_

from features.database import Database
from features.errors import MissingError
from features.roster import Skill, list_teams, read_skills
from features.roster.tables import BLOCKS, MEMBERS, SKILLS, STAFF, TEAMS
from serving.errors import NotReadyError, RequestError

Row = dict[str, Any]
Value = TypeVar("Value")


@dataclass(frozen=True)
class ListQuery:
    """What of a list is asked for.

    Attributes:
        schools: The schools that the caller may know of; None for all.
        teams: The ids of their teams that the caller may know of; None for all.
        team_id: The one team whose rows are asked for; None for all teams.
        limit: The most rows on a page.
        cursor: The cursor that came with the page before; None for the first page.
    """

    schools: Collection[str] | None
    teams: Collection[str] | None
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


def page_skills(database: Database, practiced: Iterable[str], query: ListQuery) -> Page[Row]:
    """The skills that the roster names and those that students practice, of all schools; errors as of `page_teams`.

    Args:
        database: The service's database.
        practiced: Ids of the skills that students practice.
        query: What is asked for.
    """
    try:
        known = read_skills(database)
    except MissingError as error:
        raise NotReadyError("no_roster", str(error)) from error
    after = "" if query.cursor is None else _read_cursor(SKILLS.name, query, 1)[0]
    ids = sorted(skill for skill in known.skills.keys() | set(practiced) if skill > after)
    page = ids[: query.limit]
    rows = (
        asdict(known.skills.get(skill, Skill(skill))) | {"requires": list(known.requires.get(skill, ()))}
        for skill in page
    )
    more = len(ids) > query.limit
    return Page(tuple(rows), _write_cursor(SKILLS.name, query, page[-1:]) if more else None)


def _page(
    database: Database,
    statement: Select[Any],
    key: Sequence[Any],
    query: ListQuery,
) -> Page[Row]:
    name = key[0].table.name
    for column, seen in ((TEAMS.c.school, query.schools), (TEAMS.c.team_id, query.teams)):
        if seen is not None:
            statement = statement.where(column.in_(sorted(seen)))
    if query.team_id is not None:
        statement = statement.where(TEAMS.c.team_id == query.team_id)
    if query.cursor is not None:
        statement = statement.where(tuple_(*key) > tuple_(*_read_cursor(name, query, len(key))))
    try:
        list_teams(database)
        with database.reading() as connection:
            found = connection.execute(statement.order_by(*key).limit(query.limit + 1)).mappings()
            rows = [dict(row) for row in found]
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
