"""`/v1/students`: one student's profile."""

from collections.abc import Callable

from fastapi import APIRouter, Response

from serving.access.caller import Caller, Scope
from serving.api.dependencies import (
    Auditor,
    CurrentAuditor,
    CurrentCaller,
    CurrentPlanner,
    StudentInPath,
    require_scope,
)
from serving.api.etags import stale_headers
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.api.responses.recommendations import to_student
from serving.models.forecasts import forecast_students
from serving.plans.recommend import Planner
from serving.schemas.forecasts import StudentOut

router = APIRouter(prefix="/v1/students", route_class=GatedRoute, tags=["students"])


@router.get(
    "/{student_id:path}/profile", dependencies=[require_scope(Scope.READ)], responses=problem_responses(404, 503)
)
def read_profile(
    student_id: StudentInPath,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    response: Response,
) -> StudentOut:
    """Reads what is known and forecast about a student, skill by skill, with facts and reasons."""
    return make_profile(planner, caller, auditor, student_id, response.headers.update)


def make_profile(
    planner: Planner,
    caller: Caller,
    auditor: Auditor,
    student_id: str,
    put_headers: Callable[[dict[str, str]], None] = lambda _: None,
) -> StudentOut:
    """A student's profile, of which it is noted that it was read.

    Args:
        planner: What serves.
        caller: Who reads.
        auditor: Notes that it was read.
        student_id: The student.
        put_headers: Takes the headers that say how old the answer is.

    Raises:
        NotFoundError: There is no such student, or none that the caller may know of.
        NotReadyError: There is no model yet.
    """
    team_id, roster, snapshot = planner.open_student(caller, student_id)
    auditor.note("read_profile", team_id=team_id, student_id=student_id)
    put_headers(stale_headers(roster.stale_seconds))
    forecasts = forecast_students(snapshot, [student_id], planner.settings.recent_days)
    return to_student(snapshot, student_id, team_id, roster, forecasts)
