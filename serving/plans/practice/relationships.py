"""Which adults know which student: those who led a session with the student lately, and those who say so."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from features.database import Database
from features.roster import Team
from serving.access.caller import Caller
from serving.access.visibility import find_student_team
from serving.errors import ForbiddenError, RequestError
from serving.plans.coverage import KNOWN_WEEKS, list_known_adults
from serving.plans.practice.student_changes import Note, change_student
from serving.plans.recommend import Planner
from serving.store.practice.help_requests import read_helped
from serving.store.practice.relationships import Mark, read_marks, set_mark


@dataclass(frozen=True)
class Known:
    """The adults who know a student.

    Attributes:
        student_id: The student.
        sat_with: Ids of the adults who led a session with the student in the last four weeks, or came when asked.
        marked_by: Ids of the adults of the team who say to know the student.
    """

    student_id: str
    sat_with: frozenset[str]
    marked_by: frozenset[str]

    @property
    def adults(self) -> frozenset[str]:
        """All of them."""
        return self.sat_with | self.marked_by


def list_relationships(database: Database, team: Team, last: date) -> list[Known]:
    """Which adults know each member, those with the fewest first.

    Args:
        database: With the marks.
        team: The team.
        last: The last day of the four weeks that count.
    """
    sat_with = list_known_adults(team, last)
    adults = {adult.staff_id for adult in team.staff}
    with database.reading() as connection:
        marks = read_marks(connection, team.members)
        first = datetime.combine(last - timedelta(weeks=KNOWN_WEEKS), time(), UTC)
        helped = read_helped(connection, team.members, first)

    def of(pairs: frozenset[Mark], student: str) -> frozenset[str]:
        return frozenset(adult for who, adult in pairs if who == student)

    found = [
        Known(student, sat_with[student] | of(helped, student), of(marks, student) & adults) for student in team.members
    ]
    return sorted(found, key=lambda each: (len(each.adults), each.student_id))


def mark_known(
    planner: Planner,
    caller: Caller,
    student_id: str,
    staff_id: str,
    note: Note,
    *,
    known: bool,
) -> None:
    """Stores that an adult of the student's team knows the student, or takes that back.

    Args:
        planner: With the database and the rosters.
        caller: Who sends it.
        student_id: The student.
        staff_id: The adult, who says so.
        note: Gives, for the student's team, the audit entry that is stored with it.
        known: Whether the adult knows the student.

    Raises:
        NotFoundError: There is no such student, or none that the caller may know of.
        RequestError: The adult is not of the student's team.
        ForbiddenError: The key is of another adult.
    """
    if caller.staff_id not in {None, staff_id}:
        raise ForbiddenError("not_the_adult", "this key is of another adult, and whom one knows is one's own word")
    team_id, roster = find_student_team(planner.rosters, caller, student_id)
    if roster.team is None or staff_id not in {adult.staff_id for adult in roster.team.staff}:
        raise RequestError("unknown_staff", "staff_id: the student's team has no such adult", field="staff_id")
    with change_student(planner, caller, student_id, team_id, note) as connection:
        set_mark(connection, (student_id, staff_id), known=known, now=datetime.now(UTC), key_id=caller.key_id)
