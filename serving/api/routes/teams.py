"""`/v1/teams`: a team's shared picture, and its forecasts."""

from fastapi import APIRouter, Response

from serving.access.caller import Scope
from serving.api.dependencies import (
    CurrentAuditor,
    CurrentCaller,
    CurrentRosters,
    CurrentSettings,
    CurrentView,
    find_roster,
    require,
)
from serving.api.etags import TAGGED, IfNoneMatch, Tagged
from serving.api.problems import tell_problems
from serving.api.responses.recommendations import tell_board, tell_team_forecasts
from serving.models.forecasts import forecast_students
from serving.plans.needs import find_candidates
from serving.plans.policy import load_planning
from serving.schemas.forecasts import Board, TeamForecasts

router = APIRouter(prefix="/v1/teams", tags=["teams"])


@router.get(
    "/{team_id}/board",
    dependencies=[require(Scope.READ)],
    response_model=Board,
    responses=tell_problems(404, 503) | TAGGED,
)
def read_board(
    team_id: str,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    rosters: CurrentRosters,
    settings: CurrentSettings,
    view: CurrentView,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Who needs what, who is strong where, and who has not been seen by an adult lately."""
    team, seen = find_roster(rosters, caller, team_id)
    auditor.note("read_board", team_id=team_id)
    snapshot = view.see(team.members, seen.latest_event)

    def tell() -> Tagged:
        forecasts = forecast_students(snapshot, team.members, settings.recent_days)
        need = load_planning().need
        candidates = find_candidates(snapshot, team, seen, need, settings.recent_days, settings.handful)
        return Tagged.of(tell_board(snapshot, team, seen.skills, candidates, forecasts).model_dump_json())

    told = snapshot.reckoned.get(("board", seen.version, team.team_id, team.members, snapshot.live_through), tell)
    return told.answer(if_none_match, seen.stale_seconds)


@router.get(
    "/{team_id}/forecasts",
    dependencies=[require(Scope.READ)],
    response_model=TeamForecasts,
    responses=tell_problems(404, 503) | TAGGED,
)
def read_forecasts(
    team_id: str,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    rosters: CurrentRosters,
    settings: CurrentSettings,
    view: CurrentView,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The team's struggle and mastery forecasts, without their reasons, for a program that goes through them all."""
    team, seen = find_roster(rosters, caller, team_id)
    auditor.note("read_forecasts", team_id=team_id)
    snapshot = view.see(team.members, seen.latest_event)

    def tell() -> Tagged:
        forecasts = forecast_students(snapshot, team.members, settings.recent_days)
        return Tagged.of(tell_team_forecasts(snapshot, team, forecasts).model_dump_json())

    told = snapshot.reckoned.get(("team_forecasts", team.team_id, team.members, snapshot.live_through), tell)
    return told.answer(if_none_match, seen.stale_seconds)
