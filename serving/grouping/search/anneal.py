"""Searches for a day of high score: constructed greedily, then improved by large-neighborhood search with annealing."""

import time
from dataclasses import dataclass

import numpy as np

from serving.grouping.clock import is_over
from serving.grouping.errors import BrokenPlanError
from serving.grouping.problem.plan import Session
from serving.grouping.rules.check import find_violations
from serving.grouping.search.greedy import construct_plan, to_draft, to_seats
from serving.grouping.search.kernel import construct_day, copy_seats, empty_seats, improve_day, new_workspace
from serving.grouping.state.arrays import PINNED_LED, ProblemArrays, ProblemData
from serving.grouping.state.draft import Draft

WARM, COOL = 0.2, 0.005
"""First and last temperature, in points that a round may lose about every third time.

Chosen on synthetic days of 60 and 240 students.
"""

PARTS = 60
"""Parts of a search: within each the temperature stays the same, and after each the clock is read."""

FIRST_ROUNDS = 10
"""Rounds of the first part, after which the clock shows how many fit into one."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to search.

    Attributes:
        rounds: rounds of ruin and recreate, of all starts together; None: without a clock, 500 for each block of each
            adult, and no more than take about a second; with a clock, no end.
        seconds: wall-clock time from problem to plan, bound and reasons included, of which the search has most; None:
            no clock, and equal problems give equal plans.
        seed: seed of the random number generator.
        seatings: how often to seat students exactly for the sessions found; more than once only where recent groupmates
            are too many to be exact.
        bound_rounds: rounds of lowering the bound on every plan's score; 0: none is looked for. With a clock, as many
            as fit.
        deadline: when everything has to end, on the clock of `time.perf_counter`, whatever rounds or seconds are left;
            None: at their end. A search that ends before it is the same as without it.
    """

    rounds: int | None = None
    seconds: float | None = None
    seed: int = 0
    seatings: int = 3
    bound_rounds: int = 100
    deadline: float | None = None

    def left(self, began: float, share: float) -> float | None:
        """Returns the seconds until a share of its time is over, counted from `began`; None without `seconds`."""
        until = None if self.seconds is None else self.until(began, share)
        return None if until is None else max(0.0, until - time.perf_counter())

    def until(self, began: float, share: float = 1.0) -> float | None:
        """Returns when a share of its time is over, on the clock of `time.perf_counter`; None without a clock."""
        if self.seconds is None:
            return self.deadline
        until = began + share * self.seconds
        return until if self.deadline is None else min(until, self.deadline)

    def rounds_for(self, students: int, duties: int) -> int:
        """Returns the rounds that a problem of so many students, and blocks of adults, gets."""
        if self.rounds is not None:
            return self.rounds
        return min(300_000 // max(1, students), 500 * duties) if self.seconds is None else 2**62


def search_sessions(
    data: ProblemData,
    budget: Budget,
    start: Draft | None = None,
    reweighted: ProblemArrays | None = None,
    warm: float = WARM,
) -> tuple[tuple[Session, ...], bool]:
    """Returns the sessions of the best day found, checked, and whether the clock cut the search; as `search_day`.

    Raises:
        InfeasibleError: as `search_day`.
        BrokenPlanError: the checker refuses the sessions, which is a bug of ours.
    """
    draft, cut = search_day(data, budget, start, reweighted, warm)
    return finish_day(data, draft), cut


def finish_day(data: ProblemData, draft: Draft) -> tuple[Session, ...]:
    """Returns the sessions of a partial solution, checked.

    Raises:
        BrokenPlanError: the checker refuses them, which is a bug of ours.
    """
    sessions = draft.finish()
    broken = find_violations(data.problem, sessions)
    if broken:
        raise BrokenPlanError(tuple(violation.rule for violation in broken))
    return sessions


def search_day(
    data: ProblemData,
    budget: Budget,
    start: Draft | None = None,
    reweighted: ProblemArrays | None = None,
    warm: float = WARM,
    until: float | None = None,
) -> tuple[Draft, bool]:
    """Returns the best day found, and whether the clock cut the search.

    Args:
        data: the problem.
        budget: how long to search; all of its seconds are the search's.
        start: sessions to begin from; None: from an empty day.
        reweighted: arrays of the problem with other weights, which may be below 0; None: with its own.
        warm: points that a round may lose at first; less than usual keeps a short search near its start.
        until: when a first plan has to be found, on the clock of `time.perf_counter`; None: within the budget.

    Raises:
        InfeasibleError: no day keeps every rule, or none was found; its conflicts say which.
    """
    began = time.perf_counter()
    until = budget.until(began) if until is None else until
    arrays = data.arrays if reweighted is None else reweighted
    if not data.can_lead:
        return construct_plan(data, arrays, until=until), False  # nobody to lead, nobody to teach, or nothing
    workspace, rng = new_workspace(arrays), np.array([(2 * budget.seed + 1) * 0x9E3779B97F4A7C15 % 2**64], np.uint64)
    seats = empty_seats(arrays)
    pinned = bool((arrays.pin == PINNED_LED).any())
    value = -np.inf if pinned or start is not None else construct_day(arrays, seats, rng, workspace)
    if value == -np.inf:
        seats = to_seats(arrays, construct_plan(data, arrays, start, until))
        value = construct_day(arrays, seats, rng, workspace)
    best, candidate, values = copy_seats(seats), copy_seats(seats), np.array([value, value])
    rounds = budget.rounds_for(len(arrays.present), int(arrays.adult_in.sum()))
    done, spent = 0, time.perf_counter() - began
    while done < rounds and (budget.seconds is None or spent < budget.seconds) and not is_over(budget.deadline):
        if budget.seconds is None:
            share, part = done / rounds, rounds // PARTS
        else:
            share = max(done / rounds, spent / budget.seconds)
            part = int(done / spent * budget.seconds / PARTS) if done else FIRST_ROUNDS
        temperature = warm * (COOL / warm) ** share
        part = min(max(1, part), rounds - done)
        improve_day(arrays, seats, best, candidate, values, rng, workspace, part, temperature)
        done, spent = done + part, time.perf_counter() - began
    return to_draft(data, best), done < rounds
