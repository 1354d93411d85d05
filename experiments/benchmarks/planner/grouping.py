"""`python -m experiments benchmark grouping`: how near to the best the planner's days are, how soon, and against what.

Days are synthetic (`instances/team.py`), with seeds that nothing was tuned on. The value of a plan is what it adds to a
day that everybody spends online. *Best known* is the best of any run, the *bound* is what no plan exceeds; both come
from long runs that are stored (`best_known.json`) and updated with `--reference`. Times are CPU seconds.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.benchmarks.figures import print_tables
from experiments.benchmarks.planner.absences import call_in_sick, show_absences
from experiments.benchmarks.planner.baselines import BASELINES
from experiments.benchmarks.planner.best_known import STORED, Place, improve_known, read_known
from experiments.benchmarks.planner.grouping_measure import is_sound, measure_day, name_budget
from experiments.benchmarks.planner.grouping_tables import (
    compare_with_optima,
    find_behind,
    mean_terms,
    show_rows,
    show_terms,
    summarize,
)
from experiments.benchmarks.planner.instances.team import SIZES
from experiments.benchmarks.planner.memory import measure_memory
from features.console import OUT, track, write_json
from features.errors import InputError
from serving.grouping.solve import warm_up

FIRST_SEED = 101
"""Seeds below were looked at while the search was built."""

SECOND = 1.0
"""Budget that is compared with the baseline policies, in seconds."""

COMPARED = 60
"""Students of the team whose terms are compared."""

AHEAD = 1.3
"""Times the need of the best baseline policy that ours is to meet."""


def benchmark_grouping(instances: int, reference: float | None = None, json_path: Path | None = None) -> int:
    """Prints all figures; the exit code is 1 if any plan broke a rule or exceeded its bound.

    Args:
        instances: Days of each size.
        reference: Seconds of the long runs that improve the stored figures; nothing else is then measured.
        json_path: Where the figures are written too.

    Raises:
        InputError: There is nothing to measure, or the stored figures are of other days.
    """
    if instances < 1 or (reference is not None and reference <= 0):
        options = f"--instances {instances}" + ("" if reference is None else f" and --reference {reference:g}")
        raise InputError(f"{options} must be above 0")
    places = [(students, FIRST_SEED + number) for students in SIZES for number in range(instances)]
    if reference is not None:
        improve_known(places, reference, STORED)
        return 0
    warm_up()
    figures: dict[str, Any] = {"instances": instances, **measure_days(places), **measure_absences(places)}
    figures["memory_mb"] = measure_memory(max(SIZES))
    _print(f"memory of a process that plans {max(SIZES)} students: {figures['memory_mb']:.0f} MB")
    write_json(json_path, figures)
    return 0 if figures["sound"] else 1


def measure_days(places: list[Place]) -> dict[str, Any]:
    """Prints value and time by size and budget, tiny days by their optimum, and each term beside the baselines."""
    known = read_known(STORED)
    measured = [measure_day(place, known) for place in track(places, "synthetic days", total=len(places))]
    rows = summarize(measured)
    size = COMPARED if COMPARED in SIZES else min(SIZES)
    runs = [run for day in measured for run in day.runs if run.students == size]
    ours = name_budget(SECOND)
    against = mean_terms(runs, (ours, *BASELINES))
    lagging = find_behind(against, ours)
    needs = against[ours]["benefit"] / max(terms["benefit"] for policy, terms in against.items() if policy != ours)
    tiny, worst = compare_with_optima(measured, SECOND)
    print_tables(show_rows(rows), show_terms(against, size))
    if unknown := sum(not day.stored for day in measured):
        _print(f"{unknown} days have no stored figures: measured against this run's best and a quick bound")
    if better := sum(day.better for day in measured):
        _print(f"{better} days have a better plan than the stored best; --reference stores such")
    if tiny is not None:
        _print(f"tiny days with a proven optimum: {tiny:.0%} reach it, worst {worst:.2%} short")
    _print(f"need met: {needs:.2f} times the best baseline policy ({AHEAD} asked)")
    _print(f"not ahead on: {', '.join(f'{term} ({policy})' for policy, term in lagging) or 'nothing'}")
    return {
        "sound": is_sound(measured),
        "families": [row for row in rows if row["budget_s"] is not None],
        "tiny_optimal_share": tiny,
        "tiny_worst": worst,
        "against": against,
        "lagging": [{"policy": policy, "term": term} for policy, term in lagging],
        "needs_ratio": needs,
        "runs": [asdict(run) | {"bound": day.known.bound} for day in measured for run in day.runs],
    }


def measure_absences(places: list[Place]) -> dict[str, Any]:
    """Prints what moves when days are planned again after an absence."""
    days = [call_in_sick(place) for place in track(places, "absences", total=len(places))]
    absences = [absence for day in days for absence in day]
    print_tables(show_absences(absences))
    return {"replan": [asdict(absence) for absence in absences]}


def _print(sentence: str) -> None:
    OUT.print(sentence, markup=False, highlight=False)
