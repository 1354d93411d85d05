"""`python -m experiments benchmark days`: school days in a row, with each dial of the planner off, usual, and high.

A made-up team (`moving_team.py`) is planned day by day, each day with those before it as history. One dial is turned at
a time, the others stay as usual. For each dial the table tells the figure that it is named for, beside the needs met.

Two dials are turned where they have something to do: changes are priced against the day before, and the load is evened
in a team with one room besides the hall, since otherwise every adult is on duty in every block and the load is even.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.benchmarks.planner.days import SIZES
from experiments.benchmarks.planner.many_days_chart import draw_dials
from experiments.benchmarks.planner.school_days import Setting, simulate_days
from experiments.benchmarks.planner.week_figures import FIGURES, tell_weeks
from experiments.benchmarks.report import peak_mb
from features.console import OUT, track, write_json
from features.errors import InputError
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import warm_up
from serving.plans.policy import load_planning

SEED = 101
"""Of the team; those below were looked at while this was written."""

BUDGET = Budget(seatings=1, bound_rounds=0)
"""For each day: counted in rounds, so that the figures come out the same everywhere."""


@dataclass(frozen=True, slots=True)
class Dial:
    """One dial, and the figure that turning it up should lower, or raise.

    Attributes:
        name: Of a weight, or of the cap.
        figure: One of `FIGURES`.
        lower: Whether more of the dial means less of the figure.
        steps: The dial off, as usual, and high.
    """

    name: str
    figure: str
    lower: bool
    steps: tuple[Setting, Setting, Setting]


PLAIN = Setting()
STEPS = ("off", "usual", "high")


def _weight(name: str, figure: str, high: float, base: Setting = PLAIN, *, lower: bool = True) -> Dial:
    off, most = (replace(base, weights={name: value}) for value in (0.0, high))
    return Dial(name, figure, lower, (off, base, most))


DIALS = (
    _weight("repeat_mates", "repeat_mates", 0.1),
    _weight("relationships", "pairs_met", 0.25, lower=False),
    Dial(
        "most_catch_up_days",
        "longest_row",
        True,
        (PLAIN, Setting(most_catch_up_days=load_planning().most_catch_up_days), Setting(most_catch_up_days=1)),
    ),
    _weight("perturbation", "churn", 0.25, Setting(keep_yesterday=True)),
    _weight("load", "load_off", 1.0, Setting(rooms=1)),
    _weight("coverage", "no_adult", 1.5),
)


def benchmark_days(days: int, students: int, json_path: Path | None = None, charts: Path | None = None) -> int:
    """Prints the figures; the exit code is 0.

    Args:
        days: School days in a row.
        students: Size of the team.
        json_path: Where figures go too.
        charts: A folder for the picture.

    Raises:
        InputError: Fewer than two days, or no such team.
    """
    if days < 2:  # noqa: PLR2004 - a day and the one before it
        raise InputError(f"--days is {days}, but must be at least 2, so that a day has one before it")
    if students not in SIZES:
        raise InputError(f"--students is {students}, but must be one of {', '.join(map(str, SIZES))}")
    warm_up()
    settings = list({repr(step): step for dial in DIALS for step in dial.steps}.values())
    known: dict[str, list[dict[str, float]]] = {}
    for setting in track(settings, "settings of the dials", total=len(settings)):
        known[repr(setting)] = tell_weeks(simulate_days(students, SEED, days, setting, BUDGET))
    rows = [
        {"dial": dial.name, "step": name, "setting": asdict(step), "weeks": known[repr(step)]}
        for dial in DIALS
        for name, step in zip(STEPS, dial.steps, strict=True)
    ]
    OUT.print(_show_dials(rows), _show_weeks(known[repr(DIALS[0].steps[1])]))
    if charts is not None:
        draw_dials(charts / "days.png", rows, {dial.name: dial.figure for dial in DIALS})
    write_json(
        json_path,
        {"days": days, "students": students, "figures": FIGURES, "rows": rows, "peak_mb": peak_mb()},
    )
    return 0


def mean_of_weeks(weeks: Sequence[Mapping[str, float]], figure: str) -> float:
    """The mean of a figure over weeks; of the longest row, the greatest."""
    values = [week[figure] for week in weeks]
    return max(values) if figure == "longest_row" else sum(values) / len(values)


def _show_dials(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="each dial off, usual and high; means over the weeks", box=SIMPLE_HEAD)
    for name in ("dial", "figure", *STEPS, "needs met"):
        table.add_column(name, justify="left" if name in {"dial", "figure"} else "right", no_wrap=name != "figure")
    for dial in DIALS:
        mine = [row["weeks"] for row in rows if row["dial"] == dial.name]
        met = " / ".join(f"{mean_of_weeks(weeks, 'needs_met'):.2f}" for weeks in mine)
        cells = (f"{mean_of_weeks(weeks, dial.figure):.2f}" for weeks in mine)
        table.add_row(dial.name, FIGURES[dial.figure], *cells, met)
    return table


def _show_weeks(weeks: Sequence[Mapping[str, float]]) -> Table:
    table = Table(title="week by week, all dials as usual", box=SIMPLE_HEAD)
    for name in ("figure", *(str(at + 1) for at in range(len(weeks)))):
        table.add_column(name, justify="left" if name == "figure" else "right")
    for figure, words in FIGURES.items():
        table.add_row(words, *(f"{week[figure]:.2f}" for week in weeks))
    return table
