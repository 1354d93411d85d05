"""Finds several good plans of one day: near the best in score, different from each other in seats."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from serving.grouping.changes.difference import find_moves, read_seats
from serving.grouping.clock import is_over
from serving.grouping.errors import require_range
from serving.grouping.exact.seating import assign_students
from serving.grouping.exact.wished_rooms import grant_rooms
from serving.grouping.problem.places import Seat
from serving.grouping.problem.plan import Plan, Session
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget, search_sessions
from serving.grouping.search.kernel import PERTURBATION
from serving.grouping.solve import DEFAULT_BUDGET, SEATS, describe_plan, suggest_groups
from serving.grouping.state.arrays import ProblemArrays, ProblemData, build_data

ATTEMPTS = 6
"""Searches for one further plan before giving up; each halves or doubles the penalty of seats like earlier ones."""

LEAST_PENALTY = 1e-3
"""Points of a seat like earlier ones, where the best plan has next to nothing to lose."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One further plan.

    Attributes:
        score_loss: share of what the best plan adds to a day online that this one does not.
        difference: share of seats, in kind, skill or lead, by which it differs from the nearest of all others.
    """

    plan: Plan
    score_loss: float
    difference: float


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The best plan and others.

    Attributes:
        others: the nearest to the best in score first.
        searches: how many were made for them.
        sentence: how many were found of those asked for, and within what limits.
    """

    best: Plan
    others: tuple[Alternative, ...]
    searches: int
    sentence: str


def find_alternatives(
    problem: Problem,
    count: int,
    budget: Budget = DEFAULT_BUDGET,
    *,
    max_score_loss: float = 0.05,
    min_difference: float = 0.2,
) -> Alternatives:
    """Returns the best plan and up to so many others; without a clock, equal problems and budgets give equal ones.

    Each search penalizes seats like those of the plans found before, and its plan is kept only if the true
    score lies within the limit. Seats of `Problem.previous` do not steer these searches, but count in the scores.

    Args:
        problem: the day.
        count: how many others.
        budget: of each search; the seed grows by 1 from one search to the next.
        max_score_loss: share of what the best plan adds to a day online that another may lack, 0-1.
        min_difference: share of all seats by which any two plans differ at least, 0-1.

    Raises:
        ProblemError: a limit is out of range.
        InfeasibleError: no plan can keep every hard rule, or none was found.
    """
    require_range("count", count, 1)
    require_range("max_score_loss", max_score_loss, 0.0, 1.0)
    require_range("min_difference", min_difference, 1e-6, 1.0)
    best = suggest_groups(problem, budget)
    value = best.score.total - best.online_score
    search = _AlternativeSearch(problem, budget, best.score.total - max_score_loss * value, min_difference)
    kept = [best.sessions]
    while len(kept) <= count and not is_over(budget.deadline):
        found = search.next_plan(kept)
        if found is None:
            break
        kept.append(found)
    plans = [best] + [
        replace(
            describe_plan(problem, sessions, "searched", budget.deadline),
            bound=best.bound,
            online_score=best.online_score,
            most_need_gain=best.most_need_gain,
            cut_by_clock=search.cut,
        )
        for sessions in kept[1:]
    ]
    plans.sort(key=lambda plan: -plan.score.total)  # a later search may have found the best
    value = plans[0].score.total - best.online_score
    near = [plan for plan in plans if plans[0].score.total - plan.score.total <= max_score_loss * value + ROUNDING]
    others = tuple(
        Alternative(
            plan,
            (plans[0].score.total - plan.score.total) / value if value > 0 else 0.0,
            min(search.difference(plan.sessions, other.sessions) for other in near if other is not plan),
        )
        for plan in near[1:]
    )
    return Alternatives(plans[0], others, search.searches, _describe(count, others, max_score_loss, min_difference))


ROUNDING = 1e-9


class _AlternativeSearch:
    """Searches for plans of at least a score that differ from others."""

    def __init__(self, problem: Problem, budget: Budget, least_score: float, min_difference: float) -> None:
        self.problem, self.budget = problem, budget
        self.least_score, self.min_difference = least_score, min_difference
        self.data = build_data(problem)
        self.seats = int(self.data.arrays.present.sum())
        self.searches = 0
        self.cut = False

    def difference(self, one: Sequence[Session], other: Sequence[Session]) -> float:
        """Returns the share of seats that differ."""
        return len(find_moves(self.problem, one, other)) / max(1, self.seats)

    def next_plan(self, kept: Sequence[tuple[Session, ...]]) -> tuple[Session, ...] | None:
        """Returns a plan within the limits, None where no search found one.

        The first penalty of a seat is that at which the score there is to lose pays for the seats that have to differ.
        """
        data = build_data(replace(self.problem, previous=_most_common_seats(kept)))
        top = max(score_plan(self.problem, sessions).total for sessions in kept)
        spare = max(0.0, top - self.least_score)
        penalty = max(LEAST_PENALTY, spare / max(1.0, self.min_difference * self.seats))
        low, high = 0.0, None
        for _ in range(ATTEMPTS):
            if is_over(self.budget.deadline):
                self.cut = True
                break
            sessions = self._search(data, penalty, kept)
            near = score_plan(self.problem, sessions).total >= self.least_score - ROUNDING
            apart = self._differs(sessions, kept)
            if near and apart:
                return sessions
            if near:
                low = penalty
            elif apart:
                high = penalty
            penalty = 2 * penalty if high is None else (low + high) / 2
        return None

    def _differs(self, sessions: Sequence[Session], kept: Sequence[Sequence[Session]]) -> bool:
        return all(self.difference(sessions, other) >= self.min_difference - ROUNDING for other in kept)

    def _search(self, data: ProblemData, penalty: float, kept: Sequence[Sequence[Session]]) -> tuple[Session, ...]:
        """Returns the plan of one search, with the best students in its sessions where it still differs then."""
        self.searches += 1
        began, seed = time.perf_counter(), self.budget.seed + self.searches
        budget = replace(self.budget, seed=seed, seconds=self.budget.left(began, 1.0 - SEATS))
        sessions, cut = search_sessions(data, budget, reweighted=_reward_change(data.arrays, penalty))
        self.cut |= cut
        seated = assign_students(self.data, sessions, until=self.budget.until(began), few=self.budget.seconds is None)
        if (
            seated is not None
            and score_plan(self.problem, seated[0]).total > score_plan(self.problem, sessions).total
            and self._differs(seated[0], kept)
            and not find_violations(self.problem, seated[0])
        ):
            sessions = seated[0]
        return grant_rooms(self.problem, sessions, self.budget.until(began))


def _reward_change(arrays: ProblemArrays, penalty: float) -> ProblemArrays:
    """Returns the arrays in which a seat unlike the previous one gains points instead of losing them."""
    weights = arrays.weights.copy()
    weights[PERTURBATION] = -penalty
    return arrays._replace(weights=weights)


def _most_common_seats(kept: Sequence[Sequence[Session]]) -> tuple[Seat, ...]:
    """Returns for each student and block the seat that most of the plans give, of equally many the latest."""
    plans = [read_seats(sessions) for sessions in reversed(kept)]
    counts = (Counter(plan[place] for plan in plans if place in plan) for place in sorted(plans[0]))
    return tuple(seats.most_common(1)[0][0] for seats in counts)


def _describe(count: int, others: Sequence[Alternative], max_score_loss: float, min_difference: float) -> str:
    limits = f"within {max_score_loss:.1%} of the best and different in at least {min_difference:.0%} of all seats"
    if len(others) == count:
        return f"{count} further plan{'s' if count > 1 else ''} {limits}."
    found = len(others) or "none"
    return f"Asked for {count} further plans, found {found} {limits}; there may be more."
