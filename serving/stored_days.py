"""A plan that was returned, opened again: its day, and the sessions that count."""

import json
import re
from dataclasses import dataclass

from features.database import Database
from serving.access.caller import Caller
from serving.dependencies import may_see_team
from serving.errors import ConflictError, NotFoundError
from serving.grouping.plan import Session
from serving.grouping.problem import Problem
from serving.schemas.recommendations import RecommendationOut
from serving.schemas.sessions import SessionIn
from serving.session_bodies import to_session
from serving.store.recommendations import StoredPlan, find_recommendation

IDENTITY = re.compile(r"[0-9a-f]{32}")
"""Of a plan; nothing else is asked of a database, which may not even take it as a text."""


@dataclass(frozen=True)
class StoredDay:
    """A day that was planned.

    Attributes:
        answer: The plan as it was returned.
        problem: The day.
        suggested: The plan's sessions.
        in_force: Those that were decided, where some were; else those suggested.
    """

    answer: RecommendationOut
    problem: Problem
    suggested: tuple[Session, ...]
    in_force: tuple[Session, ...]


def require_plan(database: Database, caller: Caller, recommendation_id: str) -> StoredPlan:
    """The stored plan.

    Raises:
        NotFoundError: There is none with this id, or none that the caller may know of.
    """
    stored = find_recommendation(database, recommendation_id) if IDENTITY.fullmatch(recommendation_id) else None
    if stored is None or not may_see_team(database, caller, stored.answer.team_id):
        raise NotFoundError("unknown_recommendation", "there is no recommendation with this id")
    return stored


def open_day(database: Database, caller: Caller, recommendation_id: str) -> StoredDay:
    """The day of a stored plan.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: It was kept by a version that did not keep days.
    """
    stored = require_plan(database, caller, recommendation_id)
    problem = stored.problem()
    if problem is None:
        raise ConflictError("plan_too_old", "the day of this plan was not kept; ask for a new plan of it")
    suggested = tuple(to_session(SessionIn.model_validate(each.model_dump())) for each in stored.answer.sessions)
    decided = json.loads(stored.decided_sessions or "[]")
    in_force = tuple(to_session(SessionIn.model_validate(each)) for each in decided)
    return StoredDay(stored.answer, problem, suggested, in_force or suggested)
