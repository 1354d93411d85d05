"""`/v1/recommendations/{id}/help`: who works independently asks the adult on call."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from serving.access.caller import Scope
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner, PlanInPath, require_scope
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.plans.practice.help_requests import ask_for_help, end_help, find_on_call, read_help
from serving.plans.stored_plan import StoredDay
from serving.schemas.people.help_requests import HelpEnd, HelpRequestIn, HelpRequestOut, HelpRequestsOut
from serving.schemas.texts import Identity
from serving.store.practice.help_requests import HelpRequest

router = APIRouter(
    prefix="/v1/recommendations/{recommendation_id}/help", route_class=GatedRoute, tags=["recommendations"]
)

RequestInPath = Annotated[Identity, Path(alias="request_id", description="id of the request")]


@router.get("", dependencies=[require_scope(Scope.READ)], responses=problem_responses(404, 409))
def list_help_requests(
    recommendation_id: PlanInPath, caller: CurrentCaller, auditor: CurrentAuditor, planner: CurrentPlanner
) -> HelpRequestsOut:
    """Reads who asked for help on the plan's day, and who waits for how long."""
    day, requests = read_help(planner, caller, recommendation_id)
    auditor.note("read_help", team_id=day.answer.team_id, subject=recommendation_id)
    return HelpRequestsOut(requests=[_to_out(day, each) for each in requests])


@router.post("", status_code=201, dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409))
def request_help(
    recommendation_id: PlanInPath,
    body: HelpRequestIn,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> HelpRequestOut:
    """Stores that a student who works independently asks for help; `on_call` says who should come.

    The adults who supervise independent work are on call there. One who waits already goes on waiting.
    """
    found = ask_for_help(
        planner,
        caller,
        recommendation_id,
        body,
        lambda team_id, student: auditor.entry(
            "ask_for_help", team_id=team_id, student_id=student, subject=recommendation_id
        ),
    )
    return _to_out(*found)


@router.post("/{request_id}/end", dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409))
def end_help_request(
    recommendation_id: PlanInPath,
    request_id: RequestInPath,
    body: HelpEnd,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> HelpRequestOut:
    """Ends a request: an adult came, or the student needs none any more; one that was ended stays as it is."""
    found = end_help(
        planner,
        caller,
        recommendation_id,
        request_id,
        body.staff_id,
        lambda team_id, student: auditor.entry(
            "end_help", team_id=team_id, student_id=student, subject=recommendation_id
        ),
    )
    return _to_out(*found)


def _to_out(day: StoredDay, request: HelpRequest) -> HelpRequestOut:
    fields = {name: getattr(request, name) for name in HelpRequestOut.model_fields if hasattr(request, name)}
    return HelpRequestOut(
        **fields | {"waited_seconds": request.waited_seconds(datetime.now(UTC))},
        on_call=list(find_on_call(day, request.student_id, request.block_id)),
    )
