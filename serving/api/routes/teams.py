"""`/v1/teams`: the needs and strengths of a team's students, and their forecasts."""

from collections.abc import Callable

from fastapi import APIRouter, Response
from pydantic import BaseModel

from features.roster import Team
from serving.access.caller import Caller, Scope
from serving.access.visibility import find_roster
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner, require_scope
from serving.api.etags import ETAG_RESPONSES, IfNoneMatch, TaggedBody
from serving.api.problems import problem_responses
from serving.api.responses.recommendations import to_board, to_team_forecasts
from serving.models.forecasts import forecast_students
from serving.models.snapshot import Snapshot
from serving.plans.needs import find_candidates
from serving.plans.policy import load_policy
from serving.plans.recommend import Planner
from serving.schemas.forecasts import Board, TeamForecasts
from serving.store.roster_cache import TeamSnapshot

router = APIRouter(prefix="/v1/teams", tags=["teams"])


@router.get(
    "/{team_id}/board",
    dependencies=[require_scope(Scope.READ)],
    response_model=Board,
    responses=problem_responses(404, 503) | ETAG_RESPONSES,
)
def read_board(
    team_id: str,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Reads what each student of a team needs and is strong in, and the date of the last adult-led session."""

    def render(snapshot: Snapshot, team: Team, roster: TeamSnapshot) -> Board:
        days, max_candidates = planner.settings.recent_days, planner.settings.max_candidates
        candidates = find_candidates(snapshot, team, roster, load_policy().need, days, max_candidates)
        forecasts = forecast_students(snapshot, team.members, days)
        return to_board(snapshot, team, roster.skills, candidates, forecasts)

    body, stale_seconds = _read(planner, caller, team_id, lambda: auditor.note("read_board", team_id=team_id), render)
    return body.respond(if_none_match, stale_seconds)


@router.get(
    "/{team_id}/forecasts",
    dependencies=[require_scope(Scope.READ)],
    response_model=TeamForecasts,
    responses=problem_responses(404, 503) | ETAG_RESPONSES,
)
def read_forecasts(
    team_id: str,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Reads the team's struggle and mastery forecasts without reasons, for programs that process them all."""

    def render(snapshot: Snapshot, team: Team, _: TeamSnapshot) -> TeamForecasts:
        return to_team_forecasts(
            snapshot, team, forecast_students(snapshot, team.members, planner.settings.recent_days)
        )

    body, stale_seconds = _read(
        planner, caller, team_id, lambda: auditor.note("read_forecasts", team_id=team_id), render
    )
    return body.respond(if_none_match, stale_seconds)


def _read(
    planner: Planner,
    caller: Caller,
    team_id: str,
    note: Callable[[], None],
    render: Callable[[Snapshot, Team, TeamSnapshot], BaseModel],
) -> tuple[TaggedBody, float | None]:
    """The rendered body, cached until forecasts or roster change, and its age in seconds; null: of this moment."""
    served = planner.served()
    team, roster = find_roster(planner.rosters, caller, team_id)
    note()
    snapshot = planner.live.restrict(served, team.members, roster.latest_event)
    key = (render.__qualname__, roster.version, team_id, team.members, snapshot.live_through)
    body = snapshot.cache.get(key, lambda: TaggedBody.of(render(snapshot, team, roster).model_dump_json()))
    return body, roster.stale_seconds
