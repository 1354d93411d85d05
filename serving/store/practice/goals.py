"""Goals of students, as they are stored."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Connection, and_, func, insert, select, update

from features.database.dialects import in_parts
from features.roster import find_gone
from serving.schemas.practice import GoalKind
from serving.store.tables import GOALS


@dataclass(frozen=True)
class Goal:
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

    def is_open(self, day: date) -> bool:
        """Whether nobody ended it and its last day has not passed."""
        return self.ended_at is None and self.until >= day


def keep_goal(connection: Connection, goal: Goal) -> None:
    """Stores a new goal."""
    connection.execute(insert(GOALS).values(**asdict(goal)))


def end_goal(connection: Connection, student_id: str, goal_id: str, *, reached: bool | None, now: datetime) -> bool:
    """Ends a goal of a student, unless it was ended before, and returns whether there is one."""
    goals = GOALS.c
    mine = and_(goals.goal_id == goal_id, goals.student_id == student_id)
    connection.execute(update(GOALS).where(mine, goals.ended_at.is_(None)).values(ended_at=now, reached=reached))
    return bool(connection.execute(select(func.count()).select_from(GOALS).where(mine)).scalar())


def list_goals(connection: Connection, student_ids: Collection[str]) -> tuple[Goal, ...]:
    """The goals of students, the newest first, without those of students who were erased."""
    goals = GOALS.c
    rows = [
        Goal(**row)
        for some in in_parts(set(student_ids) - find_gone(connection, student_ids))
        for row in connection.execute(select(GOALS).where(goals.student_id.in_(some))).mappings()
    ]
    return tuple(sorted(rows, key=lambda goal: (goal.set_at, goal.goal_id), reverse=True))
