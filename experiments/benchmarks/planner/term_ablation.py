"""`python -m experiments benchmark term-ablation`: school days in a row, with each term off, at its default, and high.

A synthetic team (`instances/school_days.py`) is planned day by day, each day with those before it as history. One term
is changed at a time, the others keep their defaults. For each term the table shows the figure that it is named for,
beside the need met.

Two terms are changed where they have something to do: changes are priced against the day before, and the load is evened
in a team with one room besides the hall, since otherwise every adult is on duty in every block and the load is even.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.benchmarks.figures import peak_mb, write_figures
from experiments.benchmarks.planner.instances.school_days import Setting, simulate_days
from experiments.benchmarks.planner.instances.team import SIZES
from experiments.benchmarks.planner.week_figures import FIGURES, measure_weeks
from features.console import OUT, track
from features.errors import InputError
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import warm_up
from serving.plans.policy import load_planning

SEED = 101
"""Seed of the team; those below were looked at while this was written."""

BUDGET = Budget(seatings=1, bound_rounds=0)
"""For each day: counted in rounds, so that the figures come out the same everywhere."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term, and the figure that it should lower, or raise.

    Attributes:
        name: Name of a weight, or of the limit on days in intervention.
        figure: One of `FIGURES`.
        lower: Whether more of the term means less of the figure.
        steps: The term off, at its default, and high.
    """

    name: str
    figure: str
    lower: bool
    steps: tuple[Setting, Setting, Setting]


PLAIN = Setting()
STEPS = ("off", "default", "high")


def _weight(name: str, figure: str, high: float, base: Setting = PLAIN, *, lower: bool = True) -> Term:
    off, most = (replace(base, weights={name: value}) for value in (0.0, high))
    return Term(name, figure, lower, (off, base, most))


TERMS = (
    _weight("repeat_mates", "repeat_mates", 0.1),
    _weight("relationships", "pairs_met", 0.25, lower=False),
    Term(
        "most_catch_up_days",
        "longest_row",
        True,
        (PLAIN, Setting(most_catch_up_days=load_planning().most_catch_up_days), Setting(most_catch_up_days=1)),
    ),
    _weight("perturbation", "churn", 0.25, Setting(keep_yesterday=True)),
    _weight("load", "load_off", 1.0, Setting(rooms=1)),
    _weight("coverage", "no_adult", 1.5),
)


def benchmark_term_ablation(days: int, students: int, json_path: Path | None = None) -> int:
    """Prints the figures and returns the exit code 0.

    Args:
        days: School days in a row.
        students: Size of the team.
        json_path: Where the figures are written too.

    Raises:
        InputError: Fewer than two days, or no such team.
    """
    if days < 2:  # noqa: PLR2004 - a day and the one before it
        raise InputError(f"--days is {days}, but must be at least 2, so that a day has one before it")
    if students not in SIZES:
        raise InputError(f"--students is {students}, but must be one of {', '.join(map(str, SIZES))}")
    warm_up()
    settings = list({repr(step): step for term in TERMS for step in term.steps}.values())
    known: dict[str, list[dict[str, float]]] = {}
    for setting in track(settings, "settings of the terms", total=len(settings)):
        known[repr(setting)] = measure_weeks(simulate_days(students, SEED, days, setting, BUDGET))
    rows = [
        {"term": term.name, "step": name, "setting": asdict(step), "weeks": known[repr(step)]}
        for term in TERMS
        for name, step in zip(STEPS, term.steps, strict=True)
    ]
    OUT.print(_show_terms(rows), _show_weeks(known[repr(TERMS[0].steps[1])]))
    write_figures(
        json_path,
        {"days": days, "students": students, "figures": FIGURES, "rows": rows, "peak_mb": peak_mb()},
    )
    return 0


def mean_of_weeks(weeks: Sequence[Mapping[str, float]], figure: str) -> float:
    """The mean of a figure over weeks; of the longest row, the greatest."""
    values = [week[figure] for week in weeks]
    return max(values) if figure == "longest_row" else sum(values) / len(values)


def _show_terms(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="each term off, at its default and high; means over the weeks", box=SIMPLE_HEAD)
    for name in ("term", "figure", *STEPS, "need met"):
        table.add_column(name, justify="left" if name in {"term", "figure"} else "right", no_wrap=name != "figure")
    for term in TERMS:
        mine = [row["weeks"] for row in rows if row["term"] == term.name]
        met = " / ".join(f"{mean_of_weeks(weeks, 'needs_met'):.2f}" for weeks in mine)
        cells = (f"{mean_of_weeks(weeks, term.figure):.2f}" for weeks in mine)
        table.add_row(term.name, FIGURES[term.figure], *cells, met)
    return table


def _show_weeks(weeks: Sequence[Mapping[str, float]]) -> Table:
    table = Table(title="week by week, all terms at their defaults", box=SIMPLE_HEAD)
    for name in ("figure", *(str(at + 1) for at in range(len(weeks)))):
        table.add_column(name, justify="left" if name == "figure" else "right")
    for figure, words in FIGURES.items():
        table.add_row(words, *(f"{week[figure]:.2f}" for week in weeks))
    return table
