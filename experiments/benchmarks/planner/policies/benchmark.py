"""`python -m experiments benchmark policies`: what students learn by our plans, and by those of other policies.

The same simulated schools, the same three weeks and the same judge for every policy. Days are planned one after the
other; what is taught changes what students know by published effects (`experiments/simulation/teaching.py`), they go on
practicing, and every morning the forecasts follow all that they answered. Schools are of four kinds, as many of each.
What happens by chance is the same for every policy, so that policies are compared school by school: intervals are of
the mean difference over schools (Student's t within kinds of school, whose mix is given).
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, fields
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from scipy.stats import t as student_t

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.planner.days.schools import train_models
from experiments.benchmarks.planner.policies.compare import OURS, Compared, Outcome, compare_policies
from experiments.simulation.teaching import Level
from features.console import OUT, track, write_json
from features.errors import InputError

KINDS = ("demo", "far_behind", "far_ahead", "thin_evidence")
"""Kinds of school; those of another rhythm than daily are not compared."""

FIRST_SEED = 301
"""Seeds below were looked at while this was written."""

DAYS = 15
LARGE = 4
"""Times as many schools with `--large`."""

MAIN = ("need_met", "lowest_quartile")
"""Figures in which ours is to be ahead of each policy, named before anything was measured."""

CONFIDENCE = 0.95


def benchmark_policies(schools: int, *, large: bool = False, workers: int = 2, json_path: Path | None = None) -> int:
    """Prints and writes all figures; the exit code is 1 unless ours is ahead of each policy in both main figures.

    Args:
        schools: Schools of each kind.
        large: Whether to take four times as many.
        workers: Processes that plan schools at once.
        json_path: Where the figures are written too.

    Raises:
        InputError: Fewer than two schools of a kind, of which no interval could be told, or no worker.
    """
    if schools < 2 or workers < 1:  # noqa: PLR2004 - one alone has no spread
        raise InputError(f"--schools {schools} must be at least 2, and --workers {workers} at least 1")
    places = [(kind, FIRST_SEED + n) for n in range(schools * (LARGE if large else 1)) for kind in KINDS]
    with tempfile.TemporaryDirectory(prefix="regroup-") as folder:
        train_models(Path(folder))
        compared = [one for found in _run(places, Path(folder), workers) for one in found]
    compared.sort(key=lambda one: (one.level, one.kind, one.seed))
    by_level = {level: [one for one in compared if one.level is level] for level in Level}
    against = compare_with_each(by_level[Level.MIDDLE])
    sensitivity = [{"level": level, **row} for level, of in by_level.items() for row in compare_with_each(of)]
    kinds = [
        {"kind": kind, **row}
        for kind in KINDS
        for row in compare_with_each([one for one in by_level[Level.MIDDLE] if one.kind == kind])
    ]
    means = {name: mean_outcome(by_level[Level.MIDDLE], name) for name in by_level[Level.MIDDLE][0].outcomes}
    print_tables(_show_means(means), _show_against(against), _show_levels(sensitivity), _show_kinds(kinds))
    behind = [f"{row['policy']} ({name})" for row in against for name in MAIN if row[f"{name}_low"] <= 0]
    OUT.print(f"not ahead of: {', '.join(behind) or 'nobody'}", markup=False, highlight=False)
    write_json(
        json_path,
        {
            "days": DAYS,
            "schools": len(places),
            "main": MAIN[0],
            "against": against,
            "policies": means,
            "sensitivity": sensitivity,
            "kinds": kinds,
            "runs": [
                {"kind": one.kind, "seed": one.seed, "level": one.level, "policy": name, **asdict(outcome)}
                for one in compared
                for name, outcome in one.outcomes.items()
            ],
        },
    )
    return 1 if behind else 0


def _run(places: Sequence[tuple[str, int]], models: Path, workers: int) -> Iterator[list[Compared]]:
    work = partial(compare_policies, levels=tuple(Level), days=DAYS, models=models)
    # not forked: the trees' threads would not survive it
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(work, *place) for place in places]
        for done in track(as_completed(waiting), "schools", total=len(waiting)):
            yield done.result()


def compare_with_each(compared: Sequence[Compared]) -> list[dict[str, Any]]:
    """Returns the mean difference of every figure, ours less each policy's, with the ends of its interval."""
    rows = []
    for policy in compared[0].outcomes:
        if policy == OURS:
            continue
        row: dict[str, Any] = {"policy": policy}
        for name in (field.name for field in fields(Outcome)):
            by_kind: dict[str, list[float]] = {}
            for one in compared:
                difference = getattr(one.outcomes[OURS], name) - getattr(one.outcomes[policy], name)
                by_kind.setdefault(one.kind, []).append(difference)
            row[name], row[f"{name}_low"], row[f"{name}_high"] = estimate_mean(list(by_kind.values()))
        rows.append(row)
    return rows


def estimate_mean(strata: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Returns the mean of strata of equal weight, with the ends of its interval by the spread within them.

    Example:
        >>> estimate_mean([[1.0, 1.0], [3.0, 3.0]])
        (2.0, 2.0, 2.0)
    """
    mean = float(np.mean([np.mean(values) for values in strata]))
    error = np.sqrt(sum(np.var(values, ddof=1) / len(values) for values in strata)) / len(strata)
    freedom = sum(len(values) - 1 for values in strata)
    reach = float(student_t.ppf((1 + CONFIDENCE) / 2, freedom) * error)
    return mean, mean - reach, mean + reach


def mean_outcome(compared: Sequence[Compared], policy: str) -> dict[str, float]:
    """Returns the mean of each figure of a policy over schools."""
    return {
        field.name: float(np.mean([getattr(one.outcomes[policy], field.name) for one in compared]))
        for field in fields(Outcome)
    }


def _show_means(means: Mapping[str, Mapping[str, float]]) -> Table:
    names = [field.name for field in fields(Outcome)]
    table = make_table("means over schools, effects of teaching in the middle of their ranges", ["policy"], names)
    for policy, figures in means.items():
        table.add_row(policy, *(f"{figures[name]:.3f}" for name in names))
    return table


def _show_against(rows: Sequence[Mapping[str, Any]]) -> Table:
    names = ("need_met", "need_met_forecast", "struggle_removed", "lowest_quartile", "proficiency", "load")
    table = make_table("ours less each policy (95 % interval over schools)", ["policy"], names)
    for row in rows:
        table.add_row(row["policy"], *(_interval(row, name) for name in names))
    return table


def _show_levels(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = make_table("the same at the low, middle and high third of published effects", ["effects", "policy"], MAIN)
    for row in rows:
        table.add_row(row["level"], row["policy"], *(_interval(row, name) for name in MAIN))
    return table


def _show_kinds(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = make_table("the same by kind of school, effects in the middle", ["school", "policy"], MAIN)
    for row in rows:
        table.add_row(row["kind"], row["policy"], *(_interval(row, name) for name in MAIN))
    return table


def _interval(row: Mapping[str, Any], name: str) -> str:
    return f"{row[name]:+.3f} ({row[f'{name}_low']:+.3f} to {row[f'{name}_high']:+.3f})"
