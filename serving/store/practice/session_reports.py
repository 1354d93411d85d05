"""What happened in the sessions of a plan: attendance and exit checks, as they are stored."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, select

from features.roster import find_gone
from serving.schemas.practice import Happened
from serving.schemas.sessions import SessionSeats
from serving.store.decisions import SESSIONS, find_held_plan, read_decision, record_sessions
from serving.store.tables import SESSION_REPORT_STUDENTS, SESSION_REPORTS


@dataclass(frozen=True)
class CheckedAnswer:
    """One answer of an exit check.

    Attributes:
        item_id: The item; null for a question of the adult's own.
        correct: Whether it was right.
        event_key: The id under which the answer went to the event log; random.
    """

    item_id: str | None
    correct: bool
    event_key: str


@dataclass(frozen=True)
class Attendee:
    """A student of a session: whether present, and the answers of the exit check."""

    student_id: str
    present: bool
    exit_check: tuple[CheckedAnswer, ...] = ()


@dataclass(frozen=True)
class SessionReport:
    """What happened in one session.

    Attributes:
        recommendation_id: The plan.
        session_id: The session's id in the plan.
        reported_at: The moment of the report, UTC.
        key_id: Id of the key that sent it.
        happened: `done`, `moved_on` or `not_done`.
        students: Everybody of the session.
    """

    recommendation_id: str
    session_id: str
    reported_at: datetime
    key_id: str
    happened: Happened
    students: tuple[Attendee, ...]

    @property
    def event_keys(self) -> set[str]:
        """The ids of all answers of its exit check in the event log."""
        return {answer.event_key for student in self.students for answer in student.exit_check}


def keep_report(connection: Connection, report: SessionReport, team_id: str, day: date) -> bool:
    """Stores a report in place of an earlier one, without students who were erased, and records the day's sessions.

    Who was absent did not take part, and a session that was not done, or in which nobody was, does not count as held.

    Args:
        connection: A transaction of `changing(alone=True)`.
        report: The report.
        team_id: The team of the plan.
        day: The date of the plan.

    Returns:
        Whether it was stored: it is not where the plan is not the one that counts on its day.
    """
    plan_id = report.recommendation_id
    decision = read_decision(connection, plan_id)
    if decision is None or find_held_plan(connection, team_id, day) != plan_id:
        return False
    gone = find_gone(connection, [student.student_id for student in report.students])
    for table in (SESSION_REPORT_STUDENTS, SESSION_REPORTS):
        mine = (table.c.recommendation_id == plan_id) & (table.c.session_id == report.session_id)
        connection.execute(delete(table).where(mine))
    key = {"recommendation_id": plan_id, "session_id": report.session_id}
    columns = {"reported_at": report.reported_at, "key_id": report.key_id, "happened": report.happened}
    connection.execute(insert(SESSION_REPORTS).values(**key, **columns))
    rows = [key | asdict(student) for student in report.students if student.student_id not in gone]
    if rows:
        connection.execute(insert(SESSION_REPORT_STUDENTS), rows)
    seats = TypeAdapter(SESSIONS).validate_json(decision.sessions)
    record_sessions(connection, team_id, day, _list_held(seats, read_reports(connection, plan_id)))
    return True


def read_reports(connection: Connection, recommendation_id: str) -> tuple[SessionReport, ...]:
    """The reports on a plan in order of their sessions, without students who were erased."""
    students = SESSION_REPORT_STUDENTS
    of_plan = select(students).where(students.c.recommendation_id == recommendation_id)
    rows = connection.execute(of_plan.order_by(students.c.student_id)).all()
    gone = find_gone(connection, {row.student_id for row in rows})
    found: dict[str, list[Attendee]] = defaultdict(list)
    for row in rows:
        if row.student_id not in gone:
            answers = tuple(CheckedAnswer(**answer) for answer in row.exit_check)
            found[row.session_id].append(Attendee(row.student_id, row.present, answers))
    reports = SESSION_REPORTS
    query = select(reports).where(reports.c.recommendation_id == recommendation_id).order_by(reports.c.session_id)
    return tuple(
        SessionReport(**row, students=tuple(found[row["session_id"]])) for row in connection.execute(query).mappings()
    )


def find_report(reports: Iterable[SessionReport], session_id: str) -> SessionReport | None:
    """The report on a session; null where nobody reported."""
    return next((report for report in reports if report.session_id == session_id), None)


def _list_held(seats: Sequence[SessionSeats], reports: Iterable[SessionReport]) -> list[SessionSeats]:
    """The sessions that count as held, with who was there; those that nobody reported on are as planned."""
    by_session = {report.session_id: report for report in reports}
    held = []
    for session in seats:
        report = by_session.get(session.id)
        away = set() if report is None else {each.student_id for each in report.students if not each.present}
        there = [student for student in session.students if student not in away]
        if there and (report is None or report.happened != "not_done"):
            held.append(session.model_copy(update={"students": there}))
    return held
