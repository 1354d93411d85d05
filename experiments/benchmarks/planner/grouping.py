"""`python -m experiments benchmark grouping`: how near to the best the planner's days are, how soon, and against what.

Days are synthetic (`instances/team.py`), with seeds that nothing was tuned on. The value of a plan is what it adds to a
day that everybody spends online. *Best known* is the best of any run, the *bound* is what no plan exceeds; both come
from long runs that are stored (`best_known.json`) and updated with `--reference`. Times are CPU seconds.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from experiments.benchmarks.figures import print_tables
from experiments.benchmarks.planner.absences import call_in_sick
from experiments.benchmarks.planner.baselines import BASELINES
from experiments.benchmarks.planner.best_known import STORED, Place, improve_known, read_known
from experiments.benchmarks.planner.grouping_measure import is_sound, measure_day, name_budget
from experiments.benchmarks.planner.grouping_tables import (
    compare_with_optima,
    find_behind,
    list_budgets,
    mean_terms,
    show_absences,
    show_rows,
    show_terms,
    summarize,
)
from experiments.benchmarks.planner.injected_conflicts import FIRST_SEED as FIRST_CONFLICT_SEED
from experiments.benchmarks.planner.injected_conflicts import TEAMS, measure_conflicts, summarize_conflicts
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

DAYS_PER_CONFLICT, MAX_CONFLICTS = 10, 5
"""Days of each size for which one conflict of each kind is injected into each team, and the most of these."""

AHEAD = 1.3
"""Times the need of the best baseline policy that ours is to meet."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: days of each size, and the file of stored figures."""

    instances: int
    known: Path = STORED

    @property
    def places(self) -> list[Place]:
        """Sizes and seeds."""
        return [(students, FIRST_SEED + number) for students in SIZES for number in range(self.instances)]


@dataclass(frozen=True, slots=True)
class Findings:
    """What one part found: tables and sentences, figures by key, and whether all plans were sound."""

    shown: tuple[Table | str, ...]
    figures: dict[str, Any]
    sound: bool = True


Part = Callable[[Order], Findings]


def benchmark_grouping(
    instances: int,
    reference: float | None = None,
    jobs: int = 1,
    known: Path | None = None,
    json_path: Path | None = None,
) -> int:
    """Prints the figures of all parts; the exit code is 1 if any plan broke a rule or exceeded its bound.

    Args:
        instances: Days of each size.
        reference: Seconds of the long runs that update the stored figures; nothing else is then measured.
        jobs: Processes of the long runs.
        known: The stored figures; null = those of the project.
        json_path: Where the figures are written too.

    Raises:
        InputError: There is nothing to measure, or the stored figures are of other days.
    """
    if instances < 1:
        raise InputError(f"--instances {instances} must be above 0")
    order = Order(instances, known or STORED)
    if reference is not None:
        if reference <= 0 or jobs < 1:
            raise InputError(f"--reference {reference:g} and --jobs {jobs} must both be above 0")
        improve_known(order.places, reference, order.known, jobs)
        return 0
    warm_up()
    figures: dict[str, Any] = {"instances": instances, "sound": True}
    for part in PARTS:
        found = part(order)
        for shown in found.shown:
            if isinstance(shown, Table):
                print_tables(shown)
            else:
                OUT.print(shown, markup=False, highlight=False)
        figures |= found.figures | {"sound": figures["sound"] and found.sound}
    write_json(json_path, figures)
    return 0 if figures["sound"] else 1


def measure_days(order: Order) -> Findings:
    """Measures value and time by size and budget, tiny days by their optimum, and each term beside the baselines."""
    known = read_known(order.known)
    measured = [measure_day(place, known) for place in track(order.places, "synthetic days", total=len(order.places))]
    rows = summarize(measured)
    size = COMPARED if COMPARED in SIZES else min(SIZES)
    runs = [run for day in measured for run in day.runs if run.students == size]
    ours = name_budget(SECOND)
    against = mean_terms(runs, (ours, *BASELINES))
    behind = find_behind(against, ours)
    needs = against[ours]["benefit"] / max(terms["benefit"] for policy, terms in against.items() if policy != ours)
    tiny, worst = compare_with_optima(measured, SECOND)
    unknown, better = sum(not day.stored for day in measured), sum(day.better for day in measured)
    sentences = [
        f"{unknown} days have no stored figures: measured against this run's best and a quick bound" * bool(unknown),
        f"{better} days have a better plan than the stored best; --reference stores such" * bool(better),
        f"tiny days with a proven optimum: {tiny:.0%} reach it, worst {worst:.2%} short" if tiny is not None else "",
        f"need met: {needs:.2f} times the best baseline policy ({AHEAD} asked)",
        f"not ahead on: {', '.join(f'{term} ({policy})' for policy, term in behind) or 'nothing'}",
    ]
    return Findings(
        shown=(show_rows(rows), show_terms(against, size), *filter(None, sentences)),
        figures={
            "families": list_budgets(rows),
            "tiny_optimal_share": tiny,
            "tiny_worst": worst,
            "against": against,
            "behind": [{"policy": policy, "term": term} for policy, term in behind],
            "needs_ratio": needs,
            "rows": rows,
            "runs": [asdict(run) | {"bound": day.known.bound} for day in measured for run in day.runs],
        },
        sound=is_sound(measured),
    )


def measure_absences(order: Order) -> Findings:
    """Measures days planned again after an absence."""
    days = [call_in_sick(place) for place in track(order.places, "absences", total=len(order.places))]
    absences = [absence for day in days for absence in day]
    return Findings((show_absences(absences),), {"replan": [asdict(absence) for absence in absences]})


def measure_injected(order: Order) -> Findings:
    """Measures refusals of days with an injected conflict: whether they name it."""
    repeats = min(MAX_CONFLICTS, max(1, order.instances // DAYS_PER_CONFLICT))
    found = measure_conflicts(repeats * len(TEAMS), FIRST_CONFLICT_SEED)
    summary = summarize_conflicts(found)
    sentence = (
        f"injected conflicts: {summary['conflicts_named_share']:.1%} of {len(found)} named, "
        f"{summary['relaxed_share']:.1%} with relaxations that all have a plan"
    )
    return Findings((sentence,), {"conflicts_named_share": summary["conflicts_named_share"], "conflicts": summary})


def measure_largest(_: Order) -> Findings:
    """Measures the peak memory of a new process that plans a day of the largest team."""
    students = max(SIZES)
    peak_mb = measure_memory(students)
    sentence = f"memory of a process that plans {students} students: {peak_mb:.0f} MB"
    return Findings((sentence,), {"memory_mb": peak_mb})


PARTS: tuple[Part, ...] = (measure_days, measure_absences, measure_injected, measure_largest)
