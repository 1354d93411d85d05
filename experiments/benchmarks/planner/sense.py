"""`python -m experiments benchmark sense`: would a team of teachers follow these plans? Judged day after day, by facts.

Five kinds of simulated school, each with several seeds, are planned for school days in a row with what was held as
history. Needs stay as they are on the first day, so that nothing but the planner changes what is served.
"""

import os
import statistics
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.long_work import run_each
from experiments.benchmarks.planner.days.judge import judge_day, summarize
from experiments.benchmarks.planner.days.run import plan_as_served, run_days
from experiments.benchmarks.planner.days.schools import KINDS, keep_models, open_school
from experiments.benchmarks.planner.false_sentences import count_false_sentences
from features.console import write_json
from features.errors import InputError
from serving.grouping import Budget

PLANNED = Budget(bound_rounds=0)
"""The service's own budget without a clock, so that a busy machine changes no figure."""

SEARCHED = Budget(bound_rounds=0, seed=1)
"""Of the search for the most urgent pairs that any plan serves."""

ON_NEED, ON_NEED_FAR_BEHIND, SERVABLE, BELOW_GREEDY, NOT_BEGUN, LAST_DAY = 0.4, 0.6, 0.95, 0.02, 0.2, 0.75
"""What is asked of every school."""

SHOWN = {
    "seats_on_need_share": "seats on need",
    "urgent_pairs_served_share": "urgent served",
    "urgent_pairs_servable_share": "of servable",
    "greedy_served_share": "greedy",
    "not_begun_share": "not begun",
    "days_without_adult_longest": "days alone",
    "never_served": "never served",
    "day15_of_day1": "last of first",
    "false_sentences": "false",
}
"""Figures of the tables, and what these call them."""


def benchmark_sense(
    seeds: int, days: int, kinds: Sequence[str] | None = None, models: Path | None = None, json_path: Path | None = None
) -> int:
    """Prints the figures of every school; the exit code is 1 if a plan broke a rule.

    Args:
        seeds: Schools of each kind.
        days: School days that are planned.
        kinds: Kinds of school; null = all.
        models: A folder where the trained models are kept, or taken from; null = trained anew.
        json_path: Where the figures are written too.

    Raises:
        InputError: There is nothing to plan.
    """
    if seeds < 1 or days < 1:
        raise InputError(f"--seeds {seeds} and --days {days} must be above 0")
    with keep_models(models) as folder:
        schools = [(kind, seed) for seed, kind in product(range(1, seeds + 1), kinds or KINDS)]
        rows = _measure(schools, folder, days)
    medians = summarize_kinds(rows)
    print_tables(_show("schools", rows), _show("medians of kinds", medians))
    write_json(json_path, {"days": days, "kinds": medians, "schools": rows})
    return 1 if any(row["rules_broken"] for row in rows) else 0


def measure_school(kind: str, seed: int, models: Path, days: int) -> dict[str, Any]:
    """Plans one school's days and returns its row."""
    school = open_school(kind, seed, models)
    judged = [
        judge_day(held, SEARCHED, count_false_sentences) for held in run_days(school, plan_as_served(PLANNED), days)
    ]
    row = summarize(kind, seed, judged)
    return row | {"missed": find_missed(row)}


def find_missed(row: dict[str, Any]) -> list[str]:
    """Returns the figures of a school that miss what is asked; a figure that nobody counted misses nothing."""
    on_need = ON_NEED_FAR_BEHIND if row["kind"] == "far_behind" else ON_NEED
    asked = {
        "seats_on_need_share": row["seats_on_need_share"] >= on_need or row["in_need_served_share"] == 1,
        "urgent_pairs_servable_share": row["urgent_pairs_servable_share"] >= SERVABLE,
        "greedy_served_share": row["urgent_pairs_servable_share"] >= row["greedy_served_share"] - BELOW_GREEDY,
        "not_begun_share": row["not_begun_share"] <= NOT_BEGUN,
        "days_without_adult_longest": row["days_without_adult_longest"] <= 1,
        "never_served": not row["never_served"],
        "day15_of_day1": row["day15_of_day1"] >= LAST_DAY,
        "false_sentences": not row["false_sentences"],
        "days_refused": not row["days_refused"],
        "rules_broken": not row["rules_broken"],
    }
    return [name for name, met in asked.items() if not met]


def summarize_kinds(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns for each kind the median of each figure, and how many of its schools miss what."""
    summaries = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        mine = [row for row in rows if row["kind"] == kind]
        medians: dict[str, Any] = {"kind": kind, "schools": len(mine)}
        for name in SHOWN:
            counted = [row[name] for row in mine if row[name] is not None]
            medians[name] = statistics.median(counted) if counted else None
        missed = [name for row in mine for name in row["missed"]]
        summaries.append(medians | {"missed": {name: missed.count(name) for name in dict.fromkeys(missed)}})
    return summaries


def _measure(schools: Sequence[tuple[str, int]], models: Path, days: int) -> list[dict[str, Any]]:
    """Measures schools side by side, one process for each core; a single one in this process."""
    calls = [(kind, seed, models, days) for kind, seed in schools]
    rows = run_each(measure_school, calls, min(len(schools), os.cpu_count() or 1), "schools")
    return sorted(rows, key=lambda row: (list(KINDS).index(row["kind"]), row["seed"]))


def _show(title: str, rows: Iterable[dict[str, Any]]) -> Table:
    table = make_table(title, ["kind"], [*SHOWN.values(), "misses"])
    for row in rows:
        figures = ("-" if row[name] is None else f"{row[name]:.2f}" for name in SHOWN)
        missed = ", ".join(SHOWN.get(name, name) for name in row["missed"])
        table.add_row(f"{row['kind']} {row.get('seed', '')}", *figures, missed or "-")
    return table
