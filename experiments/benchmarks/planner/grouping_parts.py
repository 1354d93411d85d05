"""The parts of the benchmark of the planner: each measures one thing and tells it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from experiments.benchmarks.planner.absences import call_in_sick
from experiments.benchmarks.planner.days import SIZES, draw_day
from experiments.benchmarks.planner.direct_solver import DIRECT, is_installed, plan_directly
from experiments.benchmarks.planner.generalised_assignment import measure_assignment
from experiments.benchmarks.planner.golfers import measure_golfers
from experiments.benchmarks.planner.grouping_chart import draw_grouping
from experiments.benchmarks.planner.grouping_measure import is_sound, measure_day, name_budget
from experiments.benchmarks.planner.grouping_tables import (
    find_behind,
    find_families,
    judge_tiny,
    mean_terms,
    show_absences,
    show_rows,
    show_terms,
    summarise,
)
from experiments.benchmarks.planner.known_days import Place, read_known
from experiments.benchmarks.planner.long_runs import online_value
from experiments.benchmarks.planner.planted import FIRST_SEED as PLANTED_SEED
from experiments.benchmarks.planner.planted import TEAMS, measure_planted, summarise_planted
from experiments.benchmarks.planner.scaling import measure_size
from experiments.benchmarks.planner.usual_groups import K_MEANS, USUAL
from features.console import track
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan

FIRST_SEED = 101
"""Seeds below were looked at while the search was built."""

SECOND = 1.0
"""Budget that is set beside other ways, in seconds."""

DRAWN = 60
"""Students of the team whose terms are drawn and compared."""

DIRECT_S, DIRECT_DAYS = 10.0, 3
"""Time of the solver that gets the whole day at once, and days that it gets."""

DAYS_PER_PLANTED, MOST_PLANTED = 10, 5
"""Days of each size for which a conflict of each kind is planted into one day of each team; and the most of these."""

AHEAD = 1.3
"""Times the needs of the best other way that ours is to meet."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked: days of each size, stored figures, and a folder for pictures."""

    instances: int
    known: Path
    charts: Path | None = None

    @property
    def places(self) -> list[Place]:
        """Sizes and seeds."""
        return [(students, FIRST_SEED + at) for students in SIZES for at in range(self.instances)]


@dataclass(frozen=True, slots=True)
class Told:
    """What one part found: its tables and sentences, its figures by key, and whether all plans were sound."""

    shown: tuple[Table | str, ...]
    figures: dict[str, Any]
    sound: bool = True


Part = Callable[[Order], Told]


def tell_days(order: Order) -> Told:
    """Value and time by size and budget, tiny days by their optimum, and each term beside the other ways."""
    known = read_known(order.known)
    measured = [measure_day(place, known) for place in track(order.places, "made-up days", total=len(order.places))]
    rows = summarise(measured)
    size = DRAWN if DRAWN in SIZES else min(SIZES)
    runs = [run for each in measured for run in each.runs if run.students == size]
    ours = name_budget(SECOND)
    against = mean_terms(runs, (ours, *USUAL))
    behind = find_behind(against, ours)
    needs = against[ours]["benefit"] / max(terms["benefit"] for way, terms in against.items() if way != ours)
    tiny, worst = judge_tiny(measured, SECOND)
    unknown, better = sum(not each.stored for each in measured), sum(each.better for each in measured)
    said = [
        f"{unknown} days have no stored figures: measured against this run's best and a quick bound" * bool(unknown),
        f"{better} days have a better plan than the stored best; --reference stores such" * bool(better),
        f"tiny days with a proven optimum: {tiny:.0%} reach it, worst {worst:.2%} short" if tiny is not None else "",
        f"needs met: {needs:.2f} times the best other way ({AHEAD} asked)",
        f"not ahead on: {', '.join(f'{term} ({way})' for way, term in behind) or 'nothing'}",
        "" if K_MEANS in USUAL else f"{K_MEANS} is not installed, so that way is left out",
    ]
    if order.charts is not None:
        draw_grouping(order.charts / "grouping.png", rows, against)
    return Told(
        shown=(show_rows(rows), show_terms(against, size), *filter(None, said)),
        figures={
            "families": find_families(rows),
            "tiny_optimal_share": tiny,
            "tiny_worst": worst,
            "against": against,
            "behind": [{"way": way, "term": term} for way, term in behind],
            "needs_ratio": needs,
            "rows": rows,
            "runs": [asdict(run) | {"bound": each.known.bound} for each in measured for run in each.runs],
        },
        sound=is_sound(measured),
    )


def tell_absences(order: Order) -> Told:
    """A day planned again after an absence."""
    told = [call_in_sick(place) for place in track(order.places, "absences", total=len(order.places))]
    absences = [absence for each in told for absence in each]
    return Told((show_absences(absences),), {"replan": [asdict(absence) for absence in absences]})


def tell_rotation(_: Order) -> Told:
    """Rotation alone, on social golfers."""
    found = measure_golfers()
    told = ", ".join(f"{each.name}: {each.repeats} in {each.cpu_s:.2f} s" for each in found)
    return Told(
        (f"rotation, repeated meetings in CPU time: {told}",),
        {"rotation": {each.name: each.repeats for each in found}, "rotation_runs": [asdict(each) for each in found]},
        sound=all(each.sound for each in found),
    )


def tell_assignment(_: Order) -> Told:
    """Generalised assignment, exactly and by the search."""
    found = measure_assignment()
    seats = [each for each in found if each.form == "one seat"]
    exact = [each for each in found if each.form != "one seat"]
    figures = {
        "exact_proven_share": float(np.mean([each.proven for each in exact])),
        "search_optimal_share": float(np.mean([each.ratio >= 1 - 1e-9 for each in seats])),
        "search_worst": min(each.ratio for each in seats),
    }
    told = (
        f"generalised assignment: {figures['exact_proven_share']:.0%} of {len(exact)} proven by the exact layer; the "
        f"search reaches the optimum of {figures['search_optimal_share']:.0%} of {len(seats)} one-seat forms in 1 s, "
        f"at worst {figures['search_worst']:.4f} of it"
    )
    return Told((told,), {"assignment": figures, "assignment_runs": [asdict(each) for each in found]})


def tell_direct(order: Order) -> Told:
    """The whole day given to a solver at once, where it is installed."""
    if not is_installed():
        return Told((f"OR-Tools is not installed, so {DIRECT} is left out",), {"direct": None})
    size = DRAWN if DRAWN in SIZES else min(SIZES)
    told: list[dict[str, Any]] = []
    for place in [place for place in order.places if place[0] == size][:DIRECT_DAYS]:
        problem = draw_day(*place)
        sessions = plan_directly(problem, DIRECT_S)
        day: dict[str, Any] = {"students": place[0], "seed": place[1], "value": None, "broken_rules": 0, "terms": None}
        if sessions is not None:
            score = score_plan(problem, sessions)
            day["value"] = score.total - online_value(problem)
            day["broken_rules"] = len(find_violations(problem, sessions))
            day["terms"] = {term.name: term.value for term in score.terms}
        told.append(day)
    found = sum(each["terms"] is not None for each in told)
    values = ", ".join(f"{each['value']:.2f}" for each in told if each["value"] is not None) or "none"
    said = f"{DIRECT}, {size} students, {DIRECT_S:g} s: a plan on {found} of {len(told)} days, values {values}"
    return Told(
        (said,),
        {"direct": told},
        sound=not any(each["broken_rules"] for each in told),
    )


def tell_planted(order: Order) -> Told:
    """Refusals of days into which a conflict of a known kind was planted: whether they name it."""
    each = min(MOST_PLANTED, max(1, order.instances // DAYS_PER_PLANTED))
    found = measure_planted(each * len(TEAMS), PLANTED_SEED)
    summary = summarise_planted(found)
    told = (
        f"planted conflicts: {summary['conflicts_named_share']:.1%} of {len(found)} named, "
        f"{summary['relaxed_share']:.1%} with ways out that are all planned"
    )
    return Told((told,), {"conflicts_named_share": summary["conflicts_named_share"], "conflicts": summary})


def tell_memory(_: Order) -> Told:
    """The most memory of a fresh process that plans a day of the largest team."""
    cost = measure_size(SIZES[max(SIZES)])
    return Told(
        (f"memory of a process that plans {cost.students} students: {cost.memory_mb:.0f} MB",),
        {"memory_mb": cost.memory_mb},
    )


PARTS: tuple[Part, ...] = (
    tell_days, tell_absences, tell_rotation, tell_assignment, tell_direct, tell_planted, tell_memory,
)  # fmt: skip
