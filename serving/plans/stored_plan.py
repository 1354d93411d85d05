"""What people ask about a plan they change: an edit judged with its smallest repair, and why a seat is not given."""

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from features.database import Database
from serving.access.caller import Caller
from serving.access.visibility import may_see_team
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
from serving.grouping.errors import InfeasibleError, ProblemError, require_known
from serving.plans.problem import DayRequest
from serving.plans.queue import SolverQueue
from serving.plans.sessions import read_sessions, to_session, to_session_seats
from serving.schemas.changes import ExplanationRequest
from serving.schemas.decisions import DecisionRequest
from serving.schemas.recommendations import RecommendationOut, RecommendationRequest
from serving.schemas.sessions import SessionIn
from serving.store.decisions import Decision, keep_decision
from serving.store.recommendations import StoredPlan, find_recommendation

IDENTITY = re.compile(r"[0-9a-f]{32}")
"""Of a plan; nothing else is asked of a database, which may not even take it as a text."""


@dataclass(frozen=True)
class StoredDay:
    """A day that was planned.

    Attributes:
        answer: The plan as it was returned.
        problem: The day.
        suggested: The plan's sessions.
        current: Those that were decided, where some were; else those suggested.
    """

    answer: RecommendationOut
    problem: Problem
    suggested: tuple[Session, ...]
    current: tuple[Session, ...]


def require_plan(database: Database, caller: Caller, recommendation_id: str) -> StoredPlan:
    """The stored plan.

    Raises:
        NotFoundError: There is none with this id, or none that the caller may know of.
    """
    stored = find_recommendation(database, recommendation_id) if IDENTITY.fullmatch(recommendation_id) else None
    if stored is None or not may_see_team(database, caller, stored.answer.team_id):
        raise unknown_recommendation()
    return stored


def open_day(database: Database, caller: Caller, recommendation_id: str) -> StoredDay:
    """The day of a stored plan.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: It was kept by a version that did not keep days.
    """
    stored = require_plan(database, caller, recommendation_id)
    problem = stored.problem()
    if problem is None:
        raise ConflictError("plan_too_old", "the day of this plan was not kept; ask for a new plan of it")
    suggested = tuple(to_session(SessionIn.model_validate(each.model_dump())) for each in stored.answer.sessions)
    decided = json.loads(stored.decided_sessions or "[]")
    current = tuple(to_session(SessionIn.model_validate(each)) for each in decided)
    return StoredDay(stored.answer, problem, suggested, current or suggested)


def decide_plan(
    database: Database, caller: Caller, recommendation_id: str, body: DecisionRequest
) -> tuple[StoredDay, Decision]:
    """The day of a plan and the decision that is now stored on it; sessions that are not rejected count as held.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: Another decision was stored before, or the plan is of a version that did not keep days.
        RequestError: A session names what the day does not have.
    """
    day = open_day(database, caller, recommendation_id)
    held = () if body.decision == "rejected" else day.suggested
    if body.sessions is not None:
        held = read_sessions(day.problem, body.sessions)
    sent = Decision(
        recommendation_id=recommendation_id,
        decided_at=datetime.now(UTC),
        key_id=caller.key_id,
        decision=body.decision,
        reasons=tuple(body.reasons),
        note=body.note,
        sessions=json.dumps([session.model_dump(mode="json") for session in to_session_seats(held)]),
    )
    stored = keep_decision(database, sent, day.answer.team_id, day.answer.date, held)
    if stored is None:
        raise unknown_recommendation()
    if stored.content != sent.content:
        at = f"{stored.decided_at:%Y-%m-%d %H:%M} UTC"
        detail = f"this plan was {stored.decision} at {at}; to decide anew, make a new plan"
        raise ConflictError(
            "already_decided", detail, decision=stored.decision, decided_at=stored.decided_at.isoformat()
        )
    return day, stored


def unknown_recommendation() -> NotFoundError:
    """The one answer about a plan that is not there, or that the caller may not know of."""
    return NotFoundError("unknown_recommendation", "there is no recommendation with this id")


def carry_seats(database: Database, caller: Caller, body: RecommendationRequest, wanted: DayRequest) -> DayRequest:
    """What is asked for with the seats of the earlier plan that the body names, if it names one.

    Raises:
        RequestError: There is no such plan of this team and date, or it has no such session.
        ConflictError: The plan was kept by a version that did not keep days.
    """
    if body.previous is None:
        return wanted
    try:
        earlier = open_day(database, caller, body.previous)
    except NotFoundError:
        earlier = None
    if earlier is None or (earlier.answer.team_id, earlier.answer.date) != (body.team_id, body.date):
        told = f"previous: there is no plan {body.previous!r} of this team and date"
        raise RequestError("unknown_previous", told, field="previous")
    sessions = {session.id: session for session in earlier.current}
    for at, name in enumerate(body.keep_sessions):
        if name not in sessions:
            told = f"keep_sessions[{at}]: the earlier plan has no session {name!r}"
            raise RequestError("unknown_session", told, field=f"keep_sessions[{at}]")
    kept = [sessions[name] for name in dict.fromkeys(body.keep_sessions)]
    return replace(
        wanted,
        previous=tuple(read_seats(earlier.current).values()),
        kept=tuple(read_seats(kept).values()),
    )


MOST_PRICED = 200
"""Moved seats beyond which none has a price of its own: each takes about as long as judging the whole plan."""


def judge_edit(
    problem: Problem, edited: tuple[Session, ...], suggested: tuple[Session, ...] | None, *, repair: bool
) -> tuple[Evaluation, Score, Repair | None]:
    """Returns the judgement, the score, and the repair where rules are broken and one is found.

    Args:
        problem: The day.
        edited: Sessions whose ids are known, each with students.
        suggested: The plan before it was edited; None where it is not known, so that the edit has no price.
        repair: Whether to look for a repair.
    """
    moves = () if suggested is None else find_moves(problem, suggested, edited)
    judged = evaluate_edit(problem, edited, suggested if len(moves) <= MOST_PRICED else None)
    score = judged.score or score_plan(problem, edited)
    if suggested is not None and len(moves) > MOST_PRICED:
        judged = replace(judged, score_impact=measure_impact(score_plan(problem, suggested), score), moves=moves)
    mended = None
    if repair and judged.violations:
        try:
            mended = repair_plan(problem, edited)
        except InfeasibleError:
            mended = None  # the search found no plan near the edited one
    return judged, score, mended


def find_explanation(
    day: StoredDay, body: ExplanationRequest, queue: SolverQueue
) -> tuple[WhyNot, tuple[Bottleneck, ...]]:
    """What it takes to seat a student somewhere, everybody else being free to move, and which resources are used up.

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
        with queue.acquire():
            found = ask_why_not(problem, sessions, pin)
    except ProblemError as error:
        if error.field == "sessions":
            detail = "sessions: the day as it is held breaks a hard rule; evaluate it, and ask with its repair"
            raise RequestError("breaks_rules", detail, field="sessions") from error
        raise RequestError("not_of_this_day", str(error), field=error.field) from error
    return found, find_bottlenecks(problem, sessions)
