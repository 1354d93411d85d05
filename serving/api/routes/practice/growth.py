"""`/v1/teams/{id}/growth`: stages of adults with dates, and their signatures."""

from datetime import date

from fastapi import APIRouter

from serving.access.caller import Scope
from serving.access.visibility import find_roster
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner, TeamInPath, require_scope
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.plans.practice.growth import Growth, plan_growth, read_growth, sign_stage
from serving.schemas.people.growth import GrowthOut, GrowthRequest, GrowthsOut, StageOut, StageSignature

router = APIRouter(prefix="/v1/teams/{team_id:path}/growth", route_class=GatedRoute, tags=["teams"])


@router.get("", dependencies=[require_scope(Scope.READ)], responses=problem_responses(404))
def read_team_growth(
    team_id: TeamInPath, caller: CurrentCaller, auditor: CurrentAuditor, planner: CurrentPlanner
) -> GrowthsOut:
    """Reads the timelines of a team's adults: which stage holds, who signed it, and what was led in each."""
    team, _ = find_roster(planner.rosters, caller, team_id)
    auditor.note("read_growth", team_id=team_id)
    found = read_growth(planner, team, date.today())  # noqa: DTZ011 - the school's own day
    return GrowthsOut(adults=[_to_out(each) for each in found if each.stages])


@router.put("", dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404))
def plan_team_growth(
    team_id: TeamInPath,
    body: GrowthRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> GrowthOut:
    """Stores the timeline of an adult, such as of a teacher's residency; the adult's coach or the leader writes it.

    No plan lets the adult lead more than the stage that holds: the first one until the next is signed.
    """
    return _to_out(
        plan_growth(
            planner, caller, team_id, body, lambda adult: auditor.entry("plan_growth", team_id=team_id, subject=adult)
        )
    )


@router.post("/sign", dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409))
def sign_next_stage(
    team_id: TeamInPath,
    body: StageSignature,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> GrowthOut:
    """Signs the next stage of an adult, which holds from its planned day on, or from today where that has passed.

    The adult's coach signs, with a key of their own, or the team's leader.
    """
    return _to_out(
        sign_stage(
            planner, caller, team_id, body, lambda adult: auditor.entry("sign_stage", team_id=team_id, subject=adult)
        )
    )


def _to_out(growth: Growth) -> GrowthOut:
    return GrowthOut(
        staff_id=growth.adult.staff_id,
        coach_id=growth.adult.coach,
        now=growth.now,
        stages=[
            StageOut(
                stage=each.stage.stage,
                most=each.stage.most,
                from_date=each.stage.from_date,
                signed_on=each.stage.signed_on,
                signed_by=each.stage.signed_by,
                held_from=each.held_from,
                days_late=each.days_late,
                sessions_led=each.sessions_led,
                largest_group=each.largest_group,
            )
            for each in growth.stages
        ],
    )
