"""What a student's goals, wishes and marks have in common when they change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from sqlalchemy import Connection

from features.roster import find_teams_of
from features.roster.tables import count_change
from serving.access.caller import Caller
from serving.access.visibility import require_student
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import RequestError
from serving.plans.recommend import Planner

MOST_OPEN = 5
"""Open goals of one student, and open wishes: with more, none is one."""

Note = Callable[[str | None], AuditEntry]
"""Gives, for the student's team, the audit entry that is stored with a change."""


def require_to_come(until: date) -> date:
    """Today, the school's own day, refused where the last day of a goal or wish has passed.

    Raises:
        RequestError: It has.
    """
    today = date.today()  # noqa: DTZ011 - the school's own day
    if until < today:
        raise RequestError("past", f"until: {until} has passed; name a day to come", field="until")
    return today


@contextmanager
def change_student(
    planner: Planner, caller: Caller, student_id: str, team_id: str | None, note: Note
) -> Iterator[Connection]:
    """A transaction that changes what the next plan knows of a student, with its audit entry.

    Raises:
        NotFoundError: The student was erased, or left what the caller may see.
    """
    with planner.database.changing() as connection:
        require_student(connection, caller, student_id)
        yield connection
        for team in find_teams_of(connection, student_id):
            count_change(connection, team.team_id)  # so that every process reads it again
        add_entries(connection, [note(team_id)])
