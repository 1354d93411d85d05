"""Goals: a student sets one with an adult, with a date; student or adult may end it."""

import uuid
from datetime import UTC, datetime

from features.database import Database
from serving.access.caller import Caller
from serving.access.visibility import find_student_team
from serving.errors import ConflictError, NotFoundError, RequestError
from serving.plans.practice.student_changes import MOST_OPEN, Note, change_student, require_to_come
from serving.plans.recommend import Planner
from serving.schemas.practice import GoalRequest
from serving.store.practice.goals import Goal, end_goal, keep_goal, list_goals


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
