"""`python -m experiments benchmark conflicts`: are planted conflicts named, how soon, and do their relaxations hold?

A conflict of a known kind is planted into a made-up day that has a plan (`days.py`). Named means that the planner's
refusal names the rule; first, that its first conflict does; relaxed, that every relaxation offered is planned and
accepted by the checker, and that there is one. Seconds are those of the refusal, problem to named conflicts.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.benchmarks.planner.days import draw_day
from experiments.benchmarks.planner.planting import FAMILIES
from features.console import OUT, track, write_json
from features.errors import InputError
from serving.grouping.errors import InfeasibleError
from serving.grouping.infeasible.diagnosis import Diagnosis, explain_conflict
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups, warm_up

TEAMS = (24, 60, 120)

FIRST_SEED = 501
"""Seeds below were looked at while the counting was built."""

FEW = Budget(rounds=20, seatings=1, bound_rounds=0)


@dataclass(frozen=True)
class Planted:
    """One planted conflict, and what was said of it.

    Attributes:
        family: Of `planting.FAMILIES`.
        students: Size of the team.
        seed: Of the day.
        right: The rule that was planted against.
        named: Whether a conflict names it. `first`: the first one does.
        proven: Whether the refusal is proven.
        seconds: Of the refusal.
        explain_s: Of the minimal set and the relaxations.
        minimal: Whether a minimal set was found and is proven minimal.
        relaxations: How many were offered.
        relaxed: Whether there is one, and all of them were planned and checked.
    """

    family: str
    students: int
    seed: int
    right: str
    named: bool
    first: bool
    proven: bool
    seconds: float
    explain_s: float
    minimal: bool
    relaxations: int
    relaxed: bool


def benchmark_conflicts(instances: int, json_path: Path | None = None) -> int:
    """Prints the figures; the exit code is 1 if any relaxation does not hold.

    Args:
        instances: Of each family.
        json_path: Where figures go too.

    Raises:
        InputError: Fewer than one instance.
    """
    if instances < 1:
        raise InputError(f"--instances {instances} must be above 0")
    found = measure_planted(instances, FIRST_SEED)
    summary = summarise_planted(found)
    OUT.print(_show(summary))
    write_json(json_path, {"instances": instances, **summary, "planted": [asdict(each) for each in found]})
    return 0 if all(each.relaxed for each in found) else 1


def measure_planted(instances: int, first_seed: int, teams: Sequence[int] = TEAMS) -> list[Planted]:
    """Plants and measures each family so many times, over teams of all sizes in turn."""
    warm_up()
    orders = [(name, teams[at % len(teams)], first_seed + at) for name in FAMILIES for at in range(instances)]
    return [_measure(*order) for order in track(orders, "planted conflicts", total=len(orders))]


def summarise_planted(found: Sequence[Planted]) -> dict[str, Any]:
    """The shares over all and by family, and seconds."""
    families = {}
    for name in dict.fromkeys(each.family for each in found):
        mine = [each for each in found if each.family == name]
        families[name] = {"rule": mine[0].right, "instances": len(mine), **_shares(mine)}
    return {**_shares(found), "families": families}


def _shares(found: Sequence[Planted]) -> dict[str, float]:
    seconds = np.array([each.seconds for each in found])
    explaining = np.array([each.explain_s for each in found])
    return {
        "conflicts_named_share": float(np.mean([each.named for each in found])),
        "conflicts_first_share": float(np.mean([each.first for each in found])),
        "relaxed_share": float(np.mean([each.relaxed for each in found])),
        "minimal_share": float(np.mean([each.minimal for each in found])),
        "p95_s": float(np.quantile(seconds, 0.95)),
        "explain_median_s": float(np.median(explaining)),
        "explain_p95_s": float(np.quantile(explaining, 0.95)),
    }


def _measure(family: str, students: int, seed: int) -> Planted:
    lots = np.random.default_rng([students, seed, list(FAMILIES).index(family)])
    day = draw_day(students, seed)
    suggest_groups(day, FEW)  # raises where the day has no plan before anything is planted
    right, problem = FAMILIES[family](day, lots)
    began = time.perf_counter()
    try:
        suggest_groups(problem, FEW)
    except InfeasibleError as error:
        seconds, conflicts, proven = time.perf_counter() - began, error.conflicts, error.proven
    else:
        raise AssertionError(f"{family} of {students} students, seed {seed}: what was planted leaves a plan")
    began = time.perf_counter()
    told = explain_conflict(problem, conflicts)
    return Planted(
        family=family,
        students=students,
        seed=seed,
        right=right,
        named=any(right in conflict.rules for conflict in conflicts),
        first=right in conflicts[0].rules,
        proven=proven,
        seconds=seconds,
        explain_s=time.perf_counter() - began,
        minimal=bool(told.minimal_set) and told.minimal,
        relaxations=len(told.relaxations),
        relaxed=_relaxed(told),
    )


def _relaxed(told: Diagnosis) -> bool:
    return bool(told.relaxations) and all(_plans(each.problem) for each in told.relaxations)


def _plans(problem: Problem) -> bool:
    try:
        return find_violations(problem, suggest_groups(problem, FEW).sessions) == ()
    except InfeasibleError:
        return False


def _show(summary: dict[str, Any]) -> Table:
    table = Table(title="planted conflicts", box=SIMPLE_HEAD)
    for name in ("family", "named", "first", "relaxed", "p95 s", "explained s"):
        table.add_column(name, justify="left" if name == "family" else "right", no_wrap=True)
    for family, row in (*summary["families"].items(), ("all", summary)):
        shares = ("conflicts_named_share", "conflicts_first_share", "relaxed_share")
        times = ("p95_s", "explain_median_s")
        table.add_row(family, *(f"{row[name]:.0%}" for name in shares), *(f"{row[n]:.2f}" for n in times))
    return table
