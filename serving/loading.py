"""Whose events a caller may load."""

from collections.abc import Collection, Iterable

from sqlalchemy import select

from features.database import Database
from features.errors import MissingError
from features.roster.tables import MEMBERS, TEAMS


def may_load(database: Database, schools: Collection[str] | None, student_ids: Iterable[str]) -> set[str]:
    """Of some students, those of the schools; a student of another school and one of none are told alike.

    Args:
        database: With the roster.
        schools: Of the caller; None for all, and then also for students who are in no roster yet.
        student_ids: Of the batch.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    if schools is None:
        return set(student_ids)
    of_schools = (
        select(MEMBERS.c.student_id)
        .join(TEAMS, TEAMS.c.team_id == MEMBERS.c.team_id)
        .where(TEAMS.c.school.in_(sorted(schools)))
    )
    try:
        with database.reading() as connection:
            theirs = set(connection.execute(of_schools).scalars())
    except MissingError:
        return set()
    return theirs.intersection(student_ids)
