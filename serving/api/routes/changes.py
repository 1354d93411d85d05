"""`/v1/recommendations/{id}/explanations`: why a student does not sit somewhere."""

from fastapi import APIRouter

from serving.access.caller import Scope
from serving.api.dependencies import (
    CurrentAuditor,
    CurrentCaller,
    CurrentDatabase,
    CurrentPlanner,
    CurrentSolverQueue,
    require_scope,
)
from serving.api.problems import problem_responses
from serving.api.responses.changes import to_evaluation, to_explanation, to_placements
from serving.plans.latecomer import place_latecomer
from serving.plans.sessions import read_sessions
from serving.plans.stored_plan import find_explanation, judge_edit, open_day
from serving.schemas.changes import (
    EvaluationOut,
    EvaluationRequest,
    ExplanationOut,
    ExplanationRequest,
    PlacementRequest,
    PlacementsOut,
)

router = APIRouter(prefix="/v1/recommendations/{recommendation_id}", tags=["recommendations"])


@router.post("/evaluation", dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409, 503))
def evaluate_edit(
    recommendation_id: str,
    body: EvaluationRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
    queue: CurrentSolverQueue,
) -> EvaluationOut:
    """Scores an edited plan: broken rules and their smallest repair, what changed, the price of each change."""
    day = open_day(database, caller, recommendation_id)
    auditor.note("evaluate", team_id=day.answer.team_id, subject=recommendation_id)
    edited = read_sessions(day.problem, body.sessions)
    with queue.acquire():
        judged = judge_edit(day.problem, edited, day.suggested, repair=body.repair)
    return to_evaluation(recommendation_id, *judged)


@router.post("/placements", dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409, 503))
def rank_placements(
    recommendation_id: str,
    body: PlacementRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> PlacementsOut:
    """Ranks all places of one late or new student by what each does to the score, while nobody else moves."""
    day = open_day(planner.database, caller, recommendation_id)
    auditor.note("place", team_id=day.answer.team_id, student_id=body.student_id, subject=recommendation_id)

    late, ranked = place_latecomer(planner, caller, day, body)
    return to_placements(recommendation_id, late.problem, body.student_id, late.needs_from, ranked, late.blocks)


@router.post("/explanations", dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409, 503))
def explain_seat(
    recommendation_id: str,
    body: ExplanationRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
    queue: CurrentSolverQueue,
) -> ExplanationOut:
    """Tells what it costs to seat a student somewhere, everybody else being free to move, or which rule forbids it."""
    day = open_day(database, caller, recommendation_id)
    auditor.note("explain", team_id=day.answer.team_id, student_id=body.student_id, subject=recommendation_id)
    found, bounds = find_explanation(day, body, queue)
    return to_explanation(recommendation_id, found, bounds)
