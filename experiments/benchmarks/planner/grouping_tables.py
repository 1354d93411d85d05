"""Rows and tables of the planner's benchmark by size and method, and each term beside the baseline policies."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from experiments.benchmarks.figures import make_table
from experiments.benchmarks.planner.grouping_measure import REPEATS, Measured, Run

EXACT = 1e-6
"""Share of the optimum that a plan may miss and still be called optimal."""

LOSSES = frozenset({"coverage", "repeat_groupmates", "load", "share", "teacher_time_due", REPEATS})
"""Terms of which less is better."""


def summarize(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """Returns one row per size and method: value by the best known and by the bound, time, hard rules broken."""
    pairs = [(run, day.known) for day in measured for run in day.runs]
    rows = []
    for students, method in Counter((run.students, run.method) for run, _ in pairs):
        mine = [(run, known) for run, known in pairs if (run.students, run.method) == (students, method)]
        runs = [run for run, _ in mine]
        best, bound = (np.array([run.value / getattr(known, of) for run, known in mine]) for of in ("best", "bound"))
        rows.append(
            {
                "students": students,
                "method": method,
                "budget_s": runs[0].budget_s,
                "instances": len(mine),
                "ratio_bk_median": float(np.median(best)),
                "ratio_bk_min": float(best.min()),
                "ratio_ub_median": float(np.median(bound)),
                "ratio_ub_min": float(bound.min()),
                "seconds_median": float(np.median([run.seconds for run in runs])),
                "p95_ms": _slowest([run.cpu_s for run in runs]),
                "p95_checked_ms": _slowest([run.checked_cpu_s for run in runs if run.checked_cpu_s is not None]),
                "needs_met_mean": float(np.mean([run.terms["benefit"] for run in runs])),
                "broken_rules": sum(run.broken for run in runs),
            }
        )
    return rows


def _slowest(seconds: Sequence[float]) -> float | None:
    """Returns the 95th percentile in milliseconds; null without values."""
    return 1000 * float(np.quantile(seconds, 0.95)) if seconds else None


def compare_with_optima(measured: Sequence[Measured], budget_s: float) -> tuple[float | None, float | None]:
    """Returns the share of proven optima that plans reach, and the worst shortfall; null where none is proven."""
    short = [
        1 - run.value / day.known.best
        for day in measured
        for run in day.runs
        if day.known.proven and run.budget_s == budget_s
    ]
    return (float(np.mean([miss <= EXACT for miss in short])), max(0.0, *short)) if short else (None, None)


def mean_terms(runs: Sequence[Run], methods: Sequence[str]) -> dict[str, dict[str, float]]:
    """Returns the mean of each term by method, for runs of one size."""
    means = {}
    for method in methods:
        mine = [run.terms for run in runs if run.method == method]
        if mine:
            means[method] = {name: float(np.mean([terms[name] for terms in mine])) for name in mine[0]}
    return means


def find_behind(against: Mapping[str, Mapping[str, float]], ours: str) -> list[tuple[str, str]]:
    """Returns the policies and terms in which ours is not ahead or level: (policy, term)."""
    mine = against[ours]
    return [
        (policy, term)
        for policy, terms in against.items()
        for term, value in terms.items()
        if (mine[term] > value if term in LOSSES else mine[term] < value) and abs(mine[term] - value) > EXACT
    ]


def show_rows(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Returns the table of values and times."""
    numbers = ("of best", "least", "of bound", "least", "need met", "s", "p95 CPU ms", "checked")
    table = make_table("synthetic days: value added to a day online", ["team", "method"], numbers)
    for row in rows:
        ratios = (row["ratio_bk_median"], row["ratio_bk_min"], row["ratio_ub_median"], row["ratio_ub_min"])
        table.add_row(
            str(row["students"]),
            row["method"],
            *(f"{ratio:.3f}" for ratio in ratios),
            f"{row['needs_met_mean']:.1f}",
            f"{row['seconds_median']:.2f}",
            f"{row['p95_ms']:.0f}",
            "" if row["p95_checked_ms"] is None else f"{row['p95_checked_ms']:.0f}",
        )
    broken = sum(row["broken_rules"] for row in rows)
    table.caption = f"medians, but for need met and p95; checked: before reasons; {broken} hard rules broken"
    return table


def show_terms(against: Mapping[str, Mapping[str, float]], students: int) -> Table:
    """Returns the table of terms by policy."""
    names = [name for name in next(iter(against.values())) if name != "perturbation"]
    columns = [name.replace("_", "\n") for name in names]
    table = make_table(f"mean of each term, {students} students", ["policy"], columns)
    for policy, terms in against.items():
        table.add_row(policy, *(f"{terms[name]:.2f}" for name in names))
    return table
