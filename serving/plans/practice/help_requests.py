"""On demand: who works independently asks the adult on call, who supervises that work; who asked and waited."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from serving.access.caller import Caller
from serving.access.visibility import find_roster, may_see_team, require_student
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import NotFoundError, RequestError
from serving.plans.practice.session_reports import require_held
from serving.plans.recommend import Planner
from serving.plans.stored_plan import StoredDay, open_day, unknown_recommendation
from serving.schemas.people.help_requests import HelpRequestIn
from serving.store.practice.help_requests import HelpRequest, end_request, keep_request, list_requests

Note = Callable[[str, str | None], AuditEntry]
"""Gives, for the team and the student, the audit entry that is stored with a change."""


def find_on_call(day: StoredDay, student_id: str, block_id: str) -> tuple[str, ...]:
    """Ids of the adults who supervise a student's independent work in a block; empty where the student has none."""
    for session in day.current:
        if session.block == block_id and not session.led and student_id in session.students:
            return session.adults
    return ()


def ask_for_help(
    planner: Planner, caller: Caller, recommendation_id: str, body: HelpRequestIn, note: Note
) -> tuple[StoredDay, HelpRequest]:
    """Stores that a student asks for an adult; one who waits already goes on waiting.

    Args:
        planner: With the database and the rosters.
        caller: Who sends it.
        recommendation_id: The plan of the day.
        body: The request.
        note: Gives the audit entry that is stored with it.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: The plan does not count, or is of a version that did not store days.
        RequestError: The day is to come, or the student does not work independently in the block.
    """
    day = require_held(planner.database, caller, recommendation_id)
    if not find_on_call(day, body.student_id, body.block_id):
        detail = "student_id: by the plan, no such student works independently in this block"
        raise RequestError("not_independent", detail, field="student_id")
    request = HelpRequest(
        uuid.uuid4().hex,
        recommendation_id,
        body.student_id,
        body.block_id,
        body.skill_id,
        datetime.now(UTC),
        caller.key_id,
    )
    with planner.database.changing() as connection:
        require_student(connection, caller, body.student_id)
        for each in list_requests(connection, recommendation_id):
            if (each.student_id, each.ended_at) == (body.student_id, None):
                return day, each
        keep_request(connection, request)
        add_entries(connection, [note(day.answer.team_id, body.student_id)])
    return day, request


def end_help(
    planner: Planner, caller: Caller, recommendation_id: str, request_id: str, staff_id: str | None, note: Note
) -> tuple[StoredDay, HelpRequest]:
    """Ends a request: an adult came, or the student needs none any more; one that was ended stays as it is.

    Args:
        planner: With the database and the rosters.
        caller: Who sends it.
        recommendation_id: The plan of the day.
        request_id: The request.
        staff_id: The adult who came; null: none.
        note: Gives the audit entry that is stored with it.

    Raises:
        NotFoundError: There is no such request of such a plan, or none that the caller may know of.
        ConflictError: The plan does not count, or is of a version that did not store days.
        RequestError: The team has no such adult.
    """
    day = require_held(planner.database, caller, recommendation_id)
    team_id = day.answer.team_id
    team, _ = find_roster(planner.rosters, caller, team_id)
    if staff_id is not None and staff_id not in {adult.staff_id for adult in team.staff}:
        raise RequestError("unknown_staff", "staff_id: the team has no such adult", field="staff_id")
    with planner.database.changing() as connection:
        if not may_see_team(connection, caller, team_id):
            raise unknown_recommendation()
        ended = end_request(connection, recommendation_id, request_id, staff_id, datetime.now(UTC))
        found = next(
            (each for each in list_requests(connection, recommendation_id) if each.request_id == request_id), None
        )
        if found is None:
            raise NotFoundError("unknown_request", "the plan has no request with this id")
        if ended:
            add_entries(connection, [note(team_id, found.student_id)])
    return day, found


def read_help(planner: Planner, caller: Caller, recommendation_id: str) -> tuple[StoredDay, tuple[HelpRequest, ...]]:
    """The requests of a plan's day, those that wait first.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: The plan is of a version that did not store days.
    """
    day = open_day(planner.database, caller, recommendation_id)
    with planner.database.reading() as connection:
        return day, list_requests(connection, recommendation_id)
