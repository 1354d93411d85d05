"""`/v1/recommendations/{id}/placements`: all places of one late or new student."""

from fastapi import APIRouter, Request

from serving.access.caller import Scope
from serving.change_answers import tell_placements
from serving.dependencies import (
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
from serving.grouping.changes.placements import rank_places
from serving.latecomers import Known, admit
from serving.planning import load_planning
from serving.refusals import tell_problems
from serving.schemas.placements import PlacementRequest, PlacementsOut
from serving.session_bodies import read_sessions
from serving.stored_days import open_day

router = APIRouter(prefix="/v1/recommendations/{recommendation_id}", tags=["recommendations"])


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
