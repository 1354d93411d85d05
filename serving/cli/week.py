"""`python -m serving week`: several days in a row from their files, and what becomes of the week's targets.

The file that `--json` writes can be given back as `--over`, to plan the rest of the week anew each morning: its days
that are not among the files to plan are over, and stay as they are.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from rich.box import SIMPLE_HEAD
from rich.table import Table

from features.console import OUT, read_file, write_json, write_text
from features.errors import InputError
from serving.cli.svg import draw_day
from serving.formats import read_instance
from serving.grouping import (
    Budget,
    Coaching,
    InfeasibleError,
    PastDay,
    Plan,
    Problem,
    ProblemError,
    Session,
    Week,
    WeekTargets,
    plan_week,
    remember_day,
)


@dataclass(frozen=True)
class StoredDay:
    """One day of a week's file.

    Attributes:
        file: Name of the day's instance.
        over: Whether it was over when the week was planned.
        sessions: What is planned, or was held.
        catch_up: Pairs of student and skill that count as catching up.
        there: In how many blocks each adult was there.
    """

    file: str
    over: bool
    sessions: tuple[Session, ...]
    catch_up: tuple[tuple[str, str], ...]
    there: dict[str, int]


def run_week(given: argparse.Namespace) -> int:
    """Plans the week, writes its files and prints it.

    Raises:
        InputError: A file cannot be read, an option is wrong, or no plan of a day keeps every rule.
    """
    names = [path.name for path in given.path]
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise InputError(f"{twice} is given twice; each day has a file name of its own")
    if given.passes < 0:
        raise InputError(f"--passes is {given.passes}, but must be at least 0")
    try:
        days = [read_instance(read_file(path)) for path in given.path]
        over = [] if given.over is None else [day for day in _read_week(given.over) if day.file not in names]
        targets = _read_targets(given)
    except ProblemError as error:
        raise InputError(str(error)) from None
    past = [PastDay(len(over) - at, day.sessions, frozenset(day.catch_up), day.there) for at, day in enumerate(over)]
    budget = Budget(seconds=given.seconds, seed=given.seed)
    try:
        week = plan_week(days, targets, budget, past, passes=given.passes)
    except InfeasibleError as error:
        raise InputError(f"no plan keeps every rule: {error.sentence}") from None
    write_json(given.json, _tell_week(names, week, over))
    if given.svg is not None:
        for name, problem, plan in zip(names, week.problems, week.plans, strict=True):
            write_text(given.svg / f"{Path(name).stem}.svg", draw_day(problem, plan))
    OUT.print(_show_days(names, week), _show_duties(names, week), _show_outcomes(week))
    return 0


def _read_targets(given: argparse.Namespace) -> WeekTargets:
    pairs = []
    for coach, trainee, sessions in given.coaching:
        if not sessions.isdecimal():
            raise InputError(f"--coaching {coach} {trainee} {sessions}: {sessions!r} is not a number of sessions")
        pairs.append(Coaching(coach, trainee, int(sessions)))
    return WeekTargets(given.teacher_seats, tuple(pairs), given.most_together, given.most_load_off)


def _read_week(path: Path) -> list[StoredDay]:
    try:
        return _adapter().validate_python(json.loads(read_file(path))["days"], strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}, days.{where}: {first['msg']}") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is no week as --json writes it: an object with `days`") from None


@cache
def _adapter() -> TypeAdapter[list[StoredDay]]:
    return TypeAdapter(list[StoredDay])


def _tell_week(names: Sequence[str], week: Week, over: Sequence[StoredDay]) -> dict[str, Any]:
    planned = [
        asdict(_store(name, problem, plan)) | {"plan": asdict(plan)}
        for name, problem, plan in zip(names, week.problems, week.plans, strict=True)
    ]
    return {
        "days": [*(asdict(day) | {"over": True} for day in over), *planned],
        "outcomes": [asdict(outcome) for outcome in week.outcomes],
        "value": week.value,
        "first_value": week.first_value,
        "cut_by_clock": week.cut_by_clock,
    }


def _store(name: str, problem: Problem, plan: Plan) -> StoredDay:
    day = remember_day(problem, plan.sessions, 1)
    return StoredDay(name, False, day.sessions, tuple(sorted(day.catch_up)), dict(day.there))


def _show_days(names: Sequence[str], week: Week) -> Table:
    terms = [{term.name: term.value for term in plan.score.terms} for plan in week.plans]
    table = _table("the days", "", *names)
    table.add_row("led sessions", *(str(sum(session.led for session in plan.sessions)) for plan in week.plans))
    for words, name, form in (
        ("needs met", "benefit", ".2f"),
        ("students without an adult", "coverage", ".0f"),
        ("repeat mates", "repeat_groupmates", ".0f"),
        ("coached sessions", "coaching", ".0f"),
    ):
        table.add_row(words, *(f"{each[name]:{form}}" for each in terms))
    gained = week.value - week.first_value
    table.caption = f"value {week.value:.2f}, of which {gained:.2f} came from planning days again with all others known"
    return table


def _show_duties(names: Sequence[str], week: Week) -> Table:
    counts = [Counter(adult for session in plan.sessions for adult in session.adults) for plan in week.plans]
    table = _table("blocks on duty", "adult", *names, "all", "of")
    for adult in sorted({adult.id for problem in week.problems for adult in problem.adults}):
        there = sum(len(each.blocks) for problem in week.problems for each in problem.adults if each.id == adult)
        held = [count[adult] for count in counts]
        table.add_row(adult, *map(str, held), str(sum(held)), str(there))
    return table


def _show_outcomes(week: Week) -> Table:
    table = _table("the week's targets", "target", "who", "asked", "reached", "why")
    for name, of_target in Counter(outcome.target for outcome in week.outcomes).items():
        missed = [each for each in week.outcomes if each.target == name and each.reason is not None]
        table.add_row(name, "", "", f"{of_target - len(missed)} of {of_target}", "")
        for each in missed:
            table.add_row("", ", ".join(each.who), f"{each.asked:g}", f"{each.reached:g}", each.sentence)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD)
    for at, name in enumerate(columns):
        table.add_column(name, justify="left" if at == 0 or name in {"who", "why"} else "right")
    return table
