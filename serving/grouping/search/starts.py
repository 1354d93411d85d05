"""Searches several times in one budget, for need first: what is social may cost only a share of the need met.

The first search knows no social weight; where a plan is given as `previous`, it starts from that. The second has all
weights and starts from the plan of the first; the third has all weights and starts anew, or, where the second gave up
too much need, goes on from the first plan with smaller social weights.
Several short searches find more than a long one (`docs/planner.md`).
"""

import time
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from serving.grouping.errors import InfeasibleError
from serving.grouping.problem.plan import Session
from serving.grouping.search.anneal import WARM, Budget, finish_day, search_day
from serving.grouping.search.bound import online_score
from serving.grouping.search.greedy import to_seats
from serving.grouping.search.kernel import LOAD, RELATIONSHIPS, SHARE, new_workspace, score_seats
from serving.grouping.search.warm_start import build_warm_start, read_earlier
from serving.grouping.state.arrays import ProblemArrays, ProblemData
from serving.grouping.state.draft import Draft

ENDS = 0.3, 0.65, 1.0
"""Shares of the budget at which each search ends."""

NEAR = 0.1
"""Points that a round may lose at first in a search that goes on from a plan."""

CAUTION = 0.8
"""Share of the cost allowed at which smaller social weights aim, where those of the problem cost too much."""

ROUNDING = 1e-9
"""Share of the need met that is no difference."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best of several searches.

    Attributes:
        sessions: checked.
        least_need: what a plan has to add to a day online in need points, so that social terms cost no more than they
            may.
        most_need: what the plan found for need alone adds.
        cut: whether the clock ended a search.
    """

    sessions: tuple[Session, ...]
    least_need: float
    most_need: float
    cut: bool


def search_starts(data: ProblemData, budget: Budget) -> Found:
    """Returns the plan of the best score among those that meet nearly as much need as was found to be possible.

    Without a clock, equal problems and budgets give equal plans. With one, the first search has what it takes to find
    a plan, and the others what is left.

    Raises:
        InfeasibleError: no day keeps every rule, or none was found; its conflicts say which.
        BrokenPlanError: the checker refuses the plan, which is a bug of ours.
    """
    began, arrays = time.perf_counter(), data.arrays
    online, need_alone = online_score(arrays), scale_social(data, 0.0)
    first, cut = _search_first(data, _share(data, budget, 0, began), need_alone, budget.until(began))
    if not data.can_lead:
        return Found(finish_day(data, first), 0.0, 0.0, cut)
    found = [first]
    for part in (1, 2):
        turn = _share(data, budget, part, began)
        if turn.seconds == 0.0:
            cut = True
            break
        needs = [_score(need_alone, draft) - online for draft in found]
        lost = 1.0 - needs[-1] / max(needs) if max(needs) > 0 else 0.0
        allowed = data.problem.most_social_cost
        if part == 1:
            draft, ended = search_day(data, turn, first, warm=NEAR)
        elif lost <= allowed:
            draft, ended = search_day(data, turn)
        else:
            draft, ended = search_day(data, turn, first, scale_social(data, CAUTION * allowed / lost), NEAR)
        found.append(draft)
        cut |= ended
    needs = [_score(need_alone, draft) - online for draft in found]
    most = max(needs)
    least = most - data.problem.most_social_cost * max(0.0, most) - ROUNDING * abs(most)
    kept = [draft for draft, need in zip(found, needs, strict=True) if need >= least]
    return Found(finish_day(data, max(kept, key=lambda draft: _score(arrays, draft))), least, most, cut)


def _search_first(data: ProblemData, budget: Budget, arrays: ProblemArrays, until: float | None) -> tuple[Draft, bool]:
    """Returns what the first search finds: from the earlier plan, unless there is none or no plan is near it."""
    earlier = read_earlier(data)
    if earlier:
        with suppress(InfeasibleError):
            return search_day(data, budget, build_warm_start(data, earlier.items()), arrays, NEAR, until)
    return search_day(data, budget, None, arrays, WARM, until)


def scale_social(data: ProblemData, factor: float) -> ProblemArrays:
    """Returns the arrays with the weights of social terms times a factor: meetings, wishes, loads and shares."""
    arrays = data.arrays
    weights = arrays.weights.copy()
    weights[[RELATIONSHIPS, LOAD, SHARE]] *= factor
    apart = np.isneginf(arrays.between)
    between = np.where(apart, -np.inf, factor * np.where(apart, 0.0, arrays.between))
    urgent = arrays.urgent if data.wished_seats is None else arrays.urgent - (1.0 - factor) * data.wished_seats
    return arrays._replace(weights=weights, between=between, has_pairs=bool(between.any()), urgent=urgent)


def _share(data: ProblemData, budget: Budget, part: int, began: float) -> Budget:
    """Returns the budget of one of the searches."""
    rounds = budget.rounds_for(len(data.arrays.present), int(data.arrays.adult_in.sum()))
    begin, end = (0.0, *ENDS)[part : part + 2]
    return replace(
        budget,
        rounds=int(end * rounds) - int(begin * rounds) if budget.seconds is None else budget.rounds,
        seconds=budget.left(began, end),
        seed=budget.seed + 1_000_003 * part,
    )


def _score(arrays: ProblemArrays, draft: Draft) -> float:
    workspace = new_workspace(arrays)
    workspace.touched[:] = True
    score: float = score_seats(arrays, to_seats(arrays, draft), workspace)
    return score
