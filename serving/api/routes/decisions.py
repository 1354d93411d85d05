"""`/v1/recommendations/{id}/decision`: what people decide on a plan, and which sessions count as held."""

from fastapi import APIRouter

from serving.access.caller import Scope
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentDatabase, PlanInPath, require_scope
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.api.responses.changes import to_decision
from serving.errors import NotFoundError
from serving.plans.stored_plan import decide_plan, open_day, sign_plan
from serving.schemas.decisions import DecisionOut, DecisionRequest
from serving.store.decisions import find_decision

router = APIRouter(prefix="/v1/recommendations/{recommendation_id}", route_class=GatedRoute, tags=["recommendations"])


@router.post("/decision", dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409))
def decide(
    recommendation_id: PlanInPath,
    body: DecisionRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
) -> DecisionOut:
    """Stores what people decided; accepted sessions count as held and replace those of an earlier plan of that day.

    A plan is decided on once; the same decision sent again gets the same answer. An edited plan that breaks hard rules
    is stored, since people have the last word, and the answer names the rules.
    """
    day, decision = decide_plan(
        database,
        caller,
        recommendation_id,
        body,
        note=lambda team_id: auditor.entry("decide", team_id=team_id, subject=recommendation_id),
    )
    return to_decision(decision, day.problem)


@router.post("/signature", dependencies=[require_scope(Scope.SIGN)], responses=problem_responses(404, 409))
def sign(
    recommendation_id: PlanInPath, caller: CurrentCaller, auditor: CurrentAuditor, database: CurrentDatabase
) -> DecisionOut:
    """Signs an accepted plan as the team's leader; from now on its sessions count, where the team asks for that.

    A decision that counts already stays as it is.
    """
    day, decision = sign_plan(
        database,
        caller,
        recommendation_id,
        note=lambda team_id: auditor.entry("sign", team_id=team_id, subject=recommendation_id),
    )
    return to_decision(decision, day.problem)


@router.get("/decision", dependencies=[require_scope(Scope.READ)], responses=problem_responses(404, 409))
def read_decision(
    recommendation_id: PlanInPath, caller: CurrentCaller, auditor: CurrentAuditor, database: CurrentDatabase
) -> DecisionOut:
    """Reads what was decided on a plan."""
    day = open_day(database, caller, recommendation_id)
    decision = find_decision(database, recommendation_id)
    if decision is None:
        raise NotFoundError("undecided", "nobody has decided on this plan yet")
    auditor.note("read_decision", team_id=day.answer.team_id, subject=recommendation_id)
    return to_decision(decision, day.problem)
