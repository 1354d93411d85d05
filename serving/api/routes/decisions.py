"""`/v1/recommendations/{id}/decision`: what people decide on a plan, and what thereby counts as held."""

import json
from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import TypeAdapter

from serving.access.caller import Scope
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentDatabase, require
from serving.api.problems import tell_problems
from serving.api.responses.changes import tell_violations
from serving.errors import ConflictError, NotFoundError
from serving.grouping.rules.check import find_violations
from serving.plans.sessions import read_sessions, tell_sessions, to_session
from serving.plans.stored_plan import StoredDay, open_day
from serving.schemas.decisions import DecisionOut, DecisionRequest
from serving.schemas.sessions import SessionIn, SessionSeats
from serving.store.decisions import Decision, find_decision, keep_decision

router = APIRouter(prefix="/v1/recommendations/{recommendation_id}", tags=["recommendations"])

SEATS = TypeAdapter(list[SessionSeats])


@router.post("/decision", dependencies=[require(Scope.PLAN)], responses=tell_problems(404, 409))
def decide(
    recommendation_id: str,
    body: DecisionRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
) -> DecisionOut:
    """Keeps what people decided; accepted sessions count as held and replace those of an earlier plan of that day.

    A plan is decided on once; the same decision sent again is answered the same. An edited plan that breaks hard rules
    is kept all the same, since people have the last word, and the answer tells the rules.
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
        sessions=json.dumps([each.model_dump(mode="json") for each in tell_sessions(held)]),
    )
    kept = keep_decision(database, sent, day.answer.team_id, day.answer.date, held)
    if kept is None:
        raise NotFoundError("unknown_recommendation", "there is no recommendation with this id")
    if kept.said != sent.said:
        told = f"this plan was {kept.decision} at {kept.decided_at:%Y-%m-%d %H:%M} UTC; to decide anew, make a new plan"
        raise ConflictError("already_decided", told, decision=kept.decision, decided_at=kept.decided_at.isoformat())
    auditor.note("decide", team_id=day.answer.team_id, subject=recommendation_id)
    return _tell(kept, day)


@router.get("/decision", dependencies=[require(Scope.READ)], responses=tell_problems(404, 409))
def read_decision(
    recommendation_id: str, caller: CurrentCaller, auditor: CurrentAuditor, database: CurrentDatabase
) -> DecisionOut:
    """What was decided on a plan."""
    day = open_day(database, caller, recommendation_id)
    kept = find_decision(database, recommendation_id)
    if kept is None:
        raise NotFoundError("undecided", "nobody has decided on this plan yet")
    auditor.note("read_decision", team_id=day.answer.team_id, subject=recommendation_id)
    return _tell(kept, day)


def _tell(kept: Decision, day: StoredDay) -> DecisionOut:
    sessions = SEATS.validate_json(kept.sessions)
    held = tuple(to_session(SessionIn.model_validate(each.model_dump())) for each in sessions)
    return DecisionOut.model_validate(
        {
            "recommendation_id": kept.recommendation_id,
            "decision": kept.decision,
            "decided_at": kept.decided_at,
            "reasons": kept.reasons,
            "note": kept.note,
            "sessions": sessions,
            "violations": tell_violations(find_violations(day.problem, held)) if held else [],
            "replaces": kept.replaces,
        }
    )
