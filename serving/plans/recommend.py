"""Plans a team's day: from roster and snapshot to a checked plan, and to a plan that is rendered and stored."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import NamedTuple

from prometheus_client import Counter, Histogram
from sqlalchemy import Connection

from features.database import Database
from features.errors import RegroupError
from features.roster import Rule, Series, SkillMap, Team
from serving.access.caller import Caller
from serving.access.visibility import find_roster, find_student_team, require_unchanged, unknown_student
from serving.audit.entries import AuditEntry, add_entries
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
    Session,
    find_alternatives,
    suggest_groups,
)
from serving.models.forecasts import forecast_students
from serving.models.live import LiveEvents
from serving.models.snapshot import Snapshot
from serving.plans.cycles.cycle import carry_grouping, read_grouping, remember_sessions
from serving.plans.cycles.cycle_days import find_days
from serving.plans.cycles.series import SeriesDay, Unit, find_due, plan_with_series
from serving.plans.exploration import Exploration, explore_plans
from serving.plans.need.focus_notes import FocusNote, note_focus
from serving.plans.need.needs import Candidate, find_candidates
from serving.plans.problem import Absence, DayRequest, skill_name, state_day
from serving.plans.refusal import explain_refusal
from serving.plans.rules.policy import PlannerPolicy, load_policy
from serving.plans.rules.standing_rules import WAY_SHARE, Note, find_way
from serving.plans.rules.team_policy import DayPolicy, read_layer, settle_policy
from serving.plans.stored_plan import carry_plan
from serving.plans.together import Group
from serving.plans.turns.queue import TURN_S, SolverQueue
from serving.plans.turns.round_robin import Lane
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

LEAST = 0.25
"""Share of the caller's seconds that the search gets, however long the forecasts took: of .2 s, a plan of 60 students
that is found in a quarter scores about one in a hundred less than one found in half."""

LEAST_AGAIN = 0.1
"""The same for a further search, where the day has no plan with a rule, a series or a grouping that gives way."""

LEAST_S = 1.0
"""The same in seconds, where the caller names none."""

OVERSHOT_S = 0.02
"""Seconds that searches end late at most because other threads compute; later, it is the day that is hard to plan."""

TEXTS = ThreadPoolExecutor(2, thread_name_prefix="problem-text")
"""Writes the text of a problem while its plan is searched; to begin a thread for each would keep the plan waiting."""

EXPLAINING_S = 10.0
"""Seconds in which a day without a plan is explained, where the caller names none."""


@dataclass(frozen=True)
class Recommendation:
    """A plan, with everything that it rests on.

    Attributes:
        problem: The day.
        canonical: The problem's canonical text.
        plan: The best plan found.
        candidates: The needs, and the forecasts that they come from.
        search_seconds: How long the search took.
        found_at: When it ended or should have, on the clock of `time.perf_counter`.
        policy: What the team chose for the day.
        notes: Standing rules, series and parts of the roster that the plan goes without.
        others: Good plans that differ, the best first.
        held: The group of each series that is held, by the series' id.
        exploration: How the plan was drawn at random; null where it is the best that was found.
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
    held: Mapping[str, Group] = field(default_factory=dict)
    exploration: Exploration | None = None
    focus_notes: tuple[FocusNote, ...] = ()

    def series_of(self, session: Session) -> str | None:
        """The id of the series that a session is of; null: none."""
        if not session.led:
            return None
        place = session.block, session.adults[0]
        return next((name for name, group in self.held.items() if (group.block, group.adult) == place), None)


Render = Callable[[str, datetime, RecommendationRequest, Team, SkillMap, Snapshot, Recommendation], RecommendationOut]
"""Builds the answer from its id, its moment (UTC), the request, and all that the plan rests on."""

FIRST_SHARE = 2.0
"""Times as much time for the first day of a cycle as for each other one, which is mostly fixed."""


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

    def take_turn(self, caller: Caller, team_id: str) -> AbstractContextManager[float]:
        """Context of a turn at the solver for a question about a plan of a team, which may have left the roster."""
        school = None
        with suppress(RegroupError):
            team = self.rosters.recent(team_id).team
            school = None if team is None else team.school
        return self.queue.acquire(Lane(school, caller.key_id))

    def open_student(self, caller: Caller, student_id: str) -> tuple[str | None, TeamSnapshot, Snapshot]:
        """A student's team (null for none), what its roster says, and what is known of the student by now.

        Raises:
            NotFoundError: There is no such student, or none that the caller may know of.
            NotReadyError: There is no model yet.
        """
        served = self.served()
        team_id, roster = find_student_team(self.rosters, caller, student_id)
        snapshot = self.live.restrict(served, [student_id], roster.school_students, roster.latest_event)
        if student_id not in snapshot.student_facts.position and team_id is None:
            raise unknown_student()
        return team_id, roster, snapshot


@dataclass(frozen=True)
class PlannedDay:
    """A plan that was found and stored.

    Attributes:
        id: The plan's id.
        text: JSON of the answer, as it was stored.
        waited_seconds: How long the request waited for the solver.
        search_seconds: How long the search took.
        found_at: When it ended or should have, on the clock of `time.perf_counter`.
    """

    id: str
    text: str
    waited_seconds: float
    search_seconds: float
    found_at: float


def plan_day(
    planner: Planner,
    caller: Caller,
    body: RecommendationRequest,
    came: float,
    *,
    render: Render,
    note: Callable[[RecommendationOut], AuditEntry],
    finish: Callable[[Connection, str], None],
) -> PlannedDay:
    """Waits for the solver, plans a team's day and stores the plan.

    Args:
        planner: What planning needs of a running service.
        caller: Who asks.
        body: What is asked for.
        came: When it was asked, on the clock of `time.perf_counter`; the wait for a turn does not count.
        render: Builds the answer.
        note: Gives the audit entry that is stored with an answer.
        finish: Called with the plan's id in the transaction that stores the plan; raising undoes it.

    Raises:
        NotReadyError: There is no model or no roster yet.
        NotFoundError: There is no such team, or none that the caller may know of.
        RosterChangedError: Students of the team were erased or have left it while the day was planned.
        QueueFullError: Too many requests wait for the solver.
        RequestError: The day has no plan, or the body names somebody who is not in the team.
        ConflictError: The earlier plan was stored by a version that did not store days.
    """
    snapshot = planner.served()
    team, roster = find_roster(
        planner.rosters, caller, body.team_id, now=True
    )  # before the queue, so that nobody waits to be refused
    with planner.queue.acquire(Lane(team.school, caller.key_id)) as waited:
        if waited:
            team, roster = find_roster(planner.rosters, caller, body.team_id, now=True)
        restricted = planner.live.restrict(snapshot, team.members, roster.school_students, roster.latest_event)
        request = carry_plan(planner.database, caller, body, read_request(body))
        regroup = settle_policy(team, request.policy, load_policy(), request.earlier).settings["regroup"]
        asked = find_days(planner.database, caller, team, body, regroup)
        first = replace(request, grouping=asked.grouping)
        found = list(_plan_days(planner, team, roster, restricted, body, asked.days, first, came + waited))
        answers = [
            render(uuid.uuid4().hex, datetime.now(UTC), day, team.on(day.date), roster.skills, restricted, planned)
            for day, planned in found
        ]
        cycle = asked.name_cycle(answers)
        answers = [answer.model_copy(update={"cycle": cycle}) for answer in answers]
        texts = [answer.model_dump_json() for answer in answers]
        days = [(day.model_dump_json(), pack_instance(planned.canonical)) for day, planned in found]
        entries = [note(answer) for answer in answers]
        with planner.database.changing() as connection:  # other writers wait, so everything else was done before
            require_unchanged(connection, caller, team, roster)
            for answer, text, (day, instance) in zip(answers, texts, days, strict=True):
                keep_recommendation(connection, answer, text, day, instance, team.members)
            add_entries(connection, entries)
            finish(connection, answers[0].id)
    search_seconds = sum(planned.search_seconds for _, planned in found)
    return PlannedDay(answers[0].id, texts[0], waited, search_seconds, found[-1][1].found_at)


def _plan_days(
    planner: Planner,
    team: Team,
    roster: TeamSnapshot,
    snapshot: Snapshot,
    body: RecommendationRequest,
    days: Sequence[date],
    request: DayRequest,
    begun: float,
) -> Iterator[tuple[RecommendationRequest, Recommendation]]:
    """Yields each day as it is asked for, with its plan; the days after the first take over its grouping.

    Args:
        planner: What planning needs of a running service.
        team: The team.
        roster: The snapshot that the team is part of.
        snapshot: Models and profiles.
        body: What is asked for, with the first day.
        days: The days, in order.
        request: The first day.
        begun: When the clock of the request began, which is that of `time.perf_counter`.

    Raises:
        RequestError: As `recommend_day`; of a later day, the sentence names it.
    """
    shares = [FIRST_SHARE, *(1.0 for _ in days[1:])]
    for at, day in enumerate(days):
        part, whole = shares[at] / sum(shares), sum(shares[: at + 1]) / sum(shares)
        budget = Budget(seconds=None if body.seconds is None else part * body.seconds, seed=body.seed)
        until = begun + (TURN_S if body.seconds is None else whole * (body.seconds - planner.queue.answering_s))
        try:
            planned = recommend_day(team.on(day), roster, snapshot, request, planner.settings, budget, until)
        except RequestError as error:
            if at == 0:
                raise
            raise RequestError(error.rule, f"On {day}, a later day of the cycle: {error}", **error.more) from error
        yield body.model_copy(update={"date": day}), planned
        if at + 1 < len(days):
            sessions = planned.plan.sessions
            team = remember_sessions(team, day, sessions)
            if request.grouping is None:
                of_series = {session.id for session in sessions if planned.series_of(session)}
                grouping = read_grouping(planned.problem, sessions, of_series)
                request = replace(request, absences=(), previous=(), kept=(), alternatives=0, grouping=grouping)
            request = replace(request, day=days[at + 1])


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
        series=tuple(
            Series(
                series.series_id,
                body.team_id,
                tuple(dict.fromkeys(series.student_ids)),
                series.staff_id,
                tuple(dict.fromkeys(series.skill_ids)),
                series.from_date,
                None if isinstance(series.until, str) else series.until,
                None if series.block_ids is None else tuple(series.block_ids),
                None if series.weekdays is None else tuple(series.weekdays),
                series.sessions_per_week,
                series.minutes_per_week,
            )
            for series in body.series
        ),
    )


def recommend_day(
    team: Team,
    roster: TeamSnapshot,
    snapshot: Snapshot,
    request: DayRequest,
    settings: Settings,
    budget: Budget,
    until: float,
) -> Recommendation:
    """Suggests the team's sessions for one day.

    Args:
        team: The team.
        roster: The snapshot that the team is part of, with the skills.
        snapshot: Models and profiles.
        request: The day.
        settings: The settings of the service.
        budget: Rounds, seconds and random seed of the search.
        until: When the plan must be found, on the clock of `time.perf_counter`; where the day has none with a series
            or a standing rule, each further search gets a tenth of the budget's seconds after that.

    Raises:
        RequestError: The day has no blocks, a rule or an absence names somebody who is not in the team, or no plan can
            keep every rule but the standing ones; the error names the rule.
    """
    policy, days = load_policy(), settings.recent_days
    candidates = find_candidates(snapshot, team, roster, policy.need, days, settings.max_candidates)
    try:
        day = state_day(team, roster.skills, request, candidates, policy, roster.practice)
    except ProblemError as error:
        raise RequestError("problem", str(error), field=error.field) from error
    begun = time.perf_counter()
    unit = _know_unit(snapshot, team, roster.skills, request, policy, days)
    due, over = find_due((*team.series, *request.series), team, request.day, unit)
    # people who replan a day, follow a grouping or choose among alternatives have reasons of their own
    free = not request.previous and request.grouping is None and not request.alternatives
    explore = day.policy.settings["explore_within"] if free else 0.0
    search = _Search(request.alternatives, budget, until, explore)

    def plan_with_all(problem: Problem) -> tuple[SeriesDay, tuple[Problem, _Found]]:
        def plan(held: Problem) -> tuple[Problem, _Found]:
            carried = carry_grouping(held, request.grouping, unit)
            return carried, search(carried)

        return plan_with_series(problem, due, unit, plan, search.is_late)

    notes = (*day.notes, *over)
    try:
        series, (problem, found) = plan_with_all(day.problem)
    except InfeasibleError as error:
        now = time.perf_counter()
        explaining = until if budget.seconds is not None else min(until, now + EXPLAINING_S)
        way = find_way(day.problem, day.rules, error.conflicts, now + WAY_SHARE * max(0.0, explaining - now))
        if way is None:
            NO_PLAN.labels(error.rule).inc()
            raise explain_refusal(day.problem, day.rules, error, explaining) from error
        notes = (*notes, *way[1])
        series, (problem, found) = plan_with_all(way[0])
    ended = time.perf_counter()
    SEARCH.observe(ended - begun)
    GAP.observe(1.0 - found.plan.proven_share)
    UNMET.observe(len(found.plan.unmet))
    return Recommendation(
        problem=problem,
        canonical=found.canonical,
        plan=found.plan,
        candidates=candidates,
        search_seconds=ended - begun,
        found_at=max(min(ended, until), ended - OVERSHOT_S),
        policy=day.policy,
        notes=(*notes, *series.notes, *(found.exploration.notes if found.exploration else ())),
        others=found.others,
        held=series.held,
        exploration=found.exploration,
        focus_notes=note_focus(
            team, roster.skills, problem, found.plan, forecast_students(snapshot, team.members, days)
        ),
    )


def _know_unit(
    snapshot: Snapshot, team: Team, skills: SkillMap, request: DayRequest, policy: PlannerPolicy, recent_days: int
) -> Unit:
    """What series and cycles ask of the students; nothing where there are none."""
    if not team.series and not request.series and request.grouping is None:
        return Unit({}, policy.need.extend, {})
    forecasts = forecast_students(snapshot, team.members, recent_days)
    return Unit(
        {(forecast.student, forecast.skill): forecast for forecast in forecasts},
        policy.need.extend,
        {skill: skill_name(skills, skill) for skill in skills.skills},
    )


class _Found(NamedTuple):
    """The problem's canonical text, its plan, others where they are asked for, and how a drawn one was drawn."""

    canonical: str
    plan: Plan
    others: tuple[Alternative, ...] = ()
    exploration: Exploration | None = None


@dataclass
class _Search:
    """Searches for plans of one day, one after the other in the same time.

    Attributes:
        alternatives: How many other good plans to look for; all searches for them share the time that is left.
        budget: Of the search.
        until: When the plan must be found, on the clock of `time.perf_counter`.
        explore: Share of the best plan's gain that one drawn at random may lack; 0: the best is taken.
        least: Share of the budget's seconds that the next search gets, however late it is.
    """

    alternatives: int
    budget: Budget
    until: float
    explore: float = 0.0
    least: float = LEAST

    def is_late(self) -> bool:
        """Whether no time is left, so that nothing but a last resort is worth a further search."""
        return time.perf_counter() > self.until

    def __call__(self, problem: Problem) -> _Found:
        """The plan of a day.

        Raises:
            InfeasibleError: None was found that keeps every rule.
        """
        now, seconds = time.perf_counter(), self.budget.seconds
        left = max(LEAST_S if seconds is None else self.least * seconds, self.until - now)
        budget = replace(self.budget, seconds=None if seconds is None else left, deadline=now + left)
        self.least = LEAST_AGAIN
        text = TEXTS.submit(problem.to_json)  # meanwhile: the search releases the interpreter lock
        if self.explore:
            plan, exploration = explore_plans(problem, self.explore, budget)
            return _Found(text.result(), plan, exploration=exploration)
        if not self.alternatives:
            return _Found(text.result(), suggest_groups(problem, budget))
        if budget.seconds is not None:
            budget = replace(budget, seconds=budget.seconds / (1 + ATTEMPTS * self.alternatives))
        found = find_alternatives(problem, self.alternatives, budget)
        return _Found(text.result(), found.best, found.others)
