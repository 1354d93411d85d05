"""`python -m experiments benchmark conflicts`: are injected conflicts named, how soon, and do their relaxations hold?

A conflict of a known kind is injected into a synthetic day that has a plan (`instances/conflicts.py`). Named means
that the planner's refusal names the rule; first, that its first conflict does; relaxed, that there are relaxations, and
that each is planned and accepted by the checker. Seconds are those of the refusal, from problem to named conflicts.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from experiments.benchmarks.figures import make_table
from experiments.benchmarks.planner.instances.conflicts import FAMILIES
from experiments.benchmarks.planner.instances.team import draw_day
from features.console import OUT, track, write_json
from features.errors import InputError
from serving.grouping.errors import InfeasibleError
from serving.grouping.infeasible.diagnosis import explain_conflict
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups, warm_up

TEAMS = (24, 60, 120)

FIRST_SEED = 501
"""Seeds below were looked at while the counting was built."""

FEW = Budget(rounds=20, seatings=1, bound_rounds=0)


@dataclass(frozen=True)
class Injected:
    """A conflict of one of `conflicts.FAMILIES` in the day of a team size and seed, and how it was explained.

    Attributes:
        right: The rule that the conflict breaks.
        named: Whether a conflict of the refusal names it; `first`: whether the first one does.
        proven: Whether the refusal is proven.
        seconds: Time until the refusal; `explain_s`: time of the minimal set and the relaxations.
        minimal: Whether a minimal set was found and is proven minimal.
        relaxations: How many were offered; `relaxed`: whether there is one, and all were planned and checked.
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
    """Prints and writes the figures of so many days of each family; the exit code is 1 if a relaxation does not hold.

    Raises:
        InputError: Fewer than one instance.
    """
    if instances < 1:
        raise InputError(f"--instances {instances} must be above 0")
    found = measure_conflicts(instances)
    summary = summarize_conflicts(found)
    OUT.print(_show(summary))
    write_json(json_path, {"instances": instances, **summary, "injected": [asdict(conflict) for conflict in found]})
    return 0 if all(conflict.relaxed for conflict in found) else 1


def measure_conflicts(instances: int, first_seed: int = FIRST_SEED, teams: Sequence[int] = TEAMS) -> list[Injected]:
    """Injects and measures each family so many times, over teams of all sizes in turn."""
    warm_up()
    days = [(name, teams[at % len(teams)], first_seed + at) for name in FAMILIES for at in range(instances)]
    return [_measure(*day) for day in track(days, "injected conflicts", total=len(days))]


def summarize_conflicts(found: Sequence[Injected]) -> dict[str, Any]:
    """Returns the shares over all and by family, and seconds."""
    families = {}
    for name in dict.fromkeys(conflict.family for conflict in found):
        mine = [conflict for conflict in found if conflict.family == name]
        families[name] = {"rule": mine[0].right, "instances": len(mine), **_shares(mine)}
    return {**_shares(found), "families": families}


def _shares(found: Sequence[Injected]) -> dict[str, float]:
    explaining = [conflict.explain_s for conflict in found]
    return {
        "conflicts_named_share": float(np.mean([conflict.named for conflict in found])),
        "conflicts_first_share": float(np.mean([conflict.first for conflict in found])),
        "relaxed_share": float(np.mean([conflict.relaxed for conflict in found])),
        "minimal_share": float(np.mean([conflict.minimal for conflict in found])),
        "p95_s": float(np.quantile([conflict.seconds for conflict in found], 0.95)),
        "explain_median_s": float(np.median(explaining)),
        "explain_p95_s": float(np.quantile(explaining, 0.95)),
    }


def _measure(family: str, students: int, seed: int) -> Injected:
    rng = np.random.default_rng([students, seed, list(FAMILIES).index(family)])
    day = draw_day(students, seed)
    suggest_groups(day, FEW)  # raises where the day has no plan before a conflict is injected
    right, problem = FAMILIES[family](day, rng)
    began = time.perf_counter()
    try:
        suggest_groups(problem, FEW)
    except InfeasibleError as error:
        seconds, conflicts, proven = time.perf_counter() - began, error.conflicts, error.proven
    else:
        raise AssertionError(f"{family} of {students} students, seed {seed}: the conflict leaves a plan")
    began = time.perf_counter()
    diagnosis = explain_conflict(problem, conflicts)
    return Injected(
        family=family,
        students=students,
        seed=seed,
        right=right,
        named=any(right in conflict.rules for conflict in conflicts),
        first=right in conflicts[0].rules,
        proven=proven,
        seconds=seconds,
        explain_s=time.perf_counter() - began,
        minimal=bool(diagnosis.minimal_set) and diagnosis.minimal,
        relaxations=len(diagnosis.relaxations),
        relaxed=bool(diagnosis.relaxations) and all(_has_plan(way.problem) for way in diagnosis.relaxations),
    )


def _has_plan(problem: Problem) -> bool:
    try:
        return find_violations(problem, suggest_groups(problem, FEW).sessions) == ()
    except InfeasibleError:
        return False


def _show(summary: dict[str, Any]) -> Table:
    table = make_table("injected conflicts", ["family"], ["named", "first", "relaxed", "p95 s", "explained s"])
    for family, row in (*summary["families"].items(), ("all", summary)):
        shares = ("conflicts_named_share", "conflicts_first_share", "relaxed_share")
        times = ("p95_s", "explain_median_s")
        table.add_row(family, *(f"{row[name]:.0%}" for name in shares), *(f"{row[n]:.2f}" for n in times))
    return table
