"""After a session: who was there, what happened, and what the exit check showed.

Answers of an exit check are events of a source of their own. A corrected check takes the earlier answers back, as a
voiding statement does.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection

from features.database import Database
from features.events.identity.ids import statement_hash
from features.events.identity.voided import void_statements
from serving.access.caller import Caller
from serving.access.visibility import may_see_team
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import ConflictError, RequestError
from serving.grouping import Session
from serving.intake.statements import Statements
from serving.intake.store_batch import Intake
from serving.plans.stored_plan import StoredDay, open_day, unknown_recommendation
from serving.schemas.practice import MOST_QUESTIONS, AttendeeIn, SessionReportRequest
from serving.schemas.sessions import MOST_PEOPLE
from serving.store.decisions import find_decision, read_decision
from serving.store.practice.session_reports import (
    Attendee,
    CheckedAnswer,
    SessionReport,
    find_report,
    keep_report,
    read_reports,
)

SOURCE = "exit-check"
"""The source of the answers of exit checks in the event log."""

Note = Callable[[str], AuditEntry]
"""Gives, for the team, the audit entry that is stored with a report."""


@dataclass(frozen=True)
class DraftReport:
    """A report that is about to be stored.

    Attributes:
        day: The day of the plan.
        session: The session.
        report: What is to be stored.
        before: What was stored when it was drafted; null: nothing.
    """

    day: StoredDay
    session: Session
    report: SessionReport
    before: SessionReport | None

    def list_events(self) -> Iterator[dict[str, Any]]:
        """Yields the answers that the event log does not have yet, as events."""
        known = set() if self.before is None else self.before.event_keys
        for student in self.report.students:
            for answer in student.exit_check:
                if answer.event_key not in known:
                    yield {
                        "event_id": answer.event_key,
                        "student_id": student.student_id,
                        "occurred_at": self._find_end().isoformat(),
                        "item_id": answer.item_id or f"{SOURCE}:{self.session.skill}",
                        "correct": answer.correct,
                        "attempt": 1,
                        "source": SOURCE,
                        "skill_ids": [self.session.skill],
                    }

    def hash_events(self) -> dict[int, str]:
        """A hash for each of these events, by its place, under which it can be taken back."""
        return {at: statement_hash(SOURCE, event["event_id"]) for at, event in enumerate(self.list_events())}

    def keep(self, connection: Connection, note: Note, caller: Caller) -> None:
        """Stores the report and takes back answers that it no longer has.

        Args:
            connection: A transaction of `changing(alone=True)` that called `lock_writers`.
            note: Gives, for the team, the audit entry that is stored with it.
            caller: Who reports.

        Raises:
            NotFoundError: The plan is gone, or the caller may not know of it any more.
            ConflictError: Somebody else reported meanwhile, or another plan of the day counts now.
        """
        plan_id, team_id = self.report.recommendation_id, self.day.answer.team_id
        if read_decision(connection, plan_id) is None or not may_see_team(connection, caller, team_id):
            raise unknown_recommendation()
        now = find_report(read_reports(connection, plan_id), self.report.session_id)
        if (now and now.reported_at) != (self.before and self.before.reported_at):
            raise ConflictError("changed_meanwhile", "somebody else reported on this session meanwhile; read it again")
        if not keep_report(connection, self.report, team_id, self.day.answer.date):
            raise ConflictError("not_current", "another plan of this day was accepted since; report on that one")
        stale = set() if now is None else now.event_keys - self.report.event_keys
        void_statements(connection, SOURCE, stale, self.report.reported_at)
        add_entries(connection, [note(team_id)])

    def _find_end(self) -> datetime:
        """The moment at which the session ended by the school's clock, or now where it goes on."""
        label = next(block.label for block in self.day.problem.blocks if block.id == self.session.block)
        end = datetime.combine(self.day.answer.date, time.fromisoformat(label.split("-")[1])).astimezone(UTC)
        return min(end, self.report.reported_at)


def require_held(database: Database, caller: Caller, recommendation_id: str) -> StoredDay:
    """The day of a plan that counts and has come.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: The plan does not count, or is of a version that did not store days.
        RequestError: The day is to come.
    """
    day = open_day(database, caller, recommendation_id)
    decision = find_decision(database, recommendation_id)
    if decision is None or decision.decision == "rejected":
        raise ConflictError("not_accepted", "nobody accepted this plan, so that none of its sessions was held")
    if decision.awaits_signature:
        raise ConflictError("not_signed", "the team's leader has not signed this day yet, so that it does not count")
    if day.answer.date > date.today():  # noqa: DTZ011 - the school's own day
        raise RequestError("not_held_yet", f"the day of this plan is {day.answer.date}; report when it has come")
    return day


def store_report(
    database: Database, caller: Caller, recommendation_id: str, body: SessionReportRequest, note: Note
) -> None:
    """Stores a report, with the answers of its exit check as live events.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: The plan does not count, or somebody else reported on the session meanwhile.
        RequestError: The report names what the session does not have.
    """
    draft = draft_report(database, caller, recommendation_id, body)
    Intake(database, caller, MOST_PEOPLE * MOST_QUESTIONS).store(
        dict(enumerate(draft.list_events())),
        atomic=True,
        statements=Statements(SOURCE, draft.hash_events()),
        finish=lambda connection: draft.keep(connection, note, caller),
    )


def draft_report(database: Database, caller: Caller, recommendation_id: str, body: SessionReportRequest) -> DraftReport:
    """The report on a session of an accepted plan, with everybody of the session.

    Args:
        database: The service's database.
        caller: Who reports.
        recommendation_id: The plan.
        body: What happened.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: The plan does not count, or is of a version that did not store days.
        RequestError: The plan has no such session, the session no such student or no skill, or the day is to come.
    """
    day = require_held(database, caller, recommendation_id)
    with database.reading() as connection:
        before = find_report(read_reports(connection, recommendation_id), body.session_id)
    session = next((each for each in day.current if each.id == body.session_id), None)
    if session is None:
        raise RequestError("unknown_session", "session_id: the plan has no such session", field="session_id")
    told = _read_students(session, body.students)
    earlier = {} if before is None else {each.student_id: each for each in before.students}
    report = SessionReport(
        recommendation_id=recommendation_id,
        session_id=session.id,
        reported_at=datetime.now(UTC),
        key_id=caller.key_id,
        happened=body.happened,
        students=tuple(
            _to_attendee(student, told.get(student), earlier.get(student)) for student in sorted(session.students)
        ),
    )
    return DraftReport(day, session, report, before)


def _read_students(session: Session, students: list[AttendeeIn]) -> dict[str, AttendeeIn]:
    told: dict[str, AttendeeIn] = {}
    for at, each in enumerate(students):
        field = f"students[{at}].student_id"
        if each.student_id not in session.students:
            raise RequestError("unknown_student", f"{field}: the session has no such student", field=field)
        if each.student_id in told:
            raise RequestError("named_twice", f"{field}: the student is named before; name each once", field=field)
        if each.exit_check and session.skill is None:
            field = f"students[{at}].exit_check"
            raise RequestError("no_skill", f"{field}: the session has no skill that could be checked", field=field)
        told[each.student_id] = each
    return told


def _to_attendee(student_id: str, told: AttendeeIn | None, before: Attendee | None) -> Attendee:
    """A student as told; answers that were told before keep their ids."""
    if told is None:
        return Attendee(student_id, present=True)
    content = [(answer.item_id or None, answer.correct) for answer in told.exit_check]
    if before is not None and [(answer.item_id, answer.correct) for answer in before.exit_check] == content:
        return Attendee(student_id, told.present, before.exit_check)
    answers = tuple(CheckedAnswer(item, correct, uuid.uuid4().hex) for item, correct in content)
    return Attendee(student_id, told.present, answers)
