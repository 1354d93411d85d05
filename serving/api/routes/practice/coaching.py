"""`/v1/recommendations/{id}/observations` and `/v1/teams/{id}/observations`: what adults saw of each other."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query

from serving.access.caller import Scope
from serving.access.visibility import find_roster
from serving.api.dependencies import (
    CurrentAuditor,
    CurrentCaller,
    CurrentPlanner,
    PlanInPath,
    TeamInPath,
    require_scope,
)
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.plans.practice.coaching import measure_coaching, note_observation, read_observations
from serving.schemas.common import SchoolDate
from serving.schemas.practice import CoachingOut, ObservationOut, ObservationRequest, ObservationsOut

router = APIRouter(prefix="/v1", route_class=GatedRoute)

WEEKS = dt.timedelta(weeks=12)
"""How far back observations are listed."""


@router.post(
    "/recommendations/{recommendation_id}/observations",
    tags=["recommendations"],
    status_code=201,
    dependencies=[require_scope(Scope.PLAN)],
    responses=problem_responses(404, 409),
)
def observe(
    recommendation_id: PlanInPath,
    body: ObservationRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> ObservationOut:
    """Stores what one adult saw of another in a session; the observer or the team's leader writes it."""
    found = note_observation(
        planner,
        caller,
        recommendation_id,
        body,
        lambda team_id: auditor.entry("observe", team_id=team_id, subject=recommendation_id),
    )
    return ObservationOut.model_validate(found)


@router.get(
    "/teams/{team_id:path}/observations",
    tags=["teams"],
    dependencies=[require_scope(Scope.READ)],
    responses=problem_responses(404),
)
def list_team_observations(
    team_id: TeamInPath,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    week: Annotated[
        SchoolDate | None, Query(description="a day of the week that is asked for; without it, today")
    ] = None,
) -> ObservationsOut:
    """Reads observations of the twelve weeks up to a week's end, and the minutes of coaching in that week.

    A key of an adult gets those of this adult's pairs, one with the scope `sign` all, and any other key none.
    """
    team, _ = find_roster(planner.rosters, caller, team_id)
    auditor.note("read_observations", team_id=team_id)
    day = week or dt.date.today()  # noqa: DTZ011 - the school's own day
    monday = day - dt.timedelta(days=day.weekday())
    last = monday + dt.timedelta(days=6)
    return ObservationsOut(
        observations=[
            ObservationOut.model_validate(each)
            for each in read_observations(planner, caller, team_id, last - WEEKS, last)
        ],
        coaching=[
            CoachingOut(coach_id=coach, staff_id=other, minutes=minutes)
            for (coach, other), minutes in measure_coaching(planner, caller, team, monday).items()
        ],
    )
