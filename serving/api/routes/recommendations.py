"""`/v1/recommendations`: a plan for a team's day."""

import datetime as dt
import time
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from starlette.background import BackgroundTask

from serving.access.caller import Scope
from serving.access.visibility import require_team
from serving.api.dependencies import (
    CurrentAuditor,
    CurrentCaller,
    CurrentDatabase,
    CurrentMoment,
    CurrentPlanner,
    PlanInPath,
    require_scope,
)
from serving.api.etags import ETAG_RESPONSES, IfNoneMatch, TaggedBody
from serving.api.gated_route import GatedRoute
from serving.api.idempotency import REPLAYED, Attempt, hash_request
from serving.api.names import CurrentNames
from serving.api.problems import no_plan_response, problem_responses
from serving.api.responses.recommendations import to_recommendation
from serving.plans.recommend import plan_day
from serving.plans.stored_plan import require_plan
from serving.schemas.common import SchoolDate
from serving.schemas.recommendations import (
    RecommendationOut,
    RecommendationPage,
    RecommendationRequest,
    RecommendationRow,
)
from serving.schemas.texts import Address, Identity, PlanReference
from serving.store.recommendations import PlanQuery, list_plans

router = APIRouter(prefix="/v1/recommendations", route_class=GatedRoute, tags=["recommendations"])

CREATED_HEADERS = {
    "Location": {"description": "address of the plan", "schema": {"type": "string"}},
    "Server-Timing": {
        "description": "milliseconds in the solver queue (`queue`) and of the search itself (`search`)",
        "schema": {"type": "string"},
    },
    REPLAYED: {"description": "true where this is the answer of an earlier request", "schema": {"type": "string"}},
}

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="a key that the caller chooses, such as a UUID: for a day, the same key and body get the same "
        "answer, and nothing is made twice",
        examples=["0b8e5d4e-6c3a-4a53-9a53-5a8c1f0d2e77"],
    ),
]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    dependencies=[require_scope(Scope.PLAN)],
    response_model=RecommendationOut,
    responses={201: {"headers": CREATED_HEADERS}} | problem_responses(404, 409, 503) | no_plan_response(),
)
def create_recommendation(
    body: RecommendationRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    came: CurrentMoment,
    names: CurrentNames,
    idempotency_key: Key = None,
) -> Response:
    """Suggests and stores the sessions of a team's day, or of each day of a cycle; answers with the first."""
    with Attempt(
        planner.database,
        caller,
        idempotency_key,
        hash_request(router.prefix, body),
        note=lambda team_id, plan_id: auditor.entry("read_recommendation", team_id=team_id, subject=plan_id),
        kept=dt.timedelta(hours=planner.settings.kept_hours),
        takeover=dt.timedelta(seconds=planner.settings.takeover_seconds),
    ) as attempt:
        if attempt.replay is not None:
            if not names.shows:
                return attempt.replay
            kept = attempt.replay
            headers = {name: kept.headers[name] for name in (REPLAYED, "Location")}
            text = names.add_to_plan(bytes(kept.body))
            return Response(text, status_code=kept.status_code, media_type="application/json", headers=headers)
        planned = plan_day(
            planner,
            caller,
            body,
            came,
            render=to_recommendation,
            note=lambda answer: auditor.entry("suggest", team_id=answer.team_id, subject=answer.id),
            finish=lambda connection, plan_id: attempt.finish(connection, f"{router.prefix}/{plan_id}", plan_id),
        )

    async def note_answered() -> None:
        planner.queue.note_answering(time.perf_counter() - planned.found_at)

    queue_ms, search_ms = 1000 * planned.waited_seconds, 1000 * planned.search_seconds
    return Response(
        names.add_to_plan(planned.text),
        status_code=HTTPStatus.CREATED,
        media_type="application/json",
        headers={
            "Location": f"{router.prefix}/{planned.id}",
            "Server-Timing": f"queue;dur={queue_ms:.1f}, search;dur={search_ms:.1f}",
        },
        background=BackgroundTask(note_answered),
    )


@router.get("", dependencies=[require_scope(Scope.READ)], responses=problem_responses(404))
def list_recommendations(
    caller: CurrentCaller,
    database: CurrentDatabase,
    team_id: Annotated[Identity, Query(description="a team of the roster", examples=["team-1"])],
    date: Annotated[
        SchoolDate | None,
        Query(description="date of the day at the school; all days without it", examples=["2026-03-16"]),
    ] = None,
    cycle: Annotated[
        PlanReference | None,
        Query(description="id of a cycle; plans of all cycles and of none without it"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="most plans on a page", examples=[20])] = 20,
    cursor: Annotated[
        Address | None, Query(description="`next_cursor` of the page before; the first page without it")
    ] = None,
) -> RecommendationPage:
    """Lists a team's plans, the newest first, page by page."""
    require_team(database, caller, team_id)
    page, following = list_plans(database, PlanQuery(team_id, date, cycle), limit, cursor)
    rows = [RecommendationRow.model_validate(row) for row in page]
    return RecommendationPage(recommendations=rows, next_cursor=following)


@router.get(
    "/{recommendation_id}",
    dependencies=[require_scope(Scope.READ)],
    response_model=RecommendationOut,
    responses=problem_responses(404) | ETAG_RESPONSES,
)
def read_recommendation(
    recommendation_id: PlanInPath,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
    names: CurrentNames,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Reads a plan that was suggested before."""
    stored = require_plan(database, caller, recommendation_id).answer
    auditor.note("read_recommendation", team_id=stored.team_id, subject=stored.id)
    text = names.add_to_plan(stored.model_dump_json())
    return TaggedBody.of(str(text)).respond(if_none_match)
