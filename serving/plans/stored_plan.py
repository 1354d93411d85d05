"""What people do with a stored plan: open it, plan the day again from it, decide on it, edit it, ask why not there."""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from features.database import Database
from features.errors import MissingError
from features.roster import read_team
from serving.access.caller import Caller, Scope
from serving.access.visibility import may_see_team
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import ConflictError, NotFoundError, RequestError
from serving.grouping import (
    Bottleneck,
    Evaluation,
    Pin,
    Problem,
    Repair,
    Score,
    Session,
    WhyNot,
    ask_why_not,
    evaluate_edit,
    find_bottlenecks,
    find_moves,
    measure_impact,
    read_seats,
    repair_plan,
    score_plan,
)
from serving.grouping.changes.repair import QUICK
from serving.grouping.changes.why_not import FEW
from serving.grouping.errors import InfeasibleError, ProblemError, require_known
from serving.plans.problem import DayRequest
from serving.plans.rules.team_policy import read_earlier
from serving.plans.sessions import (
    STORED_SESSIONS,
    read_aims,
    read_sessions,
    require_stages,
    to_session,
    to_session_seats,
)
from serving.schemas.changes import ExplanationRequest
from serving.schemas.decisions import DecisionRequest
from serving.schemas.recommendations import RecommendationOut, RecommendationRequest
from serving.store.decisions import Decision, keep_decision, keep_signature
from serving.store.recommendations import StoredPlan, find_recommendation

PLAN_ID = re.compile(r"[0-9a-f]{32}")
"""The form of a plan's id; other texts are not looked up, since a database may not even take them."""

MOST_EVALUATED = 200
"""Moved seats beyond which none is evaluated alone: each takes about as long as evaluating the whole plan."""


@dataclass(frozen=True)
class StoredDay:
    """A day that was planned.

    Attributes:
        answer: The plan as it was returned.
        problem: The day.
        suggested: The plan's sessions.
        current: The sessions that were decided on; those suggested where none were.
        aims: What the team wants of sessions that were decided on, by their ids.
    """

    answer: RecommendationOut
    problem: Problem
    suggested: tuple[Session, ...]
    current: tuple[Session, ...]
    aims: Mapping[str, str] = field(default_factory=dict)


def require_plan(database: Database, caller: Caller, recommendation_id: str) -> StoredPlan:
    """The stored plan.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
    """
    stored = find_recommendation(database, recommendation_id) if PLAN_ID.fullmatch(recommendation_id) else None
    if stored is None or not may_see_team(database, caller, stored.answer.team_id):
        raise unknown_recommendation()
    return stored


def open_day(database: Database, caller: Caller, recommendation_id: str) -> StoredDay:
    """The day of a stored plan.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: The plan was stored by a version that did not store days.
    """
    return read_day(require_plan(database, caller, recommendation_id))


def read_day(stored: StoredPlan) -> StoredDay:
    """The day of a plan as it was read.

    Raises:
        ConflictError: The plan was stored by a version that did not store days.
    """
    problem = stored.problem()
    if problem is None:
        raise ConflictError("plan_too_old", "the day of this plan was not stored; ask for a new plan of it")
    suggested = tuple(to_session(session) for session in stored.answer.sessions)
    decided = STORED_SESSIONS.validate_json(stored.decided_sessions or "[]")
    current = tuple(to_session(session) for session in decided) or suggested
    return StoredDay(stored.answer, problem, suggested, current, read_aims(decided))


def read_current(stored: StoredPlan) -> tuple[Session, ...]:
    """The sessions of a plan that were decided on; those suggested where none were."""
    decided = STORED_SESSIONS.validate_json(stored.decided_sessions or "[]")
    return tuple(to_session(session) for session in decided or stored.answer.sessions)


def carry_plan(database: Database, caller: Caller, body: RecommendationRequest, request: DayRequest) -> DayRequest:
    """The request with seats and policy of the earlier plan that the body names, if it names one.

    Raises:
        RequestError: There is no such plan of this team and date, or it has no such session.
        ConflictError: The plan was stored by a version that did not store days.
    """
    if body.previous is None:
        return request
    try:
        earlier = open_day(database, caller, body.previous)
    except NotFoundError:
        earlier = None
    if earlier is None or (earlier.answer.team_id, earlier.answer.date) != (body.team_id, body.date):
        detail = f"previous: there is no plan {body.previous!r} of this team and date"
        raise RequestError("unknown_previous", detail, field="previous")
    sessions = {session.id: session for session in earlier.current}
    for at, session_id in enumerate(body.keep_sessions):
        if session_id not in sessions:
            field = f"keep_sessions[{at}]"
            raise RequestError(
                "unknown_session", f"{field}: the earlier plan has no session {session_id!r}", field=field
            )
    kept = [sessions[session_id] for session_id in body.keep_sessions]
    return replace(
        request,
        previous=tuple(read_seats(earlier.current).values()),
        kept=tuple(read_seats(kept).values()),
        earlier=read_earlier(earlier.answer.policy, earlier.problem),
    )


def decide_plan(
    database: Database,
    caller: Caller,
    recommendation_id: str,
    body: DecisionRequest,
    note: Callable[[str], AuditEntry],
) -> tuple[StoredDay, Decision]:
    """The day of a plan and the decision that is now stored on it; sessions that are not rejected count as held.

    Args:
        database: The service's database.
        caller: Who decides.
        recommendation_id: The plan.
        body: What was decided.
        note: Gives, for the team of the plan, the audit entry that is stored with the decision.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: Another decision was stored before, or the plan is of a version that did not store days.
        RequestError: A session names what the day does not have, or is more than an adult's stage of growth allows.
    """
    day = open_day(database, caller, recommendation_id)
    held = () if body.decision == "rejected" else day.suggested
    if body.sessions is not None:
        held = read_sessions(day.problem, body.sessions)
        require_stages(day.problem, held)
    sent = Decision(
        recommendation_id=recommendation_id,
        decided_at=datetime.now(UTC),
        key_id=caller.key_id,
        decision=body.decision,
        reasons=tuple(body.reasons),
        note=body.note,
        sessions=STORED_SESSIONS.dump_json(to_session_seats(held, read_aims(body.sessions or ()))).decode(),
    )
    team_id = day.answer.team_id
    if body.decision != "rejected" and leader_signs(database, team_id):
        if Scope.SIGN in caller.scopes:
            sent = replace(sent, signed_at=sent.decided_at, signed_by=caller.key_id)
        else:
            sent = replace(sent, awaits_signature=True)
    with database.changing(alone=True) as connection:
        students = {student.id for student in day.problem.students}
        found = keep_decision(connection, sent, team_id, day.answer.date, students)
        if found is None or not may_see_team(connection, caller, team_id):  # gone, or another's, since it was read
            raise unknown_recommendation()
        stored, same = found
        if same:
            add_entries(connection, [note(team_id)])
    if not same:
        at = f"{stored.decided_at:%Y-%m-%d %H:%M} UTC"
        raise ConflictError(
            "already_decided",
            f"this plan was {stored.decision} at {at}; to decide anew, make a new plan",
            decision=stored.decision,
            decided_at=stored.decided_at.isoformat(),
        )
    return open_day(database, caller, recommendation_id), stored  # anew: somebody may have been erased meanwhile


def sign_plan(
    database: Database, caller: Caller, recommendation_id: str, note: Callable[[str], AuditEntry]
) -> tuple[StoredDay, Decision]:
    """The day and the decision on it once its leader has signed it, so that its sessions count as held.

    A decision that needs no signature, or has one, stays as it is.

    Args:
        database: The service's database.
        caller: Who signs.
        recommendation_id: The plan.
        note: Gives, for the team of the plan, the audit entry that is stored with the signature.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: Nobody accepted the plan.
    """
    day = open_day(database, caller, recommendation_id)
    team_id = day.answer.team_id
    with database.changing(alone=True) as connection:
        if not may_see_team(connection, caller, team_id):
            raise unknown_recommendation()
        now, date = datetime.now(UTC), day.answer.date
        found = keep_signature(connection, recommendation_id, team_id, date, now, caller.key_id)
        if found is not None and found[1]:
            add_entries(connection, [note(team_id)])
    if found is None:
        raise ConflictError("not_accepted", "nobody accepted this plan yet, so there is nothing to sign")
    return open_day(database, caller, recommendation_id), found[0]


def leader_signs(database: Database, team_id: str) -> bool:
    """Whether the team asks that its leader signs a day before it counts."""
    try:
        return read_team(database, team_id).leader_signs
    except MissingError:  # it has left the roster
        return False


def judge_edit(
    problem: Problem,
    edited: tuple[Session, ...],
    suggested: tuple[Session, ...] | None,
    *,
    repair: bool,
    seconds: float | None = None,
    singly: bool = True,
) -> tuple[Evaluation, Score, Repair | None]:
    """The evaluation of an edit, its score, and a repair where rules are broken and one is found.

    Args:
        problem: The day.
        edited: Sessions whose ids are known, each with students.
        suggested: The plan before it was edited; null where it is not known, so that the edit has no score impact.
        repair: Whether to look for a repair.
        seconds: How long both may take, of which the repair has half or more; null: no time limit.
        singly: Whether to measure each moved seat alone too.
    """
    began = time.perf_counter()
    until = None if seconds is None else began + seconds
    half = None if seconds is None else began + seconds / 2
    moves = () if suggested is None else find_moves(problem, suggested, edited)
    few = len(moves) <= MOST_EVALUATED
    evaluation = evaluate_edit(problem, edited, suggested if few else None, half, singly=singly)
    score = evaluation.score or score_plan(problem, edited)
    if suggested is not None and not few:
        evaluation = replace(
            evaluation, score_impact=measure_impact(score_plan(problem, suggested), score), moves=moves
        )
    repaired = None
    if repair and evaluation.violations:
        with suppress(InfeasibleError):  # the search found no plan near the edited one
            repaired = repair_plan(problem, edited, replace(QUICK, deadline=until))
        if until is not None and time.perf_counter() > until:
            evaluation = replace(evaluation, cut_by_clock=True)
    return evaluation, score, repaired


def find_explanation(
    day: StoredDay, body: ExplanationRequest, take_turn: AbstractContextManager[float]
) -> tuple[WhyNot, tuple[Bottleneck, ...]]:
    """What it takes to give a student a seat while everybody else may move, and the resources that are used up.

    Args:
        day: The day.
        body: The student and the seat.
        take_turn: Context of a turn at the solver.

    Raises:
        RequestError: The body names what the day does not have, or the sessions break a hard rule.
        QueueFullError: Too many requests wait for the solver.
    """
    problem = day.problem
    sessions = day.current if body.sessions is None else read_sessions(problem, body.sessions)
    named = (
        ("student_id", body.student_id, problem.students, "students"),
        ("block_id", body.block_id, problem.blocks, "blocks"),
        ("skill_id", body.skill_id, problem.skills, "skills"),
        ("staff_id", body.staff_id, problem.adults, "adults"),
    )
    try:
        for field, value, parts, kind in named:
            if value is not None:
                require_known(field, value, {part.id for part in parts}, kind)
        pin = Pin(body.student_id, body.block_id, body.session_type, body.skill_id, body.staff_id)
        with take_turn:
            deadline = time.perf_counter() + body.seconds
            found = ask_why_not(problem, sessions, pin, replace(FEW, deadline=deadline))
    except ProblemError as error:
        if error.field == "sessions":
            detail = "sessions: the day as it will be held breaks a hard rule; evaluate it, and ask with its repair"
            raise RequestError("breaks_rules", detail, field="sessions") from error
        raise RequestError("not_of_this_day", str(error), field=error.field) from error
    return found, find_bottlenecks(problem, sessions)


def unknown_recommendation() -> NotFoundError:
    """The one answer about a plan that does not exist, or that the caller may not know of."""
    return NotFoundError("unknown_recommendation", "there is no recommendation with this id")
