"""Goals of students, as they are stored."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert

from serving.schemas.practice import GoalKind
from serving.store.practice.of_students import OpenUntil, end_row, read_rows
from serving.store.tables import GOALS


@dataclass(frozen=True)
class Goal(OpenUntil):
    """A goal that a student set with an adult.

    Attributes:
        goal_id: 32 hexadecimal digits.
        student_id: The student.
        kind: `skill`, `habit` or `minutes`.
        skill_id: The skill of a goal about one; null otherwise.
        habit: The habit in the student's words; null otherwise.
        minutes_per_week: Minutes of practice; null otherwise.
        staff_id: The adult with whom it was set.
        set_at: The moment at which it was set, UTC.
        until: The last day, by the school's calendar.
        key_id: Id of the key that sent it.
        ended_at: The moment at which somebody ended it, UTC; null where nobody did.
        reached: Whether it was reached; null while it is open, and where nobody said.
    """

    goal_id: str
    student_id: str
    kind: GoalKind
    skill_id: str | None
    habit: str | None
    minutes_per_week: int | None
    staff_id: str
    set_at: datetime
    until: date
    key_id: str
    ended_at: datetime | None = None
    reached: bool | None = None


def keep_goal(connection: Connection, goal: Goal) -> None:
    """Stores a new goal."""
    connection.execute(insert(GOALS).values(**asdict(goal)))


def end_goal(connection: Connection, student_id: str, goal_id: str, *, reached: bool | None, now: datetime) -> bool:
    """Ends a goal of a student, unless it was ended before, and returns whether there is one."""
    return end_row(connection, GOALS, student_id, goal_id, ended_at=now, reached=reached)


def list_goals(connection: Connection, student_ids: Collection[str]) -> tuple[Goal, ...]:
    """The goals of students, the newest first, without those of students who were erased."""
    goals = [Goal(**row) for row in read_rows(connection, GOALS, student_ids)]
    return tuple(sorted(goals, key=lambda goal: (goal.set_at, goal.goal_id), reverse=True))
