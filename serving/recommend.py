"""One use case: a team's day, from roster and snapshot to a checked plan."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from features.roster import SkillMap, Team
from serving.day import DayRequest, state_problem
from serving.errors import RequestError
from serving.forecasts import forecast_students
from serving.grouping.changes.alternatives import TRIES, Alternative, find_alternatives
from serving.grouping.errors import InfeasibleError, ProblemError
from serving.grouping.improve import Budget
from serving.grouping.infeasible.diagnosis import explain_conflict
from serving.grouping.plan import Plan
from serving.grouping.problem import Problem
from serving.grouping.solve import suggest_groups
from serving.needs import Candidate, list_candidates
from serving.planning import Planning
from serving.snapshot import Snapshot

NODES, QUESTIONS = 1, 10
"""Of exact programs, for the explanation of a day without a plan: a caller waits for it."""


@dataclass(frozen=True)
class Recommendation:
    """A plan and everything that it rests on.

    Attributes:
        problem: The day.
        plan: The best plan found.
        candidates: The needs, and the forecasts that they come from.
        search_seconds: How long the search took.
        others: Good plans that differ, the best first.
    """

    problem: Problem
    plan: Plan
    candidates: Sequence[Candidate]
    search_seconds: float
    others: tuple[Alternative, ...] = ()


def recommend_day(
    team: Team,
    skills: SkillMap,
    snapshot: Snapshot,
    request: DayRequest,
    planning: Planning,
    *,
    recent_days: int,
    handful: int,
    budget: Budget,
) -> Recommendation:
    """Suggests the team's sessions for one day.

    Raises:
        RequestError: The day has no blocks, a rule or an absence names somebody else, or no plan can keep every rule;
            the error names the rule.
    """
    candidates = list_candidates(
        team, skills, forecast_students(snapshot, team.members, recent_days), planning.need, handful
    )
    try:
        problem = state_problem(team, skills, request, candidates, planning)
        begun = time.perf_counter()
        plan, others = _search(problem, request.alternatives, budget)
        return Recommendation(problem, plan, candidates, time.perf_counter() - begun, others)
    except ProblemError as error:
        raise RequestError("problem", str(error), field=error.field) from error
    except InfeasibleError as error:
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
