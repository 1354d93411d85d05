"""Reads the stored roster: teams, one team with all its parts, a student's teams, a school's students, skills."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, Table, or_, select

from features.database import Database, reading
from features.database.dialects import in_parts
from features.database.refusals import no_roster
from features.errors import MissingError
from features.roster import tables
from features.roster.files.cells import nearest, shown
from features.roster.records import (
    Block,
    Demographic,
    PastSession,
    PolicyLayer,
    Room,
    Rule,
    Series,
    Skill,
    SkillMap,
    Staff,
    Team,
    TeamName,
)
from features.tombstones import find_erased

Source = str | Database | Connection
"""A URL, a database, or a connection within a transaction."""


def list_teams(url: Source) -> tuple[TeamName, ...]:
    """All teams, sorted by id.

    Raises:
        MissingError: No roster is loaded.
    """
    with _reading(url) as connection:
        return _teams(connection)


def read_team(url: Source, team_id: str) -> Team:
    """One team with everything that planning its day needs.

    Raises:
        MissingError: No roster is loaded, or it has no such team.
    """
    with _reading(url) as connection:
        teams = {team.team_id: team for team in _teams(connection)}
        if team_id not in teams:
            meant = nearest(team_id, teams)
            hint = f"did you mean {shown(meant)}?" if meant else "list the teams to see their ids"
            count = f"the roster has {len(teams)} team{'' if len(teams) == 1 else 's'}"
            raise MissingError(f"team {shown(team_id)} is not known; {count}; {hint}")
        rows = {
            name: _of_team(connection, table, team_id) for name, table in tables.PLAIN.items() if "team_id" in table.c
        }
        staff = (
            Staff(**{**row, "may_lead": tuple(row["may_lead"]), "skills": _tuple(row["skills"])})
            for row in rows["staff"]
        )
        return Team(
            team_id=team_id,
            school=teams[team_id].school,
            name=teams[team_id].name,
            members=tuple(sorted(row["student_id"] for row in rows["members"])),
            staff=tuple(sorted(staff, key=lambda person: person.staff_id)),
            rooms=tuple(sorted((Room(**row) for row in rows["rooms"]), key=lambda room: room.room_id)),
            blocks=tuple(sorted((Block(**row) for row in rows["blocks"]), key=lambda block: block.block_id)),
            rules=_rules(connection, team_id),
            focus={row["skill_id"]: row["weight"] for row in sorted(rows["focus"], key=lambda row: row["skill_id"])},
            past_sessions=_past_sessions(connection, team_id),
            series=_series(connection, team_id),
            policies=_policies(connection, team_id),
            dates={
                row["student_id"]: (row["from_date"], row["until"])
                for row in rows["members"]
                if row["from_date"] or row["until"]
            },
        )


def find_teams_of(url: Source, student_id: str) -> tuple[TeamName, ...]:
    """The teams of one student, with their schools, sorted by id.

    Raises:
        MissingError: No roster is loaded.
    """
    with _reading(url) as connection:
        joined = select(tables.TEAMS).join(tables.MEMBERS, tables.MEMBERS.c.team_id == tables.TEAMS.c.team_id)
        rows = _found(connection, joined.where(tables.MEMBERS.c.student_id == student_id))
    return tuple(sorted((TeamName(**row) for row in rows), key=lambda team: team.team_id))


def find_gone(connection: Connection, student_ids: Collection[str]) -> set[str]:
    """Which of the students were erased and seated by no roster since: nothing about them may be kept or shown.

    In a transaction of `Database.changing` the answer holds until it ends.
    """
    erased = sorted(find_erased(connection, student_ids))
    if not erased:
        return set()
    members = tables.MEMBERS.c.student_id
    seated = [
        found
        for some in in_parts(erased)
        for found in connection.execute(select(members).where(members.in_(some))).scalars()
    ]
    return set(erased).difference(seated)


def students_of_schools(
    url: Source, schools: Collection[str] | None, teams: Collection[str] | None = None
) -> frozenset[str]:
    """The ids of all students in the teams of some schools.

    Args:
        url: The database.
        schools: Names of the schools; None for all.
        teams: Ids of the only teams of these schools that count; None for all.

    Raises:
        MissingError: No roster is loaded.
    """
    joined = select(tables.MEMBERS.c.student_id).join(tables.TEAMS, tables.TEAMS.c.team_id == tables.MEMBERS.c.team_id)
    with _reading(url) as connection:
        for column, named in ((tables.TEAMS.c.school, schools), (tables.TEAMS.c.team_id, teams)):
            joined = joined if named is None else joined.where(column.in_(sorted(named)))
        return frozenset(connection.execute(joined).scalars())


def read_students(url: Source, day: date) -> frozenset[str]:
    """The ids of all students who are in a team on a day.

    Raises:
        MissingError: No roster is loaded.
    """
    members = tables.MEMBERS.c
    begun = or_(members.from_date.is_(None), members.from_date <= day)
    not_over = or_(members.until.is_(None), members.until >= day)
    with _reading(url) as connection:
        return frozenset(connection.execute(select(members.student_id).where(begun, not_over)).scalars())


def read_skills(url: Source) -> SkillMap:
    """The skills that the roster names, and what each one requires.

    Raises:
        MissingError: No roster is loaded.
    """
    with _reading(url) as connection:
        return read_stored_skills(connection)


def read_stored_skills(connection: Connection) -> SkillMap:
    """The skills that are stored, which may be there before any team is."""
    skills = [Skill(**row) for row in _found(connection, select(tables.SKILLS))]
    pairs = sorted((row.skill_id, row.requires_skill_id) for row in connection.execute(select(tables.PREREQUISITES)))
    requires: dict[str, tuple[str, ...]] = {}
    for skill, required in pairs:
        requires[skill] = (*requires.get(skill, ()), required)
    return SkillMap({skill.skill_id: skill for skill in sorted(skills, key=lambda skill: skill.skill_id)}, requires)


def read_default_policy(connection: Connection) -> PolicyLayer:
    """What holds for all teams, which may be there before any team is."""
    return next(iter(_policies(connection, "")), PolicyLayer(""))


def read_demographics(url: Source) -> tuple[Demographic, ...]:
    """The facts about students that only audits use; sorted by student and column.

    Raises:
        MissingError: No roster is loaded.
    """
    with _reading(url) as connection:
        facts = [Demographic(**row) for row in _found(connection, select(tables.DEMOGRAPHICS))]
    return tuple(sorted(facts, key=lambda fact: (fact.student_id, fact.column)))


@contextmanager
def _reading(url: Source) -> Iterator[Connection]:
    """A consistent view of the database, in which a roster is loaded."""
    with reading(url) as connection:
        if connection.execute(select(tables.TEAMS.c.team_id).limit(1)).first() is None:
            raise no_roster()
        yield connection


def _teams(connection: Connection) -> tuple[TeamName, ...]:
    teams = [TeamName(**row) for row in _found(connection, select(tables.TEAMS))]
    # sorted here, since databases disagree about the order of text
    return tuple(sorted(teams, key=lambda team: team.team_id))


def _found(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _of_team(connection: Connection, table: Table, team_id: str) -> list[dict[str, Any]]:
    return _found(connection, select(table).where(table.c.team_id == team_id))


def _students(connection: Connection, owner: Table, students: Table, key: str, team_id: str) -> dict[str, list[str]]:
    joined = select(students).join(owner, owner.c[key] == students.c[key]).where(owner.c.team_id == team_id)
    found: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(joined.order_by(students.c.place)):
        found[row[0]].append(row.student_id)
    return found


def _rules(connection: Connection, team_id: str) -> tuple[Rule, ...]:
    students = _students(connection, tables.RULES, tables.RULE_STUDENTS, "rule_id", team_id)
    rows = _of_team(connection, tables.RULES, team_id)
    rules = [Rule(**row, students=tuple(students.get(row["rule_id"], ()))) for row in rows]
    return tuple(sorted(rules, key=lambda rule: rule.rule_id))


def _series(connection: Connection, team_id: str) -> tuple[Series, ...]:
    students = _students(connection, tables.SERIES, tables.SERIES_STUDENTS, "series_id", team_id)
    lists = ("skills", "block_ids", "weekdays")
    rows = (row | {name: _tuple(row[name]) for name in lists} for row in _of_team(connection, tables.SERIES, team_id))
    series = [Series(**row, students=tuple(students.get(row["series_id"], ()))) for row in rows]
    return tuple(sorted(series, key=lambda each: each.series_id))


def _past_sessions(connection: Connection, team_id: str) -> tuple[PastSession, ...]:
    owner, parts = tables.PAST_SESSIONS, tables.PAST_SESSION_STUDENTS
    students = _students(connection, owner, parts, "session_id", team_id)
    sessions = set()  # since a recorded session may come back in a file
    for row in sorted(_of_team(connection, owner, team_id), key=lambda row: row["room_id"] is None):
        key = row.pop("session_id")
        del row["recorded"]
        sessions.add(PastSession(**row, students=tuple(students.get(key, ()))))
    return tuple(sorted(sessions, key=_session_order))


def _policies(connection: Connection, team_id: str) -> tuple[PolicyLayer, ...]:
    owner, named = tables.POLICIES, tables.POLICY_STUDENTS
    found = _found(connection, select(owner).where(owner.c.team_id.in_(["", team_id])))
    rows = _found(connection, select(named).where(named.c.team_id == team_id).order_by(named.c.place))
    certified = tuple(row["student_id"] for row in rows if row["excluded_staff_id"] is None)
    exclusions = tuple((row["student_id"], row["excluded_staff_id"]) for row in rows if row["excluded_staff_id"])
    layers = (
        PolicyLayer(
            row["team_id"], row["settings"], *((certified, exclusions) if row["team_id"] else ((), ())), row["roster"]
        )
        for row in found
    )
    return tuple(sorted(layers, key=lambda layer: layer.team_id))


def _session_order(session: PastSession) -> tuple[object, ...]:
    blanks_as_text = session.staff_id or "", session.skill_id or ""
    return session.date, session.block_id, *blanks_as_text, session.students


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
