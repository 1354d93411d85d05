"""`/v1/recommendations/{id}/…`: evaluate an edited plan, rank the seats of a late student, explain a missing seat."""

from fastapi import APIRouter

from serving.access.caller import Scope
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner, PlanInPath, require_scope
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.api.responses.changes import to_evaluation, to_explanation, to_seat_options
from serving.plans.latecomer import find_seat_options
from serving.plans.sessions import read_sessions
from serving.plans.stored_plan import find_explanation, judge_edit, open_day
from serving.schemas.changes import (
    EvaluationOut,
    EvaluationRequest,
    ExplanationOut,
    ExplanationRequest,
    SeatOptionsOut,
    SeatOptionsRequest,
)

router = APIRouter(
    prefix="/v1/recommendations/{recommendation_id}",
    route_class=GatedRoute,
    tags=["recommendations"],
    dependencies=[require_scope(Scope.PLAN)],
    responses=problem_responses(404, 409, 503),
)


@router.post("/evaluation")
def evaluate_edit(
    recommendation_id: PlanInPath,
    body: EvaluationRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> EvaluationOut:
    """Evaluates an edited plan: broken rules and their smallest repair, and the score impact of each change."""
    day = open_day(planner.database, caller, recommendation_id)
    edited = read_sessions(day.problem, body.sessions)
    with planner.take_turn(caller, day.answer.team_id):
        evaluation, score, repair = judge_edit(
            day.problem, edited, day.suggested, repair=body.repair, seconds=body.seconds
        )
    auditor.note("evaluate", team_id=day.answer.team_id, subject=recommendation_id)
    return to_evaluation(recommendation_id, evaluation, score, repair)


@router.post("/seat-options")
def rank_seat_options(
    recommendation_id: PlanInPath,
    body: SeatOptionsRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> SeatOptionsOut:
    """Ranks all seats that a late or new student could have by their score impact, while nobody else moves."""
    day = open_day(planner.database, caller, recommendation_id)
    latecomer, found = find_seat_options(planner, caller, day, body)
    auditor.note("rank_seat_options", team_id=day.answer.team_id, student_id=body.student_id, subject=recommendation_id)
    return to_seat_options(recommendation_id, body.student_id, latecomer, found)


@router.post("/explanations")
def explain_seat(
    recommendation_id: PlanInPath,
    body: ExplanationRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> ExplanationOut:
    """Explains why a student does not have a seat: its score impact while all may move, or the rules against it."""
    day = open_day(planner.database, caller, recommendation_id)
    found, bounds = find_explanation(day, body, planner.take_turn(caller, day.answer.team_id))
    auditor.note("explain", team_id=day.answer.team_id, student_id=body.student_id, subject=recommendation_id)
    return to_explanation(recommendation_id, found, bounds)
