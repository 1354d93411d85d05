"""Plans a team's day: from roster and snapshot to a checked plan, and to a plan that is rendered and stored."""

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from prometheus_client import Counter, Histogram
from sqlalchemy import Connection

from features.database import Database
from features.roster import Rule, SkillMap, Team
from serving.access.caller import Caller
from serving.access.visibility import find_roster
from serving.errors import RequestError
from serving.formats import pack_instance
from serving.grouping import (
    ATTEMPTS,
    Alternative,
    Budget,
    InfeasibleError,
    Plan,
    Problem,
    ProblemError,
    find_alternatives,
    suggest_groups,
)
from serving.models.forecasts import forecast_students
from serving.models.live import LiveEvents
from serving.models.snapshot import Snapshot
from serving.plans.focus_notes import FocusNote, note_focus
from serving.plans.needs import Candidate, find_candidates
from serving.plans.policy import load_policy
from serving.plans.problem import Absence, DayRequest, state_day
from serving.plans.queue import SolverQueue
from serving.plans.refusal import explain_refusal
from serving.plans.standing_rules import WAY_SHARE, Note, find_way
from serving.plans.stored_plan import carry_plan
from serving.plans.team_policy import DayPolicy, read_layer
from serving.schemas.recommendations import RecommendationOut, RecommendationRequest
from serving.settings import Settings
from serving.store.recommendations import keep_recommendation
from serving.store.roster_cache import RosterCache, TeamSnapshot

SEARCH = Histogram("regroup_plan_search_seconds", "Time that the search for a plan and its bound took.")
GAP = Histogram(
    "regroup_plan_gap",
    "Share of the best possible plan that a plan is not proven to reach, 0-1.",
    buckets=(0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
)
UNMET = Histogram(
    "regroup_plan_unmet_needs", "Students whose greatest need a plan leaves unmet.", buckets=(0, 5, 10, 20, 40, 80, 160)
)
NO_PLAN = Counter(
    "regroup_days_without_plan_total",
    "Requests for days without a feasible plan, by the rule to look at first.",
    ["rule"],
)

LEAST = 0.5
"""Share of the caller's seconds that the search gets, however long the forecasts took."""

LEAST_AGAIN = 0.1
"""The same for the search without the standing rules that gave way, after one that found no plan with them."""


@dataclass(frozen=True)
class Recommendation:
    """A plan, with everything that it rests on.

    Attributes:
        problem: The day.
        canonical: The problem's canonical text.
        plan: The best plan found.
        candidates: The needs, and the forecasts that they come from.
        search_seconds: How long the search took.
        found_at: When it ended, on the clock of `time.perf_counter`.
        policy: What the team chose for the day.
        notes: Standing rules and parts of the roster that the plan goes without.
        others: Good plans that differ, the best first.
        focus_notes: What is said of skills of the current unit without a session.
    """

    problem: Problem
    canonical: str
    plan: Plan
    candidates: Sequence[Candidate]
    search_seconds: float
    found_at: float
    policy: DayPolicy
    notes: tuple[Note, ...] = ()
    others: tuple[Alternative, ...] = ()
    focus_notes: tuple[FocusNote, ...] = ()


Render = Callable[[str, datetime, RecommendationRequest, Team, SkillMap, Snapshot, Recommendation], RecommendationOut]
"""Builds the answer from its id, its moment (UTC), the request, and all that the plan rests on."""


@dataclass(frozen=True)
class Planner:
    """What planning needs of a running service.

    Attributes:
        database: Where plans are stored.
        rosters: Teams as this process holds them.
        live: Events that came in since the night.
        served: Gives the snapshot that serves now; raises `NotReadyError` where there is none.
        queue: The queue in front of the solver.
        settings: The settings of the service.
    """

    database: Database
    rosters: RosterCache
    live: LiveEvents
    served: Callable[[], Snapshot]
    queue: SolverQueue
    settings: Settings


@dataclass(frozen=True)
class PlannedDay:
    """A plan that was found and stored.

    Attributes:
        id: The plan's id.
        text: JSON of the answer, as it was stored.
        waited_seconds: How long the request waited for the solver.
        search_seconds: How long the search took.
    """

    id: str
    text: str
    waited_seconds: float
    search_seconds: float


def plan_day(
    planner: Planner,
    caller: Caller,
    body: RecommendationRequest,
    *,
    render: Render,
    note: Callable[[RecommendationOut], None],
    finish: Callable[[Connection, str], None],
) -> PlannedDay:
    """Waits for the solver, plans a team's day and stores the plan.

    Args:
        planner: What planning needs of a running service.
        caller: Who asks.
        body: What is asked for.
        render: Builds the answer.
        note: Called with the answer before it is stored, for the audit log, which is written meanwhile.
        finish: Called with the plan's id in the transaction that stores the plan; raising undoes it.

    Raises:
        NotReadyError: There is no model or no roster yet.
        NotFoundError: There is no such team, or none that the caller may know of.
        QueueFullError: Too many requests wait for the solver.
        RequestError: The day has no plan, or the body names somebody who is not in the team.
        ConflictError: The earlier plan was stored by a version that did not store days.
    """
    snapshot = planner.served()
    team, roster = find_roster(
        planner.rosters, caller, body.team_id, now=True
    )  # before the queue, so that nobody waits to be refused
    with planner.queue.acquire() as waited:
        begun = time.perf_counter()
        if waited:
            team, roster = find_roster(planner.rosters, caller, body.team_id, now=True)
        restricted = planner.live.restrict(snapshot, team.members, roster.latest_event)
        found = recommend_day(
            team,
            roster,
            restricted,
            carry_plan(planner.database, caller, body, read_request(body)),
            planner.settings,
            Budget(seconds=body.seconds, seed=body.seed),
            None if body.seconds is None else begun + body.seconds - planner.queue.storing_s,
        )
        answer = render(uuid.uuid4().hex, datetime.now(UTC), body, team, roster.skills, restricted, found)
        note(answer)
        text = answer.model_dump_json()
        with planner.database.changing() as connection:
            keep_recommendation(
                connection, answer, text, body.model_dump_json(), pack_instance(found.canonical), team.members
            )
            finish(connection, answer.id)
        planner.queue.note_storing(time.perf_counter() - found.found_at)
    return PlannedDay(answer.id, text, waited, found.search_seconds)


def read_request(body: RecommendationRequest) -> DayRequest:
    """The day that a body asks for, without what an earlier plan adds."""
    return DayRequest(
        day=body.date,
        absences=tuple(
            Absence(away.student_id, away.staff_id, None if away.block_ids is None else tuple(away.block_ids))
            for away in body.absences
        ),
        rules=tuple(
            Rule(
                rule_id=f"request-{at}",
                team_id=body.team_id,
                kind=rule.kind,
                students=tuple(rule.student_ids),
                staff_id=rule.staff_id,
                block_id=rule.block_id,
                skill_id=rule.skill_id,
            )
            for at, rule in enumerate(body.rules)
        ),
        move_penalty=body.move_penalty,
        alternatives=body.alternatives,
        policy=read_layer(body.policy),
    )


def recommend_day(
    team: Team,
    roster: TeamSnapshot,
    snapshot: Snapshot,
    request: DayRequest,
    settings: Settings,
    budget: Budget,
    until: float | None,
) -> Recommendation:
    """Suggests the team's sessions for one day.

    Args:
        team: The team.
        roster: The snapshot that the team is part of, with the skills.
        snapshot: Models and profiles.
        request: The day.
        settings: The settings of the service.
        budget: Rounds, seconds and random seed of the search.
        until: When the plan must be found, on the clock of `time.perf_counter`; null: no time limit.

    Raises:
        RequestError: The day has no blocks, a rule or an absence names somebody who is not in the team, or no plan can
            keep every rule but the standing ones; the error names the rule.
    """
    policy, days = load_policy(), settings.recent_days
    candidates = find_candidates(snapshot, team, roster, policy.need, days, settings.max_candidates)
    try:
        day = state_day(team, roster.skills, request, candidates, policy)
    except ProblemError as error:
        raise RequestError("problem", str(error), field=error.field) from error
    begun = time.perf_counter()
    search = partial(_search, alternatives=request.alternatives, budget=budget, until=until)
    try:
        canonical, plan, others = search(day.problem, least=LEAST)
    except InfeasibleError as error:
        now = time.perf_counter()
        limit = None if until is None else now + WAY_SHARE * max(0.0, until - now)
        way = find_way(day.problem, day.rules, error.conflicts, limit)
        if way is None:
            NO_PLAN.labels(error.rule).inc()
            raise explain_refusal(day.problem, day.rules, error, until) from error
        problem, notes = way
        canonical, plan, others = search(problem, least=LEAST_AGAIN)
        day = replace(day, problem=problem, notes=(*day.notes, *notes))
    ended = time.perf_counter()
    SEARCH.observe(ended - begun)
    GAP.observe(1.0 - plan.proven_share)
    UNMET.observe(len(plan.unmet))
    forecasts = forecast_students(snapshot, team.members, days)
    return Recommendation(
        problem=day.problem,
        canonical=canonical,
        plan=plan,
        candidates=candidates,
        search_seconds=ended - begun,
        found_at=ended,
        policy=day.policy,
        notes=day.notes,
        others=others,
        focus_notes=note_focus(team, roster.skills, day.problem, plan, forecasts),
    )


def _search(
    problem: Problem, alternatives: int, budget: Budget, until: float | None, least: float
) -> tuple[str, Plan, tuple[Alternative, ...]]:
    """The problem's text, its plan, and others where they are asked for; all searches share the time that is left."""
    if until is not None and budget.seconds is not None:
        budget = replace(budget, seconds=max(least * budget.seconds, until - time.perf_counter()))
    with ThreadPoolExecutor(1) as pool:  # the search releases the interpreter lock
        text = pool.submit(problem.to_json)
        if not alternatives:
            plan = suggest_groups(problem, budget)
            return text.result(), plan, ()
        if budget.seconds is not None:
            budget = replace(budget, seconds=budget.seconds / (1 + ATTEMPTS * alternatives))
        found = find_alternatives(problem, alternatives, budget)
        return text.result(), found.best, found.others
