"""`/v1/students`: one student's profile."""

from fastapi import APIRouter, Response

from features.errors import MissingError
from features.roster import SkillMap
from features.roster.tables import WHOLE
from serving.access.caller import Scope
from serving.api.dependencies import (
    CurrentAuditor,
    CurrentCaller,
    CurrentRosters,
    CurrentSettings,
    CurrentView,
    find_student_team,
    require,
    unknown_student,
)
from serving.api.etags import tell_age
from serving.api.problems import tell_problems
from serving.api.responses.recommendations import tell_forecasts, tell_provenance
from serving.models.forecasts import forecast_students
from serving.schemas.forecasts import StudentOut
from serving.store.roster_cache import Seen

router = APIRouter(prefix="/v1/students", tags=["students"])


@router.get("/{student_id}/profile", dependencies=[require(Scope.READ)], responses=tell_problems(404, 503))
def read_profile(
    student_id: str,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    rosters: CurrentRosters,
    settings: CurrentSettings,
    view: CurrentView,
    response: Response,
) -> StudentOut:
    """What is known and forecast about a student, skill by skill, with facts and reasons."""
    team_id = find_student_team(rosters, caller, student_id)
    try:
        seen = rosters.recent(team_id or WHOLE)
    except MissingError:
        seen = Seen(None, SkillMap({}, {}))
    snapshot = view.see([student_id], seen.latest_event)
    known = student_id in snapshot.student_facts.position
    if not known and team_id is None:
        raise unknown_student()
    auditor.note("read_profile", team_id=team_id, student_id=student_id)
    response.headers.update(tell_age(seen.stale_seconds))
    forecasts = forecast_students(snapshot, [student_id], settings.recent_days)
    facts = snapshot.student_facts.of(student_id)
    return StudentOut(
        student_id=student_id,
        team_id=team_id,
        responses=int(facts.get("student_responses", 0)),
        last_active=snapshot.student_facts.last_active_of(student_id),
        correct_share_10r=facts.get("correct_share_10r"),
        recent_responses_7d=facts.get("recent_responses_7d"),
        active_minutes_7d=facts.get("active_minutes_7d"),
        skills=tell_forecasts(snapshot, seen.skills, forecasts),
        provenance=tell_provenance(snapshot),
    )
