"""`python -m experiments benchmark term-ablation`: school days in a row, with each term off, at its default, and high.

A synthetic team (`instances/school_days.py`) is planned day by day, each day with those before it as history. One term
is changed at a time, the others keep their defaults. For each term the table shows the figure that it is named for,
beside the need met.

Two terms are changed where they have something to do: changes are weighed against the day before, and the load is
evened in a team with one room besides the hall, since otherwise every adult is on duty in every block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table

from experiments.benchmarks.figures import make_table, peak_mb, print_tables
from experiments.benchmarks.planner.instances.school_days import (
    SCHOOL_WEEK,
    WINDOW,
    SchoolDay,
    Setting,
    list_seats,
    remember,
    simulate_days,
)
from experiments.benchmarks.planner.instances.team import SIZES
from features.console import track, write_json
from features.errors import InputError
from serving.grouping.problem.history import carry_history, count_load_off
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import warm_up

SEED = 101
"""Seed of the team; those below were looked at while this was written."""

BUDGET = Budget(seatings=1, bound_rounds=0)
"""Budget of each day: counted in rounds, so that the figures come out the same everywhere."""


FIGURES = {
    "needs_met": "need met a day",
    "led_seats": "seats in adult-led groups for each student and day",
    "repeat_groupmates": "earlier meetings of groupmates, for each seat in an adult-led group",
    "pairs_met": "share of students and adults who met in three weeks",
    "no_adult": "students a day without a seat with an adult",
    "churn": "share of seats other than in the same block the day before",
    "load_off": "blocks by which adults' duties lie off an even load, over the week",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One term, and the figure that it should lower, or raise.

    Attributes:
        name: Name of a weight.
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
    _weight("repeat_groupmates", "repeat_groupmates", 0.1),
    _weight("relationships", "pairs_met", 0.25, lower=False),
    _weight("perturbation", "churn", 0.25, Setting(keep_yesterday=True)),
    _weight("load", "load_off", 1.0, Setting(rooms=1)),
    _weight("coverage", "no_adult", 1.5),
)


def benchmark_term_ablation(days: int, students: int, json_path: Path | None = None) -> int:
    """Prints and writes the figures of a team of so many students over days in a row; returns the exit code 0.

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
    print_tables(_show_terms(rows), _show_weeks(known[repr(TERMS[0].steps[1])]))
    write_json(json_path, {"days": days, "students": students, "figures": FIGURES, "rows": rows, "peak_mb": peak_mb()})
    return 0


def measure_weeks(held: Sequence[SchoolDay]) -> list[dict[str, float]]:
    """Returns the figures of each week, by the names of `FIGURES`."""
    return [_measure_week(held, first) for first in range(0, len(held), SCHOOL_WEEK)]


def _measure_week(held: Sequence[SchoolDay], first: int) -> dict[str, float]:
    week = held[first : first + SCHOOL_WEEK]
    scores = [{term.name: term.value for term in score_plan(day.problem, day.sessions).terms} for day in week]
    seats = sum(len(session.students) for day in week for session in day.sessions if session.led)
    pairs = list(zip(held[max(0, first - 1) :], week if first else week[1:], strict=False))
    return {
        "needs_met": sum(score["benefit"] for score in scores) / len(week),
        "led_seats": seats / max(1, sum(bool(student.blocks) for day in week for student in day.problem.students)),
        "repeat_groupmates": sum(score["repeat_groupmates"] for score in scores) / max(1, seats),
        "pairs_met": _share_met(held[: first + len(week)]),
        "no_adult": sum(score["coverage"] for score in scores) / len(week),
        "churn": _mean([_share_moved(before, day) for before, day in pairs]),
        "load_off": sum(map(abs, count_load_off(remember(week, week[-1].date + 1)).values())),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _share_moved(before: SchoolDay, day: SchoolDay) -> float:
    """Returns the share of seats of both days with another kind of session, skill or adult."""
    known = {(seat.student, seat.block): seat for seat in list_seats(before.sessions)}
    seats = [seat for seat in list_seats(day.sessions) if (seat.student, seat.block) in known]
    return _mean([float(known[seat.student, seat.block] != seat) for seat in seats])


def _share_met(held: Sequence[SchoolDay]) -> float:
    last = held[-1]
    problem = carry_history(replace(last.problem, contacts=()), remember(held, last.date + 1), WINDOW)
    leads = sum(bool(adult.session_types and adult.blocks) for adult in problem.adults)
    return len(problem.contacts) / max(1, leads * len(problem.students))


def mean_of_weeks(weeks: Sequence[Mapping[str, float]], figure: str) -> float:
    """Returns the mean of a figure over weeks."""
    return _mean([week[figure] for week in weeks])


def _show_terms(rows: Sequence[Mapping[str, Any]]) -> Table:
    title = "each term off, at its default and high; means over the weeks"
    table = make_table(title, ["term", "figure"], [*STEPS, "need met"])
    for term in TERMS:
        mine = [row["weeks"] for row in rows if row["term"] == term.name]
        met = " / ".join(f"{mean_of_weeks(weeks, 'needs_met'):.2f}" for weeks in mine)
        cells = (f"{mean_of_weeks(weeks, term.figure):.2f}" for weeks in mine)
        table.add_row(term.name, FIGURES[term.figure], *cells, met)
    return table


def _show_weeks(weeks: Sequence[Mapping[str, float]]) -> Table:
    numbers = [str(number + 1) for number in range(len(weeks))]
    table = make_table("week by week, all terms at their defaults", ["figure"], numbers)
    for figure, words in FIGURES.items():
        table.add_row(words, *(f"{week[figure]:.2f}" for week in weeks))
    return table
