"""`/v1/recommendations`: a plan for a team's day."""

import uuid
from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter, Response

from features.errors import MissingError
from features.roster import Rule
from serving.answers import tell_recommendation
from serving.day import Absence, DayRequest
from serving.dependencies import CurrentDatabase, CurrentLive, CurrentSettings, CurrentSnapshot, find_roster
from serving.errors import NotFoundError
from serving.grouping.improve import Budget
from serving.instances import write_instance
from serving.planning import load_planning
from serving.recommend import recommend_day
from serving.refusals import tell_no_plan, tell_problems
from serving.schemas.recommendations import RecommendationOut, RecommendationRequest
from serving.store.recommendations import find_recommendation, save_recommendation

router = APIRouter(prefix="/v1/recommendations", tags=["recommendations"])


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=tell_problems(404, 503) | tell_no_plan(),
)
def create_recommendation(
    body: RecommendationRequest,
    database: CurrentDatabase,
    settings: CurrentSettings,
    snapshot: CurrentSnapshot,
    live: CurrentLive,
    response: Response,
) -> RecommendationOut:
    """Suggests the sessions of a team's day and keeps the plan."""
    team, skills = find_roster(database, body.team_id)
    snapshot = live.see(snapshot, team.members)
    wanted = DayRequest(
        day=body.date,
        absences=tuple(
            Absence(each.student_id, each.staff_id, None if each.block_ids is None else tuple(each.block_ids))
            for each in body.absences
        ),
        rules=tuple(
            Rule(
                rule_id=f"request-{at}",
                team_id=team.team_id,
                kind=each.kind,
                students=tuple(each.student_ids),
                staff_id=each.staff_id,
                block_id=each.block_id,
                skill_id=each.skill_id,
            )
            for at, each in enumerate(body.rules)
        ),
    )
    found = recommend_day(
        team,
        skills,
        snapshot,
        wanted,
        load_planning(),
        recent_days=settings.recent_days,
        handful=settings.handful,
        budget=Budget(seconds=body.seconds, seed=body.seed),
    )
    created_at = datetime.now(UTC)
    answer = tell_recommendation(uuid.uuid4().hex, created_at, body, team, skills, snapshot, found)
    save_recommendation(database, answer, body.model_dump_json(), write_instance(found.problem), created_at)
    response.headers["Location"] = f"/v1/recommendations/{answer.id}"
    return answer


@router.get("/{recommendation_id}", responses=tell_problems(404))
def read_recommendation(recommendation_id: str, database: CurrentDatabase) -> RecommendationOut:
    """A plan that was suggested before."""
    try:
        stored = find_recommendation(database, recommendation_id)
    except MissingError:
        stored = None
    if stored is None:
        raise NotFoundError("unknown_recommendation", "there is no recommendation with this id")
    return stored
