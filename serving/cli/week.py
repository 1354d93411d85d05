"""`python -m serving week`: plans several days in a row from their files, towards targets of the week.

The file that `--json` writes can be passed back as `--over`, to plan the rest of the week anew each morning: its days
that are not among the files to plan are over, and stay as they are.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from features.console import OUT, read_file, write_json, write_text
from features.errors import InputError
from serving.cli import Commands, add_command, planning_errors

if TYPE_CHECKING:
    from serving.formats import WeekDay
    from serving.grouping import Week, WeekTargets

EXAMPLES = """week mon.json tue.json wed.json thu.json fri.json --teacher-seats 2 --json week.json
week wed.json thu.json fri.json --over week.json --teacher-seats 2 --json week.json"""
DAYS = "the days to plan, in order, one day apart, each as serving/day.example.json has one"


def add_week(commands: Commands) -> None:
    """Adds the command and its options."""
    exits = {2: "a file or a value is wrong, or no plan of a day keeps every rule"}
    summary = "plan several days in a row, towards the week's targets"
    week = add_command(commands, "week", plan_days, summary, EXAMPLES, exits)
    week.add_argument("path", type=Path, nargs="+", metavar="FILE", help=DAYS)
    week.add_argument(
        "--over", type=Path, metavar="FILE", help="the week as --json wrote it; its days without a FILE are over"
    )
    week.add_argument(
        "--teacher-seats", type=int, default=0, metavar="N", help="seats with a teacher that each student should get"
    )
    week.add_argument(
        "--coaching",
        nargs=3,
        action="append",
        default=[],
        metavar=("COACH", "TRAINEE", "N"),
        help="adult-led sessions that two adults should share; may be given several times",
    )
    week.add_argument(
        "--most-together", type=int, metavar="N", help="the most adult-led sessions that two students should share"
    )
    week.add_argument(
        "--most-load-off",
        type=float,
        metavar="N",
        help="the most blocks by which duties should differ from even shares",
    )
    week.add_argument("--passes", type=int, default=1, help="how often each day is planned again (%(default)s)")
    week.add_argument(
        "--seconds", type=float, help="time to search for each day and pass; without it, a fixed number of rounds"
    )
    week.add_argument("--seed", type=int, default=0, help="random seed (%(default)s)")
    week.add_argument("--json", type=Path, metavar="FILE", help="write the week there")
    week.add_argument("--svg", type=Path, metavar="FOLDER", help="draw each day there")


@planning_errors()
def plan_days(options: argparse.Namespace) -> int:
    """Plans the week, writes its files and prints it.

    Raises:
        InputError: A file cannot be read, an option is wrong, or no plan of a day keeps every rule.
    """
    from serving.cli.svg import draw_day
    from serving.formats import read_instance, read_week
    from serving.grouping import Budget, PastDay, plan_week

    names = [path.name for path in options.path]
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise InputError(f"{twice} is given twice; each day has a file name of its own")
    if options.passes < 0:
        raise InputError(f"--passes is {options.passes}, but must be at least 0")
    days = [read_instance(read_file(path)) for path in options.path]
    stored = [] if options.over is None else read_week(read_file(options.over), str(options.over))
    over = [day for day in stored if day.file not in names]
    past = [PastDay(len(over) - index, day.sessions, day.there) for index, day in enumerate(over)]
    budget = Budget(seconds=options.seconds, seed=options.seed)
    week = plan_week(days, _read_targets(options), budget, past, passes=options.passes)
    write_json(options.json, _to_document(names, week, over))
    if options.svg is not None:
        for name, problem, plan in zip(names, week.problems, week.plans, strict=True):
            write_text(options.svg / f"{Path(name).stem}.svg", draw_day(problem, plan))
    OUT.print(_show_days(names, week), _show_duties(names, week), _show_outcomes(week))
    return 0


def _read_targets(options: argparse.Namespace) -> "WeekTargets":
    from serving.grouping import Coaching, WeekTargets

    pairs = []
    for coach, trainee, sessions in options.coaching:
        if not sessions.isdecimal():
            raise InputError(f"--coaching {coach} {trainee} {sessions}: {sessions!r} is not a number of sessions")
        pairs.append(Coaching(coach, trainee, int(sessions)))
    return WeekTargets(options.teacher_seats, tuple(pairs), options.most_together, options.most_load_off)


def _to_document(names: Sequence[str], week: "Week", over: Sequence["WeekDay"]) -> dict[str, Any]:
    """The week as `--json` writes it and `serving.formats.read_week` reads it."""
    from serving.formats import WeekDay
    from serving.grouping import remember_day

    planned = []
    for name, problem, plan in zip(names, week.problems, week.plans, strict=True):
        past = remember_day(problem, plan.sessions, 1)
        day = WeekDay(name, False, past.sessions, dict(past.there))
        planned.append(asdict(day) | {"plan": asdict(plan)})
    return {
        "days": [*(asdict(day) | {"over": True} for day in over), *planned],
        "outcomes": [asdict(outcome) for outcome in week.outcomes],
        "value": week.value,
        "first_value": week.first_value,
        "cut_by_clock": week.cut_by_clock,
    }


def _show_days(names: Sequence[str], week: "Week") -> Table:
    values = [{term.name: term.value for term in plan.score.terms} for plan in week.plans]
    table = _make_table("the days", "", *names)
    table.add_row("adult-led sessions", *(str(sum(session.led for session in plan.sessions)) for plan in week.plans))
    for words, name, form in (
        ("need points met", "benefit", ".2f"),
        ("students without an adult", "coverage", ".0f"),
        ("repeated groupmates", "repeat_groupmates", ".0f"),
        ("coached sessions", "coaching", ".0f"),
    ):
        table.add_row(words, *(f"{of_day[name]:{form}}" for of_day in values))
    gained = week.value - week.first_value
    table.caption = f"value {week.value:.2f}, of which {gained:.2f} came from planning days again with all others known"
    return table


def _show_duties(names: Sequence[str], week: "Week") -> Table:
    counts = [Counter(adult for session in plan.sessions for adult in session.adults) for plan in week.plans]
    present = Counter[str]()
    for problem in week.problems:
        present.update({adult.id: len(adult.blocks) for adult in problem.adults})
    table = _make_table("blocks on duty", "adult", *names, "all", "of")
    for adult in sorted(present):
        held = [count[adult] for count in counts]
        table.add_row(adult, *map(str, held), str(sum(held)), str(present[adult]))
    return table


def _show_outcomes(week: "Week") -> Table:
    table = _make_table("the week's targets", "target", "who", "asked", "reached", "why")
    for name, count in Counter(outcome.target for outcome in week.outcomes).items():
        missed = [outcome for outcome in week.outcomes if outcome.target == name and outcome.reason is not None]
        table.add_row(name, "", "", f"{count - len(missed)} of {count}", "")
        for outcome in missed:
            table.add_row("", ", ".join(outcome.who), f"{outcome.asked:g}", f"{outcome.reached:g}", outcome.sentence)
    return table


def _make_table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD)
    for index, name in enumerate(columns):
        table.add_column(name, justify="left" if index == 0 or name in {"who", "why"} else "right")
    return table
