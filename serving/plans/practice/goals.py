"""Goals: a student sets one with an adult, with a date; student or adult may end it."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from sqlalchemy import Connection

from features.database import Database
from features.roster import find_teams_of
from features.roster.tables import count_change
from serving.access.caller import Caller
from serving.access.visibility import find_student_team, require_student
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import ConflictError, NotFoundError, RequestError
from serving.plans.recommend import Planner
from serving.schemas.practice import GoalRequest
from serving.store.practice.goals import Goal, end_goal, keep_goal, list_goals

MOST_OPEN = 5
"""Open goals of one student, and open wishes: with more, none is one."""

Note = Callable[[str | None], AuditEntry]
"""Gives, for the student's team, the audit entry that is stored with a change."""


def set_goal(planner: Planner, caller: Caller, student_id: str, body: GoalRequest, note: Note) -> Goal:
    """Stores a goal.

    Args:
        planner: With the database and the rosters.
        caller: Who sends it.
        student_id: The student.
        body: The goal.
        note: Gives the audit entry that is stored with it.

    Raises:
        NotFoundError: There is no such student, or none that the caller may know of.
        RequestError: The adult is not of the student's team, or the date has passed.
        ConflictError: The student has as many goals already.
    """
    team_id, roster = find_student_team(planner.rosters, caller, student_id)
    staff = () if roster.team is None else roster.team.staff
    if body.staff_id not in {adult.staff_id for adult in staff}:
        raise RequestError("unknown_staff", "staff_id: the student's team has no such adult", field="staff_id")
    today = require_to_come(body.until)
    goal = Goal(
        goal_id=uuid.uuid4().hex,
        student_id=student_id,
        kind=body.kind,
        skill_id=body.skill_id,
        habit=body.habit,
        minutes_per_week=body.minutes_per_week,
        staff_id=body.staff_id,
        set_at=datetime.now(UTC),
        until=body.until,
        key_id=caller.key_id,
    )
    with change_student(planner, caller, student_id, team_id, note) as connection:
        if sum(each.is_open(today) for each in list_goals(connection, [student_id])) >= MOST_OPEN:
            raise ConflictError("too_many_goals", f"the student has {MOST_OPEN} open goals; end one of them first")
        keep_goal(connection, goal)
    return goal


def close_goal(
    planner: Planner, caller: Caller, student_id: str, goal_id: str, note: Note, *, reached: bool | None
) -> Goal:
    """Ends a goal; one that was ended before stays as it is.

    Args:
        planner: With the database and the rosters.
        caller: Who ends it.
        student_id: The student.
        goal_id: The goal.
        note: Gives the audit entry that is stored with the change.
        reached: Whether it was reached; null where nobody says.

    Raises:
        NotFoundError: There is no such goal of such a student, or none that the caller may know of.
    """
    team_id, _ = find_student_team(planner.rosters, caller, student_id)
    with change_student(planner, caller, student_id, team_id, note) as connection:
        if not end_goal(connection, student_id, goal_id, reached=reached, now=datetime.now(UTC)):
            raise NotFoundError("unknown_goal", "the student has no goal with this id")
        return next(goal for goal in list_goals(connection, [student_id]) if goal.goal_id == goal_id)


def read_goals(database: Database, *student_ids: str) -> tuple[Goal, ...]:
    """The goals of students whom the caller may see, the newest first."""
    with database.reading() as connection:
        return list_goals(connection, student_ids)


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
