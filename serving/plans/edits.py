"""What adults change on the board before they decide: moves, locks, undo, a repair, and a new suggestion around them.

A change names the version of the edit that its page showed. Where somebody else changed the plan meanwhile it is not
made, so that nobody overwrites what they have not seen.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from sqlalchemy import Connection

from features.database import Database
from serving.access.caller import Caller
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import ConflictError, RequestError
from serving.grouping import Problem, Session, SessionType, read_seats
from serving.plans.latecomer import find_seat_options
from serving.plans.recommend import PlannedDay, Planner, Render, plan_day
from serving.plans.sessions import read_sessions, to_session, to_session_seats
from serving.plans.stored_plan import StoredDay, decide_plan, read_day, require_plan
from serving.schemas.changes import SeatOptionsRequest
from serving.schemas.decisions import DecisionRequest
from serving.schemas.edits import MOST_STEPS, Edit, EditStep
from serving.schemas.recommendations import Absence, DayRule, RecommendationRequest
from serving.schemas.sessions import SessionIn
from serving.store.recommendations import PlanQuery, keep_edit, list_plans

SUGGEST_S = 2.0
"""Seconds within which a day is suggested from the board, while somebody waits before the page."""

MOST_PLANS = 100
"""Plans of one day that are looked at, the newest first."""

Note = Callable[[], AuditEntry]
"""Gives the audit entry that is stored with a change."""


@dataclass(frozen=True)
class EditedDay:
    """A stored plan with what was changed in it.

    Attributes:
        day: The plan as it was suggested or decided on.
        decision: `accepted`, `edited` or `rejected`; null while nobody decided.
        request: JSON of the body that asked for the plan.
        version: How often the plan was changed.
        steps: The changes that were not undone, the newest last.
    """

    day: StoredDay
    decision: str | None
    request: str
    version: int
    steps: tuple[EditStep, ...]

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions of the day as they are now: decided on, else changed, else suggested."""
        if self.decision is not None or not self.steps:
            return self.day.current
        return tuple(to_session(session) for session in self.steps[-1].sessions)

    @property
    def locked(self) -> frozenset[str]:
        """Ids of sessions that a new suggestion keeps."""
        return frozenset(self.steps[-1].locked if self.steps else ())

    @property
    def is_changed(self) -> bool:
        """Whether a seat differs from what was suggested, without a decision."""
        return self.decision is None and read_seats(self.sessions) != read_seats(self.day.suggested)


def find_current(database: Database, team_id: str, day: date) -> str | None:
    """The id of the plan that a team works on: the newest of the day that was not rejected; null without one."""
    rows, _ = list_plans(database, PlanQuery(team_id, day), MOST_PLANS)
    return next((row.id for row in rows if row.decision != "rejected"), None)


def open_edit(database: Database, caller: Caller, recommendation_id: str) -> EditedDay:
    """A stored plan with what was changed in it.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: The plan was stored by a version that did not store days.
    """
    stored = require_plan(database, caller, recommendation_id)
    day = read_day(stored)
    steps = () if stored.edit is None else tuple(Edit.model_validate_json(stored.edit).steps)
    return EditedDay(day, stored.decision, stored.request, stored.edit_version, steps)


def save_steps(database: Database, edited: EditedDay, version: int, steps: Sequence[EditStep], note: Note) -> None:
    """Stores other steps in place of those of an edit.

    Args:
        database: The service's database.
        edited: The day.
        version: The version that the page showed on which the change was made.
        steps: All steps from now on.
        note: Gives the audit entry that is stored with them.

    Raises:
        ConflictError: Somebody changed the plan since, or decided on it.
    """
    edit = Edit(steps=list(steps[-MOST_STEPS:]))
    with database.changing() as connection:
        if edited.decision is not None or not keep_edit(connection, edited.day.answer.id, version, edit):
            raise changed_meanwhile()
        add_entries(connection, [note()])


def changed_meanwhile() -> ConflictError:
    """The error for a change that was made on a page that is not current any more."""
    return ConflictError(
        "changed_meanwhile",
        "somebody else changed or decided this plan after your page was made, so your last step was not done",
    )


def move_student(
    planner: Planner, caller: Caller, edited: EditedDay, student_id: str, block_id: str, session_id: str
) -> EditStep:
    """The step that gives a student another seat in a block, whether or not it keeps every rule.

    Raises:
        RequestError: The day has no such student, block or session.
    """
    if not any(student.id == student_id and block_id in student.blocks for student in edited.day.problem.students):
        raise RequestError("not_of_this_day", "student_id: the student is not there in this block", field="student_id")
    target = next((each for each in edited.sessions if (each.id, each.block) == (session_id, block_id)), None)
    if target is None:  # independent work that the day does not hold yet
        body = SeatOptionsRequest(student_id=student_id, block_ids=[block_id], sessions=to_bodies(edited.sessions))
        _, found = find_seat_options(planner, caller, edited.day, body)
        opened = (each.session for each in found.blocks[0] if each.opened and each.session.id == session_id)
        target = next(opened, None)
    if target is None:
        detail = "session_id: the block has no such session any more; choose another"
        raise RequestError("unknown_session", detail, field="session_id")
    left = (
        replace(each, students=tuple(s for s in each.students if s != student_id)) if each.block == block_id else each
        for each in edited.sessions
        if each.id != target.id
    )
    joined = replace(target, students=tuple(sorted({*target.students, student_id})))
    sessions = (*(each for each in left if each.students), joined)
    return EditStep(
        action="move",
        student_id=student_id,
        block_id=block_id,
        sessions=to_session_seats(sessions),
        locked=sorted(edited.locked),
    )


def lock_session(edited: EditedDay, session_id: str, *, locked: bool) -> EditStep:
    """The step that locks an adult-led session for the next suggestion, or unlocks it.

    Raises:
        RequestError: The day has no such session.
    """
    session = next((each for each in edited.sessions if each.id == session_id and each.led), None)
    if session is None:
        raise RequestError(
            "unknown_session", "session_id: the day has no such session with an adult", field="session_id"
        )
    kept = edited.locked | {session_id} if locked else edited.locked - {session_id}
    return EditStep(
        action="lock" if locked else "unlock",
        block_id=session.block,
        sessions=to_session_seats(edited.sessions),
        locked=sorted(kept),
    )


def take_sessions(edited: EditedDay, sessions: Sequence[Session]) -> EditStep:
    """The step that takes over a repair."""
    return EditStep(action="repair", sessions=to_session_seats(sessions), locked=sorted(edited.locked))


def suggest_again(
    planner: Planner,
    caller: Caller,
    edited: EditedDay,
    absences: Sequence[Absence],
    came: float,
    *,
    render: Render,
    note: Callable[[str], AuditEntry],
) -> PlannedDay:
    """Plans the day again: around locked sessions and students whom people moved to an adult, with others absent.

    Args:
        planner: What planning needs of a running service.
        caller: Who asks.
        edited: The day as it is now.
        absences: Who is absent; no longer those of the request before.
        came: When it was asked, on the clock of `time.perf_counter`.
        render: Builds the answer.
        note: Gives, for the id of the new plan, its audit entry.

    Raises:
        RequestError: The day has no plan like this; errors as of `plan_day`.
    """
    before = RecommendationRequest.model_validate_json(edited.request)
    away = {absence.student_id for absence in absences if absence.block_ids is None} - {None}
    staff_away = {absence.staff_id for absence in absences} - {None}
    held = {session.id for session in edited.day.current if staff_away.isdisjoint(session.adults)}
    unchanged = held & edited.locked - set(_changed_sessions(edited))
    pins = [
        DayRule(
            kind="pinned",
            student_ids=students,
            staff_id=session.adults[0],
            block_id=session.block,
            skill_id=session.skill,
        )
        for session, pinned in _hand_seats(edited, unchanged)
        if session.adults[0] not in staff_away and (students := [student for student in pinned if student not in away])
    ]
    body = RecommendationRequest(
        team_id=before.team_id,
        date=before.date,
        absences=list(absences),
        rules=[*before.rules, *(pin for pin in pins if pin not in before.rules)],
        previous=edited.day.answer.id,
        keep_sessions=sorted(unchanged),
        policy=before.policy,
        series=before.series,
        seconds=SUGGEST_S,
    )
    return plan_day(
        planner, caller, body, came, render=render, note=lambda answer: note(answer.id), finish=_finish_nothing
    )


def suggest_first(
    planner: Planner,
    caller: Caller,
    team_id: str,
    day: date,
    *,
    render: Render,
    note: Callable[[str], AuditEntry],
) -> PlannedDay:
    """Plans a day that has no plan yet; errors as of `plan_day`."""
    body = RecommendationRequest(team_id=team_id, date=day, seconds=SUGGEST_S)
    return plan_day(
        planner,
        caller,
        body,
        time.perf_counter(),
        render=render,
        note=lambda answer: note(answer.id),
        finish=_finish_nothing,
    )


def decide_edit(
    database: Database,
    caller: Caller,
    edited: EditedDay,
    version: int,
    *,
    accept: bool,
    text: str | None,
    note: Callable[[str], AuditEntry],
) -> None:
    """Accepts the day as it is now, with its changes, or rejects the suggestion; the decision of `decide_plan`.

    Args:
        database: The service's database.
        caller: Who decides.
        edited: The day.
        version: The version that the page showed which was decided on.
        accept: Whether the day is accepted.
        text: A note in the team's own words.
        note: Gives, for the team of the plan, the audit entry that is stored with the decision.

    Raises:
        ConflictError: Somebody changed the plan since, or decided on it.
    """
    plan_id = edited.day.answer.id
    with database.changing() as connection:  # from here on nobody's step on an older page is taken
        if edited.decision is not None or not keep_edit(connection, plan_id, version, Edit(steps=list(edited.steps))):
            raise changed_meanwhile()
    body = DecisionRequest(decision="accepted" if accept else "rejected", note=text)
    if accept and edited.is_changed:
        body = DecisionRequest(decision="edited", sessions=to_bodies(edited.sessions), note=text)
    decide_plan(database, caller, plan_id, body, note)


def to_bodies(sessions: Sequence[Session]) -> list[SessionIn]:
    """Sessions as bodies that may be sent."""
    return [SessionIn.model_validate(seats.model_dump()) for seats in to_session_seats(sessions)]


def check_sessions(problem: Problem, sessions: Sequence[Session]) -> tuple[Session, ...]:
    """The sessions where all of them are of the day; raises `RequestError` where not."""
    return read_sessions(problem, to_bodies(sessions))


def _finish_nothing(connection: Connection, plan_id: str) -> None:
    """Nothing more is stored with a plan."""
    del connection, plan_id


def _changed_sessions(edited: EditedDay) -> list[str]:
    """Ids of sessions whose students differ from those suggested or decided on."""
    before = {session.id: set(session.students) for session in edited.day.current}
    return [session.id for session in edited.sessions if before.get(session.id) != set(session.students)]


def _hand_seats(edited: EditedDay, unchanged: set[str]) -> list[tuple[Session, list[str]]]:
    """Adult-led sessions with the students who have to stay: all where it is locked, else those moved by hand."""
    before = {(student, session.block): session.id for session in edited.day.current for student in session.students}
    return [
        (
            session,
            [
                s
                for s in session.students
                if session.id in edited.locked or before.get((s, session.block)) != session.id
            ],
        )
        for session in edited.sessions
        if session.session_type is not SessionType.ONLINE and session.id not in unchanged
    ]
