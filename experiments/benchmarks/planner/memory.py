"""Peak memory of the planner, measured in a process of its own so that nothing else counts."""

import subprocess
import sys

from experiments.benchmarks.memory import peak_mb
from experiments.benchmarks.planner.instances.team import draw_day
from features.errors import InputError
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups, warm_up

SEED, ROUNDS = 101, 200
"""Seed of the day, and rounds of the search."""


def measure_memory(students: int) -> float:
    """Returns the megabytes that a new process holds at most while it plans a day, interpreter and libraries included.

    Raises:
        InputError: The process failed.
    """
    command = [sys.executable, "-m", __name__, str(students)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter and code
    if done.returncode:
        reason = (done.stderr.splitlines() or ["it wrote nothing"])[-1]
        raise InputError(f"a day of {students} students cannot be measured: {reason}")
    return float(done.stdout)


def _plan(students: int) -> float:
    warm_up()
    suggest_groups(draw_day(students, SEED), Budget(rounds=ROUNDS, seatings=0, bound_rounds=0))
    return peak_mb()


if __name__ == "__main__":
    print(_plan(int(sys.argv[1])))
