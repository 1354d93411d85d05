"""`/v1/students/{id}/wishes`: with whom a student would like to work, on what and where."""

from typing import Annotated

from fastapi import APIRouter, Path

from features.roster import Team
from serving.access.caller import Scope
from serving.access.visibility import find_student_team
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner, StudentInPath, require_scope
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.plans.practice.wishes import close_wish, list_met, read_wishes, wish
from serving.schemas.people.wishes import WishesOut, WishOut, WishRequest
from serving.schemas.texts import Identity
from serving.store.practice.wishes import StoredWish

router = APIRouter(prefix="/v1/students/{student_id:path}/wishes", route_class=GatedRoute, tags=["students"])

WishInPath = Annotated[Identity, Path(alias="wish_id", description="id of the wish")]


@router.get("", dependencies=[require_scope(Scope.READ)], responses=problem_responses(404))
def list_student_wishes(
    student_id: StudentInPath, caller: CurrentCaller, auditor: CurrentAuditor, planner: CurrentPlanner
) -> WishesOut:
    """Reads the wishes of a student, ended ones too, with the days on which they were met."""
    team_id, roster = find_student_team(planner.rosters, caller, student_id)
    auditor.note("read_wishes", team_id=team_id, student_id=student_id)
    return WishesOut(wishes=[_to_out(each, roster.team) for each in read_wishes(planner, student_id)])


@router.post("", status_code=201, dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409))
def make_wish(
    student_id: StudentInPath,
    body: WishRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> WishOut:
    """Stores what a student wishes for sessions, until a date; at most five are open at a time.

    Of plans that meet about as much need, the one that meets more wishes is suggested; a need never waits for a wish.
    """
    stored = wish(
        planner,
        caller,
        student_id,
        body,
        lambda team_id: auditor.entry("wish", team_id=team_id, student_id=student_id),
    )
    return _to_out(stored, None)


@router.post("/{wish_id}/end", dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404))
def end_student_wish(
    student_id: StudentInPath,
    wish_id: WishInPath,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> WishOut:
    """Ends a wish; one that was ended before stays as it is."""
    stored = close_wish(
        planner,
        caller,
        student_id,
        wish_id,
        lambda team_id: auditor.entry("end_wish", team_id=team_id, student_id=student_id, subject=wish_id),
    )
    return _to_out(stored, find_student_team(planner.rosters, caller, student_id)[1].team)


def _to_out(stored: StoredWish, team: Team | None) -> WishOut:
    fields = {name: getattr(stored, name) for name in WishOut.model_fields if name != "met_on"}
    return WishOut(**fields, met_on=list_met(stored, team))
