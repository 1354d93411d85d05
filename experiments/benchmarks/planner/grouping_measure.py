"""Plans of the instance set, timed and scored, and how much of them the planner's own bound proves soon after."""

import gc
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from experiments.benchmarks.planner.best_known import Known, Place, checksum, look_up, online_value
from experiments.benchmarks.planner.instances.team import draw_family
from serving.grouping.problem.policy import Weights
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import describe_plan, find_sessions, prove_plan

SECOND = 1.0
"""Seconds of the search that is judged, and of the bound after it."""

BUDGETS = {
    0.0: Budget(rounds=0, seatings=0, bound_rounds=0),
    SECOND: Budget(seconds=SECOND, bound_rounds=0),
    5.0: Budget(seconds=5, bound_rounds=0),
}
"""Budgets by seconds; 0 is the first plan."""

LONGER = 60
"""Students above which the longest budget is spent too."""

NEED = ("benefit", "urgent")
"""Weights that are left where need alone counts."""


@dataclass(frozen=True, slots=True)
class Run:
    """One budget on the day of a family and seed.

    Attributes:
        budget_s: Seconds; 0 for the first plan.
        value: Points that the plan adds to a day online.
        seconds: Wall-clock time from problem to plan, reasons and checks included; `cpu_s`: CPU time for the same.
        checked_cpu_s: CPU time until the sessions were checked, before their reasons.
        broken: Hard rules that the checker finds broken.
        bound: What the planner proves no plan to exceed, a second after this one; null where it was not asked.
    """

    family: str
    students: int
    seed: int
    budget_s: float
    value: float
    seconds: float
    cpu_s: float
    checked_cpu_s: float
    broken: int
    bound: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """One day: its runs, what is known of it after them, and whether they found better than what was stored."""

    runs: tuple[Run, ...]
    known: Known
    stored: bool
    better: bool


def measure_day(place: Place, known: dict[Place, Known]) -> Measured:
    """Plans one day with each budget; without stored figures its best run is the best known.

    Raises:
        InputError: The stored figures are of another day.
    """
    problem = draw_family(*place)
    found = look_up(known, place, problem)
    budgets = [seconds for seconds in BUDGETS if seconds <= SECOND or len(problem.students) > LONGER]
    runs = tuple(_run(place, problem, seconds) for seconds in budgets)
    best = max(run.value for run in runs)
    bound = min(run.bound for run in runs if run.bound is not None)
    now = Known(best, bound, proven=False, seconds=0.0, checksum=checksum(problem))
    if found is None:
        return Measured(runs, now, stored=False, better=False)
    return Measured(runs, found.joined(now), stored=True, better=best > found.best * (1 + 1e-9))


def is_sound(measured: Sequence[Measured]) -> bool:
    """Returns whether no plan broke a rule, and no bound is below a plan that is known."""
    return all(
        run.broken == 0 and (run.bound is None or day.known.best <= run.bound + 1e-6)
        for day in measured
        for run in day.runs
    )


def prove_need(place: Place) -> float:
    """Returns which share of its bound a plan has where nothing but need counts, one second after the plan."""
    problem = draw_family(*place)
    kept = {name: getattr(problem.weights, name) for name in NEED}
    nothing = dict.fromkeys((field.name for field in fields(Weights)), 0.0)
    run = _run(place, replace(problem, weights=Weights(**nothing | kept)), SECOND)
    assert run.bound is not None
    return run.value / run.bound


def _run(place: Place, problem: Problem, seconds: float) -> Run:
    gc.collect()  # else every few runs one pays for what the days before it left
    began, spent = time.perf_counter(), time.process_time()
    found = find_sessions(problem, BUDGETS[seconds])
    checked = time.process_time() - spent
    plan = describe_plan(problem, found.sessions, found.status)
    taken, spent = time.perf_counter() - began, time.process_time() - spent
    online, bound = online_value(problem), None
    if seconds == SECOND:
        bound = (
            prove_plan(found.data, plan, sys.maxsize, time.perf_counter() + SECOND, exact=sys.maxsize).bound - online
        )
    return Run(
        family=place[0],
        students=len(problem.students),
        seed=place[1],
        budget_s=seconds,
        value=plan.score.total - online,
        seconds=taken,
        cpu_s=spent,
        checked_cpu_s=checked,
        broken=len(find_violations(problem, plan.sessions)),
        bound=bound,
    )
