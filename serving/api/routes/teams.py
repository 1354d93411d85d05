"""`/v1/teams`: the needs and strengths of a team's students, and their forecasts."""

from collections.abc import Callable
from typing import Annotated, Protocol, TypeVar

from fastapi import APIRouter, Depends, Response

from features.roster import Team
from serving.access.caller import Scope
from serving.access.visibility import find_roster
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner, TeamInPath, require_scope
from serving.api.etags import ETAG_RESPONSES, IfNoneMatch, TaggedBody
from serving.api.gated_route import GatedRoute
from serving.api.names import CurrentNames
from serving.api.problems import problem_responses
from serving.api.responses.recommendations import to_board, to_team_forecasts
from serving.models.forecasts import forecast_students
from serving.models.snapshot import Snapshot
from serving.plans.need.needs import find_candidates
from serving.plans.recommend import Planner
from serving.plans.rules.policy import load_policy
from serving.schemas.forecasts import Board, TeamForecasts
from serving.store.roster_cache import TeamSnapshot

router = APIRouter(
    prefix="/v1/teams/{team_id:path}",
    route_class=GatedRoute,
    tags=["teams"],
    dependencies=[require_scope(Scope.READ)],
    responses=problem_responses(404, 503) | ETAG_RESPONSES,
)

OfTeam = TypeVar("OfTeam", Board, TeamForecasts)
Render = Callable[[Snapshot, Team, TeamSnapshot], OfTeam]


class Respond(Protocol):
    """Answers a read, noted under a name, with the body that a function makes of the team."""

    def __call__(self, action: str, form: type[OfTeam], render: Render[OfTeam]) -> Response:
        """The answer; `form` is the type of the body."""


async def get_respond(
    team_id: TeamInPath,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    names: CurrentNames,
    if_none_match: IfNoneMatch = None,
) -> Respond:
    """Gives what answers with a body about the team, cached until the team's forecasts or its roster change."""

    def respond(action: str, form: type[OfTeam], render: Render[OfTeam]) -> Response:
        served = planner.served()
        team, roster = find_roster(planner.rosters, caller, team_id)
        auditor.note(action, team_id=team_id)
        snapshot = planner.live.restrict(served, team.members, roster.school_students, roster.latest_event)
        body = snapshot.cache.get(
            (action, team_id),
            lambda: TaggedBody.of(render(snapshot, team, roster).model_dump_json()),
            version=(roster.version, team.members, snapshot.live_through),
        )
        if names.shows:
            body = TaggedBody.of(names.add_to(form.model_validate_json(body.text), team).model_dump_json())
        return body.respond(if_none_match, roster.stale_seconds)

    return respond


CurrentRespond = Annotated[Respond, Depends(get_respond)]


@router.get("/board", response_model=Board)
def read_board(planner: CurrentPlanner, respond: CurrentRespond) -> Response:
    """Reads what each student of a team needs and is strong in, and the date of the last adult-led session."""

    def render(snapshot: Snapshot, team: Team, roster: TeamSnapshot) -> Board:
        return make_board(planner, snapshot, team, roster)

    return respond("read_board", Board, render)


def make_board(planner: Planner, snapshot: Snapshot, team: Team, roster: TeamSnapshot) -> Board:
    """What each student of a team needs and is strong in."""
    days, max_candidates = planner.settings.recent_days, planner.settings.max_candidates
    candidates = find_candidates(snapshot, team, roster, load_policy().need, days, max_candidates)
    return to_board(snapshot, team, roster.skills, candidates, forecast_students(snapshot, team.members, days))


@router.get("/forecasts", response_model=TeamForecasts)
def read_forecasts(planner: CurrentPlanner, respond: CurrentRespond) -> Response:
    """Reads the team's struggle and mastery forecasts without reasons, for programs that process them all."""

    def render(snapshot: Snapshot, team: Team, roster: TeamSnapshot) -> TeamForecasts:
        forecasts = forecast_students(snapshot, team.members, planner.settings.recent_days)
        return to_team_forecasts(snapshot, team, roster.skills, forecasts)

    return respond("read_forecasts", TeamForecasts, render)
