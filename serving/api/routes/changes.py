"""`/v1/recommendations/{id}/explanations`: why a student does not sit somewhere."""

from fastapi import APIRouter, Request

from serving.access.caller import Scope
from serving.api.dependencies import (
    CurrentAuditor,
    CurrentCaller,
    CurrentDatabase,
    CurrentPlanners,
    CurrentRosters,
    CurrentSettings,
    find_roster,
    require,
    snapshot_of,
)
from serving.api.problems import tell_problems
from serving.api.responses.changes import tell_evaluation, tell_explanation, tell_placements
from serving.errors import RequestError
from serving.grouping.changes.bottlenecks import find_bounds
from serving.grouping.changes.placements import rank_places
from serving.grouping.changes.why_not import ask_why_not
from serving.grouping.errors import ProblemError, require_known
from serving.grouping.problem.places import Pin
from serving.plans.latecomer import Known, admit
from serving.plans.policy import load_planning
from serving.plans.sessions import read_sessions
from serving.plans.stored_plan import judge_edit, open_day
from serving.schemas.changes import (
    EvaluationOut,
    EvaluationRequest,
    ExplanationOut,
    ExplanationRequest,
    PlacementRequest,
    PlacementsOut,
)

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


@router.post("/placements", dependencies=[require(Scope.PLAN)], responses=tell_problems(404, 409, 503))
def rank_placements(
    recommendation_id: str,
    body: PlacementRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
    planners: CurrentPlanners,
    rosters: CurrentRosters,
    settings: CurrentSettings,
    request: Request,
) -> PlacementsOut:
    """Ranks all places of one late or new student by what each does to the score, while nobody else moves."""
    day = open_day(database, caller, recommendation_id)
    auditor.note("place", team_id=day.answer.team_id, student_id=body.student_id, subject=recommendation_id)

    def know() -> Known:
        team, seen = find_roster(rosters, caller, day.answer.team_id)
        needs = load_planning().need
        return Known(team, seen.skills, snapshot_of(request), needs, settings.recent_days, settings.handful)

    late = admit(day.problem, day.in_force, body.student_id, body.block_ids, know)
    sessions = day.in_force if body.sessions is None else read_sessions(late.problem, body.sessions)
    with planners.take():
        ranked = rank_places(late.problem, sessions, body.student_id, late.blocks)
    return tell_placements(recommendation_id, late.problem, body.student_id, late.needs_from, ranked, late.blocks)


@router.post("/explanations", dependencies=[require(Scope.PLAN)], responses=tell_problems(404, 409, 503))
def explain_seat(
    recommendation_id: str,
    body: ExplanationRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
    planners: CurrentPlanners,
) -> ExplanationOut:
    """Tells what it costs to seat a student somewhere, everybody else being free to move, or which rule forbids it."""
    day = open_day(database, caller, recommendation_id)
    auditor.note("explain", team_id=day.answer.team_id, student_id=body.student_id, subject=recommendation_id)
    sessions = day.in_force if body.sessions is None else read_sessions(day.problem, body.sessions)
    named = (
        ("student_id", body.student_id, day.problem.students),
        ("block_id", body.block_id, day.problem.blocks),
        ("skill_id", body.skill_id, day.problem.skills),
        ("staff_id", body.staff_id, day.problem.adults),
    )
    try:
        for field, value, parts in named:
            if value is not None:
                kind = "students" if field == "student_id" else field.replace("_id", "s").replace("staffs", "adults")
                require_known(field, value, {part.id for part in parts}, kind)
        pin = Pin(body.student_id, body.block_id, body.modality, body.skill_id, body.staff_id)
        with planners.take():
            found = ask_why_not(day.problem, sessions, pin)
    except ProblemError as error:
        if error.field == "sessions":
            told = "sessions: the day as it is held breaks a hard rule; evaluate it, and ask with its repair"
            raise RequestError("breaks_rules", told, field="sessions") from error
        raise RequestError("not_of_this_day", str(error), field=error.field) from error
    return tell_explanation(recommendation_id, found, find_bounds(day.problem, sessions))
