"""The options of the planner's benchmarks and what runs each, imported only when it is asked for."""

import argparse
from collections.abc import Callable
from pathlib import Path

AddCommand = Callable[..., argparse.ArgumentParser]
"""Takes a name, what it does, and examples."""


def add_planner_benchmarks(add: AddCommand) -> None:
    """Adds the sub-commands; each sets `run` to what runs it."""
    grouping = add(
        "grouping",
        "plans of made-up days, against the best known, a bound, and the usual ways to group",
        "python -m experiments benchmark grouping --instances 5 --charts charts",
        "python -m experiments benchmark grouping --reference 120 --jobs 2",
    )
    grouping.add_argument("--instances", type=int, default=20, help="days of each size (default: %(default)s)")
    grouping.add_argument(
        "--reference", type=float, metavar="SECONDS", help="make the stored figures anew by runs that long, and stop"
    )
    grouping.add_argument("--jobs", type=int, default=1, help="processes of the long runs (default: %(default)s)")
    grouping.add_argument("--known", type=Path, metavar="FILE", help="the stored figures; without it, our own")
    conflicts = add(
        "conflicts",
        "made-up days with a planted conflict: is it named, how soon, and is what is then given up enough",
        "python -m experiments benchmark conflicts --instances 5 --json figures.json",
    )
    conflicts.add_argument("--instances", type=int, default=20, help="of each kind (default: %(default)s)")
    scaling = add(
        "scaling",
        "time and memory of the planner as a day grows, one number at a time",
        "python -m experiments benchmark scaling --charts charts",
    )
    days = add(
        "days",
        "school days in a row, each planned with those before it, with each dial off, usual and high",
        "python -m experiments benchmark days --days 20 --students 60 --charts charts",
    )
    days.add_argument("--days", type=int, default=20, help="school days in a row (default: %(default)s)")
    days.add_argument("--students", type=int, default=60, help="size of the team (default: %(default)s)")
    odd_days = add(
        "odd-days",
        "thousands of made-up days of any kind: does any plan break a rule, is any refusal wrong",
        "python -m experiments benchmark odd-days --instances 2000 --json figures.json",
    )
    odd_days.add_argument("--instances", type=int, default=2000, help="days to draw (default: %(default)s)")
    first_plan = add(
        "first-plan",
        "the first plan of a new process, against the same plan again",
        "python -m experiments benchmark first-plan --json figures.json",
    )
    drawn = ((grouping, _grouping), (scaling, _scaling), (days, _days))
    for parser, run in (*drawn, (conflicts, _conflicts), (odd_days, _odd_days), (first_plan, _first_plan)):
        parser.set_defaults(run=run)
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
        if run in dict(drawn).values():
            parser.add_argument("--charts", type=Path, metavar="FOLDER", help="write the picture there")


def _grouping(options: argparse.Namespace) -> int:
    from experiments.benchmarks.planner.grouping import (  # noqa: PLC0415 - compiles for minutes
        benchmark_grouping,
        refer_grouping,
    )
    from experiments.benchmarks.planner.grouping_parts import Order  # noqa: PLC0415
    from experiments.benchmarks.planner.known_days import STORED  # noqa: PLC0415

    order = Order(options.instances, options.known or STORED, options.charts)
    if options.reference is not None:
        refer_grouping(order, options.reference, options.jobs)
        return 0
    return benchmark_grouping(order, options.json)


def _conflicts(options: argparse.Namespace) -> int:
    from experiments.benchmarks.planner.planted import benchmark_conflicts  # noqa: PLC0415 - compiles for minutes

    return benchmark_conflicts(options.instances, options.json)


def _scaling(options: argparse.Namespace) -> int:
    from experiments.benchmarks.planner.scaling import benchmark_scaling  # noqa: PLC0415 - imports charts

    return benchmark_scaling(options.json, options.charts)


def _days(options: argparse.Namespace) -> int:
    from experiments.benchmarks.planner.many_days import benchmark_days  # noqa: PLC0415 - compiles for minutes

    return benchmark_days(options.days, options.students, options.json, options.charts)


def _odd_days(options: argparse.Namespace) -> int:
    from experiments.benchmarks.planner.checked_days import benchmark_odd_days  # noqa: PLC0415 - compiles for minutes

    return benchmark_odd_days(options.instances, options.json)


def _first_plan(options: argparse.Namespace) -> int:
    from experiments.benchmarks.planner.first_plan import benchmark_first_plan  # noqa: PLC0415 - as the others

    return benchmark_first_plan(options.json)
