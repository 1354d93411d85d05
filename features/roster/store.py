"""Writes the roster to the database: replaces it, records sessions that took place, erases a student."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, select

from features.database import Database, changing
from features.roster import tables
from features.roster.records import PastSession, PolicyLayer, Roster, Rule, Series
from features.roster.tables import count_change
from features.tombstones import Tombstones, read_tombstones


def save_roster(roster: Roster, url: str | Database | Connection, keep: Collection[str] = ()) -> int:
    """Replaces the whole stored roster, all or nothing; sessions that regroup itself recorded stay.

    Args:
        roster: The roster.
        url: The database, or a transaction of `changing(alone=True)`.
        keep: Parts that stay as they are stored, of `skills`, `prerequisites`, `past_sessions` and `demographics`;
            of the last, those of members.

    Returns:
        How many of its members were erased before: they are seated without demographics and past sessions.

    Raises:
        BusyError: Another process holds the database.
        DatabaseAwayError: The database cannot be used.
    """
    with changing(url, alone=True) as connection:
        roster, erased = drop_erased(roster, read_tombstones(connection))
        for name, table in tables.PLAIN.items():
            if name in keep:
                continue
            connection.execute(delete(table))
            _insert(connection, table, [asdict(record) for record in getattr(roster, name)])
        _replace_groups(connection, tables.RULES, tables.RULE_STUDENTS, "rule_id", roster.rules)
        _replace_groups(connection, tables.SERIES, tables.SERIES_STUDENTS, "series_id", roster.series)
        _replace_policies(connection, roster.policies)
        count_change(connection)
        if "demographics" in keep:
            facts = tables.DEMOGRAPHICS
            members = select(tables.MEMBERS.c.student_id)
            connection.execute(delete(facts).where(facts.c.student_id.not_in(members)))
        if "past_sessions" in keep:
            return erased
        of_files = select(tables.PAST_SESSIONS.c.session_id).where(~tables.PAST_SESSIONS.c.recorded)
        students = tables.PAST_SESSION_STUDENTS
        connection.execute(delete(students).where(students.c.session_id.in_(of_files)))
        connection.execute(delete(tables.PAST_SESSIONS).where(~tables.PAST_SESSIONS.c.recorded))
        _insert_sessions(connection, roster.past_sessions, recorded=False)
    return erased


def save_skills(connection: Connection, roster: Roster) -> None:
    """Replaces the skills of the stored roster, what they require and the policy of all teams; everything else stays.

    Args:
        connection: A transaction of `changing(alone=True)`.
        roster: A roster with these and nothing else.
    """
    for table, records in ((tables.SKILLS, roster.skills), (tables.PREREQUISITES, roster.prerequisites)):
        connection.execute(delete(table))
        _insert(connection, table, [asdict(record) for record in records])
    connection.execute(delete(tables.POLICIES).where(tables.POLICIES.c.team_id == ""))
    _insert(connection, tables.POLICIES, [_to_row(layer) for layer in roster.policies])
    count_change(connection)


def drop_erased(roster: Roster, tombstones: Tombstones) -> tuple[Roster, int]:
    """The roster without what it says of erased students, and how many of its members were erased.

    Demographics, ids in other systems and past sessions go. Membership and rules stay: who sits in the room tomorrow is
    for the school to decide.
    """
    members = {member.student_id for member in roster.members}
    about = {fact.student_id for fact in roster.demographics} | {each.student_id for each in roster.ids}
    gone = tombstones.among(members.union(about, *(session.students for session in roster.past_sessions)))
    if not gone:
        return roster, 0
    past = tuple(
        replace(session, students=tuple(student for student in session.students if student not in gone))
        for session in roster.past_sessions
    )
    facts = tuple(fact for fact in roster.demographics if fact.student_id not in gone)
    ids = tuple(each for each in roster.ids if each.student_id not in gone)
    return replace(roster, demographics=facts, past_sessions=past, ids=ids), len(gone & members)


def replace_recorded_sessions(connection: Connection, team_id: str, day: date, sessions: Iterable[PastSession]) -> None:
    """Puts the sessions of one team's day in place of those recorded before; those of files stay.

    Args:
        connection: A transaction of `changing(alone=True)`.
        team_id: The team.
        day: The school's own date.
        sessions: The sessions that count as held.
    """
    owner, students = tables.PAST_SESSIONS, tables.PAST_SESSION_STUDENTS
    before = and_(owner.c.team_id == team_id, owner.c.date == day, owner.c.recorded)
    old = select(owner.c.session_id).where(before)
    connection.execute(delete(students).where(students.c.session_id.in_(old)))
    connection.execute(delete(owner).where(before))
    _insert_sessions(connection, tuple(sessions), recorded=True)
    count_change(connection, team_id)


def forget_old_sessions(connection: Connection, before: date, limit: int) -> int:
    """Removes some sessions that regroup itself recorded before a day, and returns how many; files have their own.

    No plan looks back so far, so that this is no change of a team.
    """
    owner, students = tables.PAST_SESSIONS, tables.PAST_SESSION_STUDENTS
    old = select(owner.c.session_id).where(owner.c.recorded, owner.c.date < before)
    ids = connection.execute(old.limit(limit).with_for_update(skip_locked=True)).scalars().all()
    connection.execute(delete(students).where(students.c.session_id.in_(ids)))
    return connection.execute(delete(owner).where(owner.c.session_id.in_(ids))).rowcount if ids else 0


def erase_student(url: str | Database | Connection, student_id: str) -> int:
    """Removes one student from every table of the roster; returns how many rows there were.

    Raises:
        BusyError: Another process holds the database.
        DatabaseAwayError: The database cannot be used.
    """
    with changing(url, alone=True) as connection:
        count_change(connection)
        return sum(
            connection.execute(delete(table).where(table.c.student_id == student_id)).rowcount
            for table in tables.OF_STUDENTS
        )


def _replace_groups(
    connection: Connection, table: Table, students: Table, key: str, records: Iterable[Rule | Series]
) -> None:
    """Replaces records that name students, and the students in a table of their own."""
    for old in (table, students):
        connection.execute(delete(old))
    rows = [asdict(record) for record in records]
    places = [_places({key: row[key]}, row.pop("students")) for row in rows]
    _insert(connection, table, rows)
    _insert(connection, students, [place for places_of_one in places for place in places_of_one])


def _insert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _places(key: dict[str, str], students: Iterable[str]) -> list[dict[str, Any]]:
    return [{**key, "place": place, "student_id": student} for place, student in enumerate(students)]


def _to_row(layer: PolicyLayer) -> dict[str, Any]:
    return {"team_id": layer.team_id, "settings": dict(layer.settings), "roster": dict(layer.roster)}


def _replace_policies(connection: Connection, policies: Iterable[PolicyLayer]) -> None:
    rows, students = [], []
    for layer in policies:
        rows.append(_to_row(layer))
        named = [(student, None) for student in layer.needs_certified] + list(layer.adult_exclusions)
        students += [
            {"team_id": layer.team_id, "place": place, "student_id": student, "excluded_staff_id": staff}
            for place, (student, staff) in enumerate(named)
        ]
    for table, found in ((tables.POLICIES, rows), (tables.POLICY_STUDENTS, students)):
        connection.execute(delete(table))
        _insert(connection, table, found)


def _insert_sessions(connection: Connection, sessions: Sequence[PastSession], *, recorded: bool) -> None:
    rows, places = [], []
    for session in sessions:
        key = {"session_id": str(uuid.uuid4())}
        row = asdict(session)
        places += _places(key, row.pop("students"))
        rows.append({**key, **row, "recorded": recorded})
    _insert(connection, tables.PAST_SESSIONS, rows)
    _insert(connection, tables.PAST_SESSION_STUDENTS, places)
