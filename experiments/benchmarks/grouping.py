"""`python -m experiments benchmark grouping`: how near the best are the planner's days, how soon, and against what.

Days are made up (`days.py`), with seeds that nothing was tuned on. Values are what a plan adds to a day that everybody
spends online. *Best known* is the best of all runs on the instance, with one long run among them; the *bound* is what
no plan exceeds. After an absence the same day is planned again with the plan of the morning given, and the share of
seats that move is told beside the value, without the price of moving, as a share of that of a plan from nothing.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.benchmarks.days import SIZES, draw_day
from experiments.benchmarks.grouping_chart import draw_grouping
from experiments.benchmarks.report import peak_mb
from experiments.benchmarks.usual_groups import USUAL, plan_usual
from features.console import OUT, track, write_json
from features.errors import InputError
from serving.grouping.arena import build_arena
from serving.grouping.bound import bound_day, online_score
from serving.grouping.check import find_violations
from serving.grouping.errors import InfeasibleError
from serving.grouping.improve import Budget
from serving.grouping.layout import index_problem
from serving.grouping.objective import score_plan
from serving.grouping.places import Seat
from serving.grouping.plan import Session
from serving.grouping.problem import Problem
from serving.grouping.solve import suggest_groups, warm_up

FIRST_SEED = 101
"""Seeds below were looked at while the search was built."""

FIRST, SECOND = "first plan", "1 s"

BUDGETS = {
    FIRST: Budget(rounds=0, seatings=0, bound_rounds=0),
    SECOND: Budget(seconds=1, bound_rounds=0),
    "5 s": Budget(seconds=5, bound_rounds=0),
    "8 s": Budget(seconds=8, bound_rounds=0),
}
METHODS = {24: (FIRST, SECOND), 60: (FIRST, SECOND), 120: (FIRST, SECOND, "5 s"), 240: (FIRST, SECOND, "8 s")}

BOUND_ROUNDS = 400

DRAWN = 60
"""Students of the team whose terms are drawn."""

PRICES = (0.05, 0.2)
"""Points that a moved seat costs when a day is planned again; the first is the default."""

Sessions = tuple[Session, ...]


@dataclass(frozen=True)
class Run:
    """One method on one instance.

    Attributes:
        students: Size of the team.
        seed: Of the instance.
        method: Name of the planner's budget, or of a usual way to group.
        value: What the plan adds to a day online.
        seconds: Wall-clock time from problem to plan, reasons and checks included.
        broken: Hard rules that the checker finds broken.
        terms: Value of each soft term, in its own unit.
    """

    students: int
    seed: int
    method: str
    value: float
    seconds: float
    broken: int
    terms: dict[str, float]


@dataclass(frozen=True)
class Absence:
    """A day planned again after an adult called in sick.

    Attributes:
        students: Size of the team.
        seed: Of the instance.
        price: Of a moved seat, in points.
        moved: Share of seats that differ from the morning's plan.
        forced: Share of seats that the adult led.
        kept_value: Of the value of a plan from nothing.
    """

    students: int
    seed: int
    price: float
    moved: float
    forced: float
    kept_value: float


def benchmark_grouping(
    instances: int, reference: float, json_path: Path | None = None, charts: Path | None = None
) -> int:
    """Prints the figures; the exit code is 1 if any plan broke a rule or exceeded its bound.

    Args:
        instances: Of each size.
        reference: Seconds of the long run behind *best known*.
        json_path: Where figures go too.
        charts: A folder for the picture.

    Raises:
        InputError: Fewer than one instance, or no time for the long run.
    """
    if instances < 1 or reference <= 0:
        raise InputError(f"--instances {instances} and --reference {reference:g} must both be above 0")
    warm_up()
    places = [(students, FIRST_SEED + at) for students in SIZES for at in range(instances)]
    runs: list[Run] = []
    bounds: dict[tuple[int, int], float] = {}
    absences: list[Absence] = []
    for students, seed in track(places, "made-up days", total=len(places)):
        problem = draw_day(students, seed)
        found = _measure(problem, students, seed, reference)
        runs += found
        bounds[students, seed] = _bound(problem, max(run.value for run in found))
        absences += _call_in_sick(problem, students, seed)
    best = {place: max(run.value for run in runs if (run.students, run.seed) == place) for place in places}
    rows = _summarise(runs, best, bounds)
    sound = all(run.broken == 0 for run in runs) and all(best[place] <= bounds[place] + 1e-6 for place in places)
    OUT.print(_show(rows), _show_absences(absences))
    if charts is not None:
        draw_grouping(charts / "grouping.png", rows, _mean_terms(runs, DRAWN if DRAWN in SIZES else min(SIZES)))
    write_json(
        json_path,
        {
            "instances": instances,
            "reference_s": reference,
            "rows": rows,
            "absences": [asdict(each) for each in absences],
            "runs": [asdict(run) | {"bound": bounds[run.students, run.seed]} for run in runs],
            "sound": sound,
            "peak_mb": peak_mb(),
        },
    )
    return 0 if sound else 1


def _measure(problem: Problem, students: int, seed: int, reference: float) -> list[Run]:
    """All methods on one instance."""

    def run(method: str, plan: Callable[[], Sessions]) -> Run:
        began = time.perf_counter()
        sessions = plan()
        seconds = time.perf_counter() - began
        score = score_plan(problem, sessions)
        return Run(
            students=students,
            seed=seed,
            method=method,
            value=score.total - online,
            seconds=seconds,
            broken=len(find_violations(problem, sessions)),
            terms={term.name: term.value for term in score.terms},
        )

    online = float(online_score(build_arena(index_problem(problem))))
    budgets = {name: BUDGETS[name] for name in METHODS[students]}
    budgets["long run"] = Budget(seconds=reference, seed=1, bound_rounds=0)
    ours = [run(name, partial(_plan, problem, budget)) for name, budget in budgets.items()]
    return ours + [run(name, partial(plan_usual, problem, name, seed)) for name in USUAL]


def _plan(problem: Problem, budget: Budget) -> Sessions:
    return suggest_groups(problem, budget).sessions


def _bound(problem: Problem, value: float) -> float:
    arena = build_arena(index_problem(problem))
    online = float(online_score(arena))
    return bound_day(arena, value + online, BOUND_ROUNDS) - online


def _call_in_sick(problem: Problem, students: int, seed: int) -> list[Absence]:
    """The teacher who is last in the roster is away all day, after the day was planned; once for each price."""
    morning = suggest_groups(problem, BUDGETS[SECOND]).sessions
    away = [adult.id for adult in problem.adults if adult.certified][-1]
    adults = tuple(replace(a, blocks=frozenset()) if a.id == away else a for a in problem.adults)
    without = replace(problem, adults=adults)
    seats = tuple(
        Seat(student, s.block, s.modality, s.skill, s.adults[0] if s.led else None)
        for s in morning
        for student in s.students
    )
    online = float(online_score(build_arena(index_problem(without))))
    try:
        cold = score_plan(without, suggest_groups(without, BUDGETS[SECOND]).sessions).total - online
    except InfeasibleError:
        return []  # too few are left to watch over the students
    told = []
    for price in PRICES:
        given = replace(without, previous=seats, weights=replace(problem.weights, perturbation=price))
        again = suggest_groups(given, BUDGETS[SECOND]).sessions
        changed = next(term.value for term in score_plan(given, again).terms if term.name == "perturbation")
        told.append(
            Absence(
                students=students,
                seed=seed,
                price=price,
                moved=changed / len(seats),
                forced=sum(seat.adult == away for seat in seats) / len(seats),
                kept_value=(score_plan(without, again).total - online) / cold,
            )
        )
    return told


def _summarise(
    runs: Sequence[Run], best: dict[tuple[int, int], float], bounds: dict[tuple[int, int], float]
) -> list[dict[str, Any]]:
    """One row per size and method."""
    rows = []
    for students, method in Counter((run.students, run.method) for run in runs):
        mine = [run for run in runs if (run.students, run.method) == (students, method)]
        known = np.array([run.value / best[run.students, run.seed] for run in mine])
        proven = np.array([run.value / bounds[run.students, run.seed] for run in mine])
        seconds = np.array([run.seconds for run in mine])
        rows.append(
            {
                "students": students,
                "method": method,
                "of_best_known_median": float(np.median(known)),
                "of_best_known_least": float(known.min()),
                "of_bound_median": float(np.median(proven)),
                "best_known_found": float((known > 1 - 1e-4).mean()),
                "seconds_median": float(np.median(seconds)),
                "seconds_p95": float(np.quantile(seconds, 0.95)),
                "needs_met_mean": float(np.mean([run.terms["benefit"] for run in mine])),
                "broken": sum(run.broken for run in mine),
            }
        )
    return rows


def _mean_terms(runs: Sequence[Run], students: int) -> dict[str, dict[str, float]]:
    """The mean of each term by method, of ours and of the usual ways."""
    told = {}
    for method in (SECOND, *USUAL):
        mine = [run.terms for run in runs if run.students == students and run.method == method]
        told[method] = {name: float(np.mean([terms[name] for terms in mine])) for name in mine[0]}
    return told


def _show(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(title="made-up days: value added to a day online", box=SIMPLE_HEAD)
    for name in ("team", "method", "of best", "least", "of bound", "needs met", "s", "p95 s"):
        table.add_column(name, justify="left" if name == "method" else "right", no_wrap=True)
    for row in rows:
        table.add_row(
            str(row["students"]),
            row["method"],
            f"{row['of_best_known_median']:.3f}",
            f"{row['of_best_known_least']:.3f}",
            f"{row['of_bound_median']:.3f}",
            f"{row['needs_met_mean']:.1f}",
            f"{row['seconds_median']:.2f}",
            f"{row['seconds_p95']:.2f}",
        )
    table.caption = f"medians, but for the needs met; {sum(row['broken'] for row in rows)} hard rules broken"
    return table


def _show_absences(absences: Sequence[Absence]) -> Table:
    table = Table(title="an adult called in sick, and the day was planned again in 1 s", box=SIMPLE_HEAD)
    for name in ("team", "price", "forced", "moved", "most", "value kept", "least"):
        table.add_column(name, justify="right", no_wrap=True)
    for students, price in Counter((each.students, each.price) for each in absences):
        mine = [each for each in absences if (each.students, each.price) == (students, price)]
        moved, kept = np.array([each.moved for each in mine]), np.array([each.kept_value for each in mine])
        forced = np.median([each.forced for each in mine])
        cells = (f"{forced:.0%}", f"{np.median(moved):.0%}", f"{moved.max():.0%}", f"{np.median(kept):.3f}")
        table.add_row(str(students), f"{price:g}", *cells, f"{kept.min():.3f}")
    return table
