"""Rows and tables of the planner's benchmark, by family and budget."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from experiments.benchmarks.figures import make_table
from experiments.benchmarks.planner.best_known import TINY
from experiments.benchmarks.planner.grouping_measure import Measured

EXACT = 1e-6
"""Share of the optimum that a plan may miss and still be called optimal."""


def summarize(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """Returns one row per family and budget: value by the best known and by the bound, time, hard rules broken."""
    pairs = [(run, day.known) for day in measured for run in day.runs]
    rows = []
    for family, budget_s in Counter((run.family, run.budget_s) for run, _ in pairs):
        mine = [(run, known) for run, known in pairs if (run.family, run.budget_s) == (family, budget_s)]
        runs = [run for run, _ in mine]
        of_best = np.array([run.value / known.best for run, known in mine])
        proven = np.array([run.value / run.bound for run in runs if run.bound is not None])
        rows.append(
            {
                "name": family,
                "students": max(run.students for run in runs),
                "budget_s": budget_s,
                "instances": len(mine),
                "ratio_bk_median": float(np.median(of_best)),
                "ratio_bk_least": float(of_best.min()),
                "bound_share_median": float(np.median(proven)) if len(proven) else None,
                "bound_share_least": float(proven.min()) if len(proven) else None,
                "seconds_median": float(np.median([run.seconds for run in runs])),
                "p95_ms": 1000 * float(np.quantile([run.cpu_s for run in runs], 0.95)),
                "p95_checked_ms": 1000 * float(np.quantile([run.checked_cpu_s for run in runs], 0.95)),
                "broken_rules": sum(run.broken for run in runs),
            }
        )
    return rows


def compare_with_optima(measured: Sequence[Measured], budget_s: float) -> dict[str, float | int | None]:
    """Returns how the plans of tiny days and their bounds compare with proven optima; null where none is proven."""
    pairs = [
        (day.known.best, run)
        for day in measured
        for run in day.runs
        if day.known.proven and run.students <= TINY and run.budget_s == budget_s
    ]
    reached = [run.value / best for best, run in pairs]
    bounds = [best / run.bound for best, run in pairs if run.bound is not None]
    return {
        "tiny_proven": len(pairs),
        "tiny_optimal_share": float(np.mean([1 - share <= EXACT for share in reached])) if reached else None,
        "tiny_least": min(reached, default=None),
        "tiny_bound_median": float(np.median(bounds)) if bounds else None,
        "tiny_bound_least": min(bounds, default=None),
    }


def show_rows(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Returns the table of values and times."""
    numbers = ("of best", "least", "of bound", "least", "s", "p95 CPU ms", "checked")
    table = make_table("synthetic days: value added to a day online", ["family", "budget"], numbers)
    for row in rows:
        ratios = (row[f"{of}_{which}"] for of in ("ratio_bk", "bound_share") for which in ("median", "least"))
        table.add_row(
            row["name"],
            f"{row['budget_s']:g} s" if row["budget_s"] else "first plan",
            *("" if ratio is None else f"{ratio:.4f}" for ratio in ratios),
            f"{row['seconds_median']:.2f}",
            f"{row['p95_ms']:.0f}",
            f"{row['p95_checked_ms']:.0f}",
        )
    broken = sum(row["broken_rules"] for row in rows)
    table.caption = f"medians, but for p95; bound: one second after the plan; {broken} hard rules broken"
    return table
