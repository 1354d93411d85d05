"""`/v1/recommendations/{id}/evaluation`: what there is to say of a plan that a person edited."""

from fastapi import APIRouter

from serving.access.caller import Scope
from serving.change_answers import tell_evaluation
from serving.dependencies import CurrentAuditor, CurrentCaller, CurrentDatabase, CurrentPlanners, require
from serving.editing import judge_edit
from serving.refusals import tell_problems
from serving.schemas.evaluations import EvaluationOut, EvaluationRequest
from serving.session_bodies import read_sessions
from serving.stored_days import open_day

router = APIRouter(prefix="/v1/recommendations/{recommendation_id}", tags=["recommendations"])


@router.post("/evaluation", dependencies=[require(Scope.PLAN)], responses=tell_problems(404, 409, 503))
def evaluate_edit(
    recommendation_id: str,
    body: EvaluationRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
    planners: CurrentPlanners,
) -> EvaluationOut:
    """Scores an edited plan: broken rules and their smallest repair, what changed, the price of each change."""
    day = open_day(database, caller, recommendation_id)
    auditor.note("evaluate", team_id=day.answer.team_id, subject=recommendation_id)
    edited = read_sessions(day.problem, body.sessions)
    with planners.take():
        judged = judge_edit(day.problem, edited, day.suggested, repair=body.repair)
    return tell_evaluation(recommendation_id, *judged)
