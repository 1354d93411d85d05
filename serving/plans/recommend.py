"""One use case: a team's day, from roster and snapshot to a checked plan."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from prometheus_client import Counter, Histogram

from features.roster import Team
from serving.errors import RequestError
from serving.grouping.changes.alternatives import TRIES, Alternative, find_alternatives
from serving.grouping.errors import InfeasibleError, ProblemError
from serving.grouping.infeasible.diagnosis import explain_conflict
from serving.grouping.problem.plan import Plan
from serving.grouping.problem.problem import Problem
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups
from serving.models.snapshot import Snapshot
from serving.plans.needs import Candidate, find_candidates
from serving.plans.policy import Planning
from serving.plans.problem import DayRequest, state_problem
from serving.store.roster_cache import Seen

SEARCH = Histogram("regroup_plan_search_seconds", "Time that the search for a plan and its bound took.")
GAP = Histogram(
    "regroup_plan_gap",
    "What a plan is not proven to reach of the best that a day allows, 0-1.",
    buckets=(0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
)
UNMET = Histogram(
    "regroup_plan_unmet_needs", "Students whose greatest need a plan leaves unmet.", buckets=(0, 5, 10, 20, 40, 80, 160)
)
NO_PLAN = Counter("regroup_days_without_plan_total", "Days that have no plan, by the rule to look at first.", ["rule"])

LEAST = 0.5
"""Of the seconds that a caller gives, for the search, however long it took to learn what is known of the students."""

NODES, QUESTIONS = 1, 10
"""Of exact programs, for the explanation of a day without a plan: a caller waits for it."""


@dataclass(frozen=True)
class Recommendation:
    """A plan and everything that it rests on.

    Attributes:
        problem: The day.
        canonical: The problem's canonical text.
        plan: The best plan found.
        candidates: The needs, and the forecasts that they come from.
        search_seconds: How long the search took.
        found_at: When it ended, on the clock of `time.perf_counter`.
        others: Good plans that differ, the best first.
    """

    problem: Problem
    canonical: str
    plan: Plan
    candidates: Sequence[Candidate]
    search_seconds: float
    found_at: float
    others: tuple[Alternative, ...] = ()


def recommend_day(
    team: Team,
    seen: Seen,
    snapshot: Snapshot,
    request: DayRequest,
    planning: Planning,
    *,
    recent_days: int,
    handful: int,
    budget: Budget,
    until: float | None,
) -> Recommendation:
    """Suggests the team's sessions for one day.

    Args:
        team: As it was seen.
        seen: With the skills.
        snapshot: Models and profiles.
        request: The day.
        planning: The planner's assumptions.
        recent_days: How far back practice is recent.
        handful: Candidates per student.
        budget: How long it may take.
        until: When the plan has to be found, on the clock of `time.perf_counter`; None: without a clock.

    Raises:
        RequestError: The day has no blocks, a rule or an absence names somebody else, or no plan can keep every rule;
            the error names the rule.
    """
    candidates = find_candidates(snapshot, team, seen, planning.need, recent_days, handful)
    try:
        problem = state_problem(team, seen.skills, request, candidates, planning)
        begun = time.perf_counter()
        if until is not None and budget.seconds is not None:
            budget = replace(budget, seconds=max(LEAST * budget.seconds, until - begun))
        with ThreadPoolExecutor(1) as beside:  # the search leaves Python to others
            text = beside.submit(problem.to_json)
            plan, others = _search(problem, request.alternatives, budget)
        ended = time.perf_counter()
        SEARCH.observe(ended - begun)
        GAP.observe(1.0 - plan.proven_share)
        UNMET.observe(len(plan.unmet))
        return Recommendation(problem, text.result(), plan, candidates, ended - begun, ended, others)
    except ProblemError as error:
        raise RequestError("problem", str(error), field=error.field) from error
    except InfeasibleError as error:
        NO_PLAN.labels(error.rule).inc()
        raise RequestError(error.rule, error.sentence, **_explain(problem, error)) from error


def _search(problem: Problem, alternatives: int, budget: Budget) -> tuple[Plan, tuple[Alternative, ...]]:
    """The plan, and others where they are asked for: the clock, if there is one, is shared by all searches."""
    if not alternatives:
        return suggest_groups(problem, budget), ()
    if budget.seconds is not None:
        budget = replace(budget, seconds=budget.seconds / (1 + TRIES * alternatives))
    found = find_alternatives(problem, alternatives, budget)
    return found.best, found.others


def _explain(problem: Problem, error: InfeasibleError) -> dict[str, Any]:
    """What a problem document tells of a day without a plan, without ids of students."""
    told = explain_conflict(problem, error.conflicts, nodes=NODES, questions=QUESTIONS)
    return {
        "proven": error.proven,
        "conflicts": [{"rules": list(each.rules), "detail": each.sentence} for each in error.conflicts],
        "minimal_set": [{"rule": each.rule, "detail": each.asks} for each in told.minimal_set],
        "minimal_set_proven": told.minimal,
        "relaxations": [
            {"rules": list(each.rules), "price": each.price, "detail": each.sentence} for each in told.relaxations
        ],
        "notes": list(told.notes),
    }
