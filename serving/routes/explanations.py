"""`/v1/recommendations/{id}/explanations`: why a student does not sit somewhere."""

from fastapi import APIRouter

from serving.access.caller import Scope
from serving.change_answers import tell_explanation
from serving.dependencies import CurrentAuditor, CurrentCaller, CurrentDatabase, CurrentPlanners, require
from serving.errors import RequestError
from serving.grouping.changes.binding import find_bounds
from serving.grouping.changes.why_not import ask_why_not
from serving.grouping.errors import ProblemError
from serving.grouping.places import Pin
from serving.grouping.validation import require_known
from serving.refusals import tell_problems
from serving.schemas.explanations import ExplanationOut, ExplanationRequest
from serving.session_bodies import read_sessions
from serving.stored_days import open_day

router = APIRouter(prefix="/v1/recommendations/{recommendation_id}", tags=["recommendations"])


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
