"""The options of `python -m serving week`, apart from the planner so that `--help` does not wait for compiled code."""

import argparse
from pathlib import Path


def add_week_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("path", type=Path, nargs="+", metavar="FILE", help="a day to plan, in order, one day apart")
    parser.add_argument(
        "--over", type=Path, metavar="FILE", help="the week as --json wrote it; days not given are over"
    )
    parser.add_argument("--teacher-seats", type=int, default=0, metavar="N", help="led by a teacher, for each student")
    parser.add_argument(
        "--coaching",
        nargs=3,
        action="append",
        default=[],
        metavar=("COACH", "TRAINEE", "N"),
        help="led sessions that two adults should share in the week; may be given again",
    )
    parser.add_argument("--most-together", type=int, metavar="N", help="led sessions that two students share at most")
    parser.add_argument("--most-load-off", type=float, metavar="N", help="blocks off an even share of duties at most")
    parser.add_argument("--passes", type=int, default=1, help="how often each day is planned again (%(default)s)")
    parser.add_argument("--seconds", type=float, help="search that long for each day and pass; else a number of rounds")
    parser.add_argument("--seed", type=int, default=0, help="of the lots drawn (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the week there")
    parser.add_argument("--svg", type=Path, metavar="FOLDER", help="draw each day there")
