"""Plans of synthetic days, timed and scored: the planner's budgets and the baseline policies."""

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from experiments.benchmarks.planner.baselines import BASELINES, plan_baseline
from experiments.benchmarks.planner.best_known import Known, Place, bound_value, checksum, look_up, online_value
from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import describe_plan, find_sessions, prove_plan

BUDGETS = {
    0.0: Budget(rounds=0, seatings=0, bound_rounds=0),
    1.0: Budget(seconds=1, bound_rounds=0),
    5.0: Budget(seconds=5, bound_rounds=0),
    8.0: Budget(seconds=8, bound_rounds=0),
}
"""Budgets by seconds; 0 is the first plan."""

SPENT = {24: (0.0, 1.0), 60: (0.0, 1.0), 120: (0.0, 1.0, 5.0), 240: (0.0, 1.0, 8.0)}
"""Budgets by size."""

BOUND_ROUNDS = 400
"""Rounds of the bound where none is stored."""

REPEATS = "repeats_per_pair"
"""Repeats per pair in an adult-led session: a policy that teaches few seats has few repeats in all."""

Sessions = tuple[Session, ...]
Planned = tuple[Sessions, float | None]
"""A plan, and the CPU seconds until its sessions were checked; null for a baseline policy."""


@dataclass(frozen=True, slots=True)
class Run:
    """One method on the day of a team size and seed.

    Attributes:
        method: Name of a baseline policy, "first plan", or the seconds of the planner.
        budget_s: Seconds of the planner; null for a baseline policy.
        value: Points that the plan adds to a day online.
        seconds: Wall-clock time from problem to plan, reasons and checks included; `cpu_s`: CPU time for the same.
        checked_cpu_s: CPU time until the sessions were checked, before their reasons; null for a baseline policy.
        broken: Hard rules that the checker finds broken.
        terms: Value of each soft term, in its own unit, and `REPEATS`.
    """

    students: int
    seed: int
    method: str
    budget_s: float | None
    value: float
    seconds: float
    cpu_s: float
    checked_cpu_s: float | None
    broken: int
    terms: dict[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """One day: its runs, what is known of it after them, and whether they found better than what was stored."""

    runs: tuple[Run, ...]
    known: Known
    stored: bool
    better: bool


def measure_day(place: Place, known: dict[Place, Known]) -> Measured:
    """Plans one day in all ways; without stored figures it gets a quick bound, and its best run as the best known.

    Raises:
        InputError: The stored figures are of another day.
    """
    problem = draw_day(*place)
    found = look_up(known, place, problem)
    runs = [
        _run(place, problem, name_budget(seconds), seconds, partial(_plan, problem, BUDGETS[seconds]))
        for seconds in SPENT[place[0]]
    ]
    runs += [_run(place, problem, name, None, partial(_plan_baseline, problem, name, place[1])) for name in BASELINES]
    best = max(run.value for run in runs)
    if found is None:
        now = Known(best, bound_value(problem, best, BOUND_ROUNDS, exact=0), proven=False, checksum=checksum(problem))
        return Measured(tuple(runs), now, stored=False, better=False)
    better = best > found.best * (1 + 1e-9)
    return Measured(tuple(runs), found.joined(best, found.bound, proven=False), stored=True, better=better)


def name_budget(seconds: float) -> str:
    """Returns the name of a budget in tables."""
    return f"{seconds:g} s" if seconds else "first plan"


def is_sound(measured: Sequence[Measured]) -> bool:
    """Returns whether no plan broke a rule or exceeded its day's bound."""
    return all(run.broken == 0 and run.value <= day.known.bound + 1e-6 for day in measured for run in day.runs)


def _run(
    place: Place,
    problem: Problem,
    method: str,
    budget_s: float | None,
    plan: Callable[[], tuple[Sessions, float | None]],
) -> Run:
    gc.collect()  # else every few runs one pays for what the days before it left
    began, spent = time.perf_counter(), time.process_time()
    sessions, checked = plan()
    spent, seconds = time.process_time() - spent, time.perf_counter() - began
    score = score_plan(problem, sessions)
    terms = {term.name: term.value for term in score.terms}
    pairs = sum(math.comb(len(session.students), 2) for session in sessions if session.led)
    return Run(
        *place,
        method=method,
        budget_s=budget_s,
        value=score.total - online_value(problem),
        seconds=seconds,
        cpu_s=spent,
        checked_cpu_s=checked,
        broken=len(find_violations(problem, sessions)),
        terms={**terms, REPEATS: terms["repeat_groupmates"] / max(1, pairs)},
    )


def _plan(problem: Problem, budget: Budget) -> Planned:
    """Plans in the two steps of `suggest_groups`; returns the sessions and the CPU time until they were checked."""
    began = time.process_time()
    found = find_sessions(problem, budget)
    checked = time.process_time() - began
    plan = describe_plan(problem, found.sessions, found.status)
    return prove_plan(found.data, plan, budget.bound_rounds).sessions, checked


def _plan_baseline(problem: Problem, name: str, seed: int) -> Planned:
    return plan_baseline(problem, name, seed), None
