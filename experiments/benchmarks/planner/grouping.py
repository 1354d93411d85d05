"""`python -m experiments benchmark grouping`: how near to the best the planner's days are, and what is proven.

Days are the instance set (`instances/team.py`), with seeds that nothing was tuned on. The value of a plan is what it
adds to a day that everybody spends online. *Best known* is the best of any run, from long runs that are stored
(`best_known.json`) and updated with `--reference`; the *bound* is what the planner itself proves in a second.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.figures import print_tables
from experiments.benchmarks.planner.absences import measure_absences, show_absences
from experiments.benchmarks.planner.best_known import STORED, Place, improve_known, read_known
from experiments.benchmarks.planner.grouping_measure import SECOND, is_sound, measure_day, prove_need
from experiments.benchmarks.planner.grouping_tables import compare_with_optima, show_rows, summarize
from experiments.benchmarks.planner.instances.team import FAMILIES, SIZES
from experiments.benchmarks.planner.memory import measure_memory
from features.console import OUT, track, write_json
from features.errors import InputError
from serving.grouping.solve import warm_up

FIRST_SEED = 101
"""Seeds below were looked at while the search was built."""

JUDGED = "60 x 5"
"""The family on which need alone and absences are judged."""


def benchmark_grouping(instances: int, reference: float | None = None, json_path: Path | None = None) -> int:
    """Prints all figures; the exit code is 1 if any plan broke a rule or exceeded its bound.

    Args:
        instances: Days of each family.
        reference: Seconds of the long runs that improve the stored figures; nothing else is then measured.
        json_path: Where the figures are written too.

    Raises:
        InputError: There is nothing to measure, or the stored figures are of other days.
    """
    if instances < 1 or (reference is not None and reference <= 0):
        options = f"--instances {instances}" + ("" if reference is None else f" and --reference {reference:g}")
        raise InputError(f"{options} must be above 0")
    places = [(family, FIRST_SEED + number) for family in FAMILIES for number in range(instances)]
    if reference is not None:
        improve_known(places, reference, STORED)
        return 0
    warm_up()
    figures = {"instances": instances, **measure_days(places), **measure_need(places), **measure_days_again(places)}
    figures["memory_mb"] = measure_memory(max(SIZES))
    _print(f"memory of a process that plans {max(SIZES)} students: {figures['memory_mb']:.0f} MB")
    write_json(json_path, figures)
    return 0 if figures["sound"] else 1


def measure_days(places: list[Place]) -> dict[str, Any]:
    """Prints value, bound and time by family and budget, and tiny days by their optimum."""
    known = read_known(STORED)
    measured = [measure_day(place, known) for place in track(places, "synthetic days", total=len(places))]
    rows, tiny = summarize(measured), compare_with_optima(measured, SECOND)
    print_tables(show_rows(rows))
    if unknown := sum(not day.stored for day in measured):
        _print(f"{unknown} days have no stored figures: measured against this run's best")
    if better := sum(day.better for day in measured):
        _print(f"{better} days have a better plan than the stored best; --reference stores such")
    if tiny["tiny_proven"]:
        _print(
            f"{tiny['tiny_proven']} tiny days with a proven optimum: {tiny['tiny_optimal_share']:.0%} reach it, "
            f"least {tiny['tiny_least']:.4f}; "
            f"bound {tiny['tiny_bound_median']:.3f}, least {tiny['tiny_bound_least']:.3f}"
        )
    return {
        "sound": is_sound(measured),
        "better_than_stored": better,
        "families": [row for row in rows if row["budget_s"] == SECOND],
        "budgets": rows,
        **tiny,
        "runs": [asdict(run) | {"best": day.known.best} for day in measured for run in day.runs],
    }


def measure_need(places: list[Place]) -> dict[str, Any]:
    """Prints how much of need alone is proven at 60 students, one second after the plan."""
    judged = [place for place in places if place[0] == JUDGED]
    shares = [prove_need(place) for place in track(judged, "need alone", total=len(judged))]
    _print(f"need alone, {JUDGED}: bound {np.median(shares):.3f}, least {min(shares):.3f}")
    return {"need_bound_60_median": float(np.median(shares)), "need_bound_60_least": min(shares)}


def measure_days_again(places: list[Place]) -> dict[str, Any]:
    """Prints what moves when days are planned again after an absence."""
    absences = measure_absences(places)
    print_tables(show_absences(absences))
    judged = [absence for absence in absences if absence.family == JUDGED]
    return {
        "absence_moved_share": float(np.median([absence.moved for absence in judged])) if judged else None,
        "absence_ratio": float(np.median([absence.kept_value for absence in judged])) if judged else None,
        "absences": [asdict(absence) for absence in absences],
    }


def _print(sentence: str) -> None:
    OUT.print(sentence, markup=False, highlight=False)
