"""`python -m serving rotate`: groups over several rounds in which the same students meet as rarely as possible."""

import argparse

from features.console import OUT
from features.errors import InputError


def add_rotate(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the sub-command."""
    parser.add_argument("--students", type=int, required=True, help="how many; they are numbered from 1")
    parser.add_argument("--size", type=int, required=True, help="students of the largest groups")
    parser.add_argument("--rounds", type=int, required=True, help="days, or tables of one session after another")
    parser.add_argument("--seconds", type=float, help="search that long; without it, a fixed number of swaps")
    parser.add_argument("--seed", type=int, default=0, help="of the lots drawn (%(default)s)")


def rotate(given: argparse.Namespace) -> int:
    """Prints the groups of each round, and how often two students meet again.

    Raises:
        InputError: A number is not right.
    """
    from serving.grouping.errors import ProblemError  # noqa: PLC0415 - --help must not wait for compiled code
    from serving.grouping.rotation.rotate import even_sizes, rotate_groups  # noqa: PLC0415

    for name in ("students", "size", "rounds"):
        if getattr(given, name) < 1:
            raise InputError(f"--{name} {getattr(given, name)} must be above 0")
    names = [str(at + 1) for at in range(given.students)]
    try:
        sizes = even_sizes(given.students, given.size)
        rotation = rotate_groups(names, sizes, given.rounds, seconds=given.seconds, seed=given.seed)
    except ProblemError as error:
        raise InputError(str(error)) from None
    for at, groups in enumerate(rotation.rounds):
        told = " | ".join(" ".join(sorted(group, key=int)) for group in groups)
        OUT.print(f"round {at + 1}: {told}", markup=False, highlight=False)
    cut = ", cut by the clock" if rotation.cut_by_clock else ""
    OUT.print(f"{rotation.repeats} repeated meetings{cut}", markup=False, highlight=False)
    return 0
