"""Coaching: what one adult saw of another in a session; it is the pair's and the leader's, and nobody else's."""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from features.roster import Team
from features.roster.series_checks import minutes_of
from serving.access.caller import Caller, Scope
from serving.access.visibility import find_roster, may_see_team
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import ForbiddenError, RequestError
from serving.plans.coverage import sum_coached
from serving.plans.edits.edited_day import open_days
from serving.plans.practice.session_reports import require_held
from serving.plans.recommend import Planner
from serving.plans.stored_plan import unknown_recommendation
from serving.schemas.practice import ObservationRequest
from serving.store.decisions import read_decision
from serving.store.practice.observations import Observation, keep_observation, list_observations
from serving.store.recommendations import find_current_plans


def may_observe(caller: Caller, observer_id: str) -> bool:
    """Whether a caller may note what an adult observed: that adult, or the team's leader."""
    return caller.staff_id == observer_id or Scope.SIGN in caller.scopes


def note_observation(
    planner: Planner,
    caller: Caller,
    recommendation_id: str,
    body: ObservationRequest,
    note: Callable[[str], AuditEntry],
) -> Observation:
    """Stores what one adult saw of another in a session of a plan that counts.

    Args:
        planner: With the database and the rosters.
        caller: Who sends it: the observer, or the team's leader.
        recommendation_id: The plan.
        body: The observation.
        note: Gives, for the team, the audit entry that is stored with it.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ForbiddenError: The caller is neither.
        ConflictError: The plan does not count, or is of a version that did not store days.
        RequestError: The plan has no such session, or the adults are not those of team and session.
    """
    day = require_held(planner.database, caller, recommendation_id)
    if not may_observe(caller, body.observer_id):
        detail = "only the observer, with a key of their own (`--adult`), and the team's leader write this"
        raise ForbiddenError("not_the_observer", detail)
    team_id = day.answer.team_id
    team, _ = find_roster(planner.rosters, caller, team_id)
    session = next((each for each in day.current if each.id == body.session_id), None)
    if session is None:
        raise RequestError("unknown_session", "session_id: the plan has no such session", field="session_id")
    if body.observer_id not in {adult.staff_id for adult in team.staff}:
        raise RequestError("unknown_staff", "observer_id: the team has no such adult", field="observer_id")
    if body.observed_id not in session.adults or body.observed_id == body.observer_id:
        detail = "observed_id: name another adult of the session"
        raise RequestError("not_of_the_session", detail, field="observed_id")
    observation = Observation(
        observation_id=uuid.uuid4().hex,
        team_id=team_id,
        recommendation_id=recommendation_id,
        session_id=session.id,
        date=day.answer.date,
        observer_id=body.observer_id,
        observed_id=body.observed_id,
        aim=body.aim,
        feedback=body.feedback or None,
        next_step=body.next_step or None,
        noted_at=datetime.now(UTC),
        key_id=caller.key_id,
    )
    with planner.database.changing() as connection:
        if read_decision(connection, recommendation_id) is None or not may_see_team(connection, caller, team_id):
            raise unknown_recommendation()
        add_entries(connection, [note(team_id)])
        return keep_observation(connection, observation)


def read_observations(planner: Planner, caller: Caller, team_id: str, first: date, last: date) -> list[Observation]:
    """The observations of a team that a caller may read: the pair's own, and all for the team's leader."""
    with planner.database.reading() as connection:
        found = list_observations(connection, team_id, first, last)
    mine = caller.staff_id
    return [
        each
        for each in found
        if Scope.SIGN in caller.scopes or (mine is not None and mine in {each.observer_id, each.observed_id})
    ]


def measure_coaching(planner: Planner, caller: Caller, team: Team, monday: date) -> dict[tuple[str, str], int]:
    """Minutes that each coach and the adult whom they coach share in sessions of a week's plans that were accepted."""
    rows = find_current_plans(planner.database, team.team_id, monday, monday + timedelta(days=6))
    accepted = {day: row for day, row in rows.items() if row.decision is not None and not row.awaits_signature}
    lengths = {block.block_id: minutes_of(block) for block in team.blocks}
    shared = [
        (session.adults, lengths.get(session.block, 0))
        for edited in open_days(planner.database, caller, accepted).values()
        for session in edited.sessions
        if session.led
    ]
    return sum_coached([(adult.coach, adult.staff_id) for adult in team.staff if adult.coach is not None], shared)
