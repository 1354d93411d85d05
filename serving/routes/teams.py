"""`/v1/teams`: a team's shared picture."""

from fastapi import APIRouter

from serving.access.caller import Scope
from serving.answers import tell_board
from serving.dependencies import (
    CurrentAuditor,
    CurrentCaller,
    CurrentDatabase,
    CurrentLive,
    CurrentSettings,
    CurrentSnapshot,
    find_roster,
    require,
)
from serving.forecasts import forecast_students
from serving.needs import list_candidates
from serving.planning import load_planning
from serving.refusals import tell_problems
from serving.schemas.forecasts import Board

router = APIRouter(prefix="/v1/teams", tags=["teams"])


@router.get("/{team_id}/board", dependencies=[require(Scope.READ)], responses=tell_problems(404, 503))
def read_board(
    team_id: str,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
    settings: CurrentSettings,
    snapshot: CurrentSnapshot,
    live: CurrentLive,
) -> Board:
    """Who needs what, who is strong where, and who has not been seen by an adult lately."""
    team, skills = find_roster(database, caller, team_id)
    auditor.note("read_board", team_id=team_id)
    snapshot = live.see(snapshot, team.members)
    forecasts = forecast_students(snapshot, team.members, settings.recent_days)
    candidates = list_candidates(team, skills, forecasts, load_planning().need, settings.handful)
    return tell_board(snapshot, team, skills, candidates, forecasts)
