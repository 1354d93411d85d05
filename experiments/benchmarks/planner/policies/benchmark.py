"""`python -m experiments benchmark policies`: what students learn by our plans, and by those of other policies.

The same simulated schools, the same three weeks and the same judge for every policy. Days are planned one after the
other; what is taught changes what students know by published effects (`experiments/simulation/teaching.py`), they go on
practicing, and every morning the forecasts follow all that they answered. Schools are of four kinds, as many of each.
What happens by chance is the same for every policy, so that policies are compared school by school: intervals are of
the mean difference over schools (Student's t within kinds of school, whose mix is given).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from scipy.stats import t as student_t

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.long_work import run_each
from experiments.benchmarks.planner.days.schools import keep_models
from experiments.benchmarks.planner.policies.compare import OURS, Compared, Outcome, compare_policies
from experiments.benchmarks.registry import DAILY_SCHOOLS
from experiments.simulation.teaching import Level
from features.console import OUT, write_json
from features.errors import InputError

FIRST_SEED = 301
"""Seeds below were looked at while this was written."""

LARGE = 4
"""Times as many schools with `--large`."""

MAIN = ("need_met", "lowest_quartile")
"""Figures in which ours is to be ahead of each policy, named before anything was measured."""

SHOWN = ("need_met", "need_met_forecast", "struggle_removed", "lowest_quartile", "proficiency", "load")
"""Figures whose differences are printed."""

ALL = tuple(field.name for field in fields(Outcome))

CONFIDENCE = 0.95


def benchmark_policies(
    schools: int,
    days: int,
    *,
    large: bool = False,
    kinds: Sequence[str] | None = None,
    models: Path | None = None,
    workers: int | None = None,
    json_path: Path | None = None,
) -> int:
    """Prints and writes all figures; the exit code is 1 unless ours is ahead of each policy in both main figures.

    Args:
        schools: Schools of each kind.
        days: School days that are planned.
        large: Whether to take four times as many schools.
        kinds: Kinds of school; null = all that are compared.
        models: A folder where the trained models are kept, or taken from; null = trained anew.
        workers: Processes that plan schools at once; 1 = this one; null = as many as there are cores.
        json_path: Where the figures are written too.

    Raises:
        InputError: Fewer than two schools of a kind, of which no interval could be told, or nothing to plan.
    """
    require_schools("--schools", schools, days, workers)
    count = schools * (LARGE if large else 1)
    varied = max(2, count // 2)
    work = [
        (kind, FIRST_SEED + number, tuple(Level) if number < varied else (Level.MIDDLE,))
        for number in range(count)
        for kind in kinds or DAILY_SCHOOLS
    ]
    compared = plan_schools(work, days, models, workers)
    figures = summarize(compared)
    print_tables(
        show_means("means over schools, effects of teaching in the middle of their ranges", figures["policies"], ALL),
        show_against("ours less each policy (95 % interval over schools)", figures["against"], SHOWN),
        show_rows("the same by third of the published effects, in half of the schools", "level", figures, MAIN),
        show_rows("the same by kind of school", "kind", figures, MAIN),
    )
    ahead = say_ahead(figures["against"], MAIN)
    write_json(json_path, {"days": days, "schools": len(work), "main": MAIN[0], **figures})
    return 0 if ahead else 1


def summarize(compared: Sequence[Compared]) -> dict[str, Any]:
    """Returns all figures: `policies`, `against`, `levels`, `kinds`, and the single `runs`."""
    ordered = sorted(compared, key=lambda one: (list(Level).index(one.level), one.kind, one.seed))
    middle = [one for one in ordered if one.level is Level.MIDDLE]
    varied = {(one.kind, one.seed) for one in ordered if one.level is not Level.MIDDLE}
    by_level = {
        level: [one for one in ordered if one.level is level and (one.kind, one.seed) in varied] for level in Level
    }
    by_kind = {kind: [one for one in middle if one.kind == kind] for kind in dict.fromkeys(one.kind for one in middle)}
    return {
        "policies": {policy: mean_outcome(middle, policy) for policy in middle[0].outcomes},
        "against": compare_with_each(middle),
        "levels": [{"level": level, **row} for level, some in by_level.items() for row in compare_with_each(some)],
        "kinds": [{"kind": kind, **row} for kind, some in by_kind.items() for row in compare_with_each(some)],
        "runs": [
            {"kind": one.kind, "seed": one.seed, "level": one.level, "policy": policy, **asdict(outcome)}
            for one in ordered
            for policy, outcome in one.outcomes.items()
        ],
    }


def require_schools(option: str, schools: int, days: int, workers: int | None) -> None:
    """Checks that there is something to plan, and to compare.

    Args:
        option: How the command line calls the number of schools.
        schools: How many.
        days: School days.
        workers: Processes; null = as many as there are cores.

    Raises:
        InputError: There is not.
    """
    if schools < 2 or days < 1 or (workers is not None and workers < 1):  # noqa: PLR2004 - one school has no spread
        raise InputError(f"{option} {schools} must be at least 2, --days {days} and --workers {workers} at least 1")


def plan_schools(
    work: Sequence[tuple[str, int, tuple[Level, ...]]],
    days: int,
    models: Path | None,
    workers: int | None,
    without: Sequence[str] = (),
    *,
    every_team: bool = False,
) -> list[Compared]:
    """Plans schools by every policy, in several processes at once.

    Args:
        work: Kind, seed and levels of teaching of each school.
        days: School days.
        models: A folder where the trained models are kept, or taken from; null = trained anew.
        workers: Processes; 1 = this one; null = as many as there are cores.
        without: Policies that are left out.
        every_team: Whether each team of a school is planned; else one is.
    """
    with keep_models(models) as folder:
        calls = [(*one, days, folder, without) for one in work]
        compare = partial(compare_policies, every_team=every_team)
        return [one for found in run_each(compare, calls, workers, "schools") for one in found]


def compare_with_each(compared: Sequence[Compared]) -> list[dict[str, Any]]:
    """Returns the mean difference of every figure, ours less each policy's, with the ends of its interval."""
    rows = []
    for policy in compared[0].outcomes:
        if policy == OURS:
            continue
        row: dict[str, Any] = {"policy": policy}
        for name in ALL:
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
    return {name: float(np.mean([getattr(one.outcomes[policy], name) for one in compared])) for name in ALL}


def say_ahead(against: Sequence[Mapping[str, Any]], main: Sequence[str]) -> bool:
    """Prints which policies ours is not surely ahead of in a main figure; returns whether there is none."""
    level_with = [f"{row['policy']} ({name})" for row in against for name in main if row[f"{name}_low"] <= 0]
    OUT.print(f"not ahead of: {', '.join(level_with) or 'nobody'}", markup=False, highlight=False)
    return not level_with


def show_means(title: str, means: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> Table:
    """Returns a table of figures, a row for each policy."""
    table = make_table(title, ["policy"], names)
    for policy, figures in means.items():
        table.add_row(policy, *(f"{figures[name]:.3f}" for name in names))
    return table


def show_against(title: str, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Table:
    """Returns a table of differences with their intervals, a row for each policy."""
    table = make_table(title, ["policy"], names)
    for row in rows:
        table.add_row(row["policy"], *(_format_interval(row, name) for name in names))
    return table


def show_rows(title: str, name: str, figures: Mapping[str, Any], names: Sequence[str]) -> Table:
    """Returns a table of differences with their intervals, a row for each policy and value of a name such as `kind`."""
    table = make_table(title, [name, "policy"], names)
    for row in figures[f"{name}s"]:
        table.add_row(row[name], row["policy"], *(_format_interval(row, figure) for figure in names))
    return table


def _format_interval(row: Mapping[str, Any], name: str) -> str:
    return f"{row[name]:+.3f} ({row[f'{name}_low']:+.3f} to {row[f'{name}_high']:+.3f})"
