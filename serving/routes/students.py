"""`/v1/students`: one student's profile."""

import pandas as pd
from fastapi import APIRouter

from features.errors import MissingError
from features.roster import SkillMap, read_skills, teams_of_students
from serving.answers import tell_forecasts, tell_provenance
from serving.dependencies import CurrentDatabase, CurrentLive, CurrentSettings, CurrentSnapshot
from serving.errors import NotFoundError
from serving.forecasts import forecast_students
from serving.refusals import tell_problems
from serving.schemas.forecasts import StudentOut

router = APIRouter(prefix="/v1/students", tags=["students"])


@router.get("/{student_id}/profile", responses=tell_problems(404, 503))
def read_profile(
    student_id: str, database: CurrentDatabase, settings: CurrentSettings, snapshot: CurrentSnapshot, live: CurrentLive
) -> StudentOut:
    """What is known and forecast about a student, skill by skill, with facts and reasons."""
    try:
        skills, teams = read_skills(database), teams_of_students(database, [student_id])
    except MissingError:
        skills, teams = SkillMap({}, {}), {}
    snapshot = live.see(snapshot, [student_id])
    forecasts = forecast_students(snapshot, [student_id], settings.recent_days)
    known = student_id in snapshot.student_profiles.index
    if not known and student_id not in teams:
        raise NotFoundError("unknown_student", "no student with this id is in the roster or the event log")
    row = snapshot.student_profiles.loc[student_id].to_dict() if known else {}
    facts = {name: None if pd.isna(value) else value for name, value in row.items()}
    return StudentOut(
        student_id=student_id,
        team_id=teams.get(student_id),
        responses=int(facts.get("student_responses") or 0),
        last_active=facts.get("last_active"),
        correct_share_10r=facts.get("correct_share_10r"),
        recent_responses_7d=facts.get("recent_responses_7d"),
        active_minutes_7d=facts.get("active_minutes_7d"),
        skills=tell_forecasts(snapshot, skills, forecasts),
        provenance=tell_provenance(snapshot),
    )
