"""`/v1/recommendations`: a plan for a team's day."""

import datetime as dt
import time
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from features.roster import Rule
from serving.access.caller import Scope
from serving.api.dependencies import (
    CurrentAuditor,
    CurrentCaller,
    CurrentDatabase,
    CurrentPlanners,
    CurrentRosters,
    CurrentSettings,
    CurrentView,
    Model,
    find_roster,
    require,
    require_team,
)
from serving.api.etags import TAGGED, IfNoneMatch, Tagged
from serving.api.idempotency import REPLAYED, Attempt, hash_request
from serving.api.problems import tell_no_plan, tell_problems
from serving.api.responses.recommendations import tell_recommendation
from serving.formats import pack_instance
from serving.grouping.search.anneal import Budget
from serving.plans.policy import load_planning
from serving.plans.problem import Absence, DayRequest
from serving.plans.recommend import recommend_day
from serving.plans.stored_plan import carry_seats, require_plan
from serving.schemas.recommendations import (
    RecommendationOut,
    RecommendationPage,
    RecommendationRequest,
    RecommendationRow,
)
from serving.store.recommendations import PlanQuery, keep_recommendation, list_plans

router = APIRouter(prefix="/v1/recommendations", tags=["recommendations"])

MADE = {
    "Location": {"description": "address of the plan", "schema": {"type": "string"}},
    "Server-Timing": {
        "description": "milliseconds waited for a turn to plan (`queue`), and of the search itself (`search`)",
        "schema": {"type": "string"},
    },
    REPLAYED: {"description": "true where the answer is that of an earlier request", "schema": {"type": "string"}},
}

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="chosen by the caller, such as a UUID: the same key and body get the same answer again for a day, "
        "and nothing is made twice",
        examples=["0b8e5d4e-6c3a-4a53-9a53-5a8c1f0d2e77"],
    ),
]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    dependencies=[require(Scope.PLAN)],
    response_model=RecommendationOut,
    responses={201: {"headers": MADE}} | tell_problems(404, 409, 503) | tell_no_plan(),
)
def create_recommendation(
    body: RecommendationRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
    planners: CurrentPlanners,
    rosters: CurrentRosters,
    settings: CurrentSettings,
    view: CurrentView,
    model: Model = None,
    idempotency_key: Key = None,
) -> Response:
    """Suggests the sessions of a team's day and keeps the plan."""
    asked = hash_request(router.prefix if model is None else f"{router.prefix}?model={model}", body)
    limits = {
        "kept": dt.timedelta(hours=settings.kept_hours),
        "takeover": dt.timedelta(seconds=settings.takeover_seconds),
    }
    with Attempt(database, caller.key_id, idempotency_key, asked, **limits) as attempt:
        if attempt.replay is not None:
            return attempt.replay
        team, seen = find_roster(rosters, caller, body.team_id, now=True)  # nobody waits in line to be refused
        with planners.take() as waited:
            begun = time.perf_counter()
            if waited:
                team, seen = find_roster(rosters, caller, body.team_id, now=True)
            snapshot = view.see(team.members, seen.latest_event)
            found = recommend_day(
                team,
                seen,
                snapshot,
                carry_seats(database, caller, body, _read_request(body)),
                load_planning(),
                recent_days=settings.recent_days,
                handful=settings.handful,
                budget=Budget(seconds=body.seconds, seed=body.seed),
                until=None if body.seconds is None else begun + body.seconds - planners.keeping_s,
            )
            answer = tell_recommendation(uuid.uuid4().hex, datetime.now(UTC), body, team, seen.skills, snapshot, found)
            auditor.note("suggest", team_id=team.team_id, subject=answer.id)  # on its way while the plan is kept
            location, text = f"{router.prefix}/{answer.id}", answer.model_dump_json()
            with database.changing() as connection:
                asked_for, instance = body.model_dump_json(), pack_instance(found.canonical)
                keep_recommendation(connection, answer, text, asked_for, instance, team.members)
                attempt.finish(connection, location, answer.id)
            planners.kept(time.perf_counter() - found.found_at)
    return Response(
        text,
        status_code=HTTPStatus.CREATED,
        media_type="application/json",
        headers={
            "Location": location,
            "Server-Timing": f"queue;dur={1000 * waited:.1f}, search;dur={1000 * found.search_seconds:.1f}",
        },
    )


@router.get("", dependencies=[require(Scope.READ)], responses=tell_problems(404))
def list_recommendations(
    caller: CurrentCaller,
    database: CurrentDatabase,
    team_id: Annotated[str, Query(description="a team of the roster", examples=["team-1"])],
    date: Annotated[
        dt.date | None, Query(description="the school's own date; all without it", examples=["2026-03-16"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="plans on a page", examples=[20])] = 20,
    cursor: Annotated[str | None, Query(max_length=2000, description="`next_cursor` of the page before")] = None,
) -> RecommendationPage:
    """A team's plans, the newest first, page by page."""
    require_team(database, caller, team_id)
    page, following = list_plans(database, PlanQuery(team_id, date), limit, cursor)
    rows = [RecommendationRow.model_validate(each, from_attributes=True) for each in page]
    return RecommendationPage(recommendations=rows, next_cursor=following)


@router.get(
    "/{recommendation_id}",
    dependencies=[require(Scope.READ)],
    response_model=RecommendationOut,
    responses=tell_problems(404) | TAGGED,
)
def read_recommendation(
    recommendation_id: str,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A plan that was suggested before."""
    stored = require_plan(database, caller, recommendation_id).answer
    auditor.note("read_recommendation", team_id=stored.team_id, subject=stored.id)
    return Tagged.of(stored.model_dump_json()).answer(if_none_match)


def _read_request(body: RecommendationRequest) -> DayRequest:
    return DayRequest(
        day=body.date,
        absences=tuple(
            Absence(each.student_id, each.staff_id, None if each.block_ids is None else tuple(each.block_ids))
            for each in body.absences
        ),
        rules=tuple(
            Rule(
                rule_id=f"request-{at}",
                team_id=body.team_id,
                kind=each.kind,
                students=tuple(each.student_ids),
                staff_id=each.staff_id,
                block_id=each.block_id,
                skill_id=each.skill_id,
            )
            for at, each in enumerate(body.rules)
        ),
        move_price=body.move_price,
        alternatives=body.alternatives,
    )
