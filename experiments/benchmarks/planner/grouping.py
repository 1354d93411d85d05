"""`python -m experiments benchmark grouping`: how near the best are the planner's days, how soon, and against what.

Days are made up (`days.py`), with seeds that nothing was tuned on. Values are what a plan adds to a day that everybody
spends online. *Best known* is the best of any run, the *bound* is what no plan exceeds; both come from long runs that
are stored (`known_days.json`) and made anew with `--reference`. Times of the floors are CPU seconds.

The command is a list of parts (`grouping_parts.py`), each of which measures and tells one thing.
"""

from pathlib import Path
from typing import Any

from rich.table import Table

from experiments.benchmarks.planner.grouping_parts import PARTS, Order
from experiments.benchmarks.planner.long_runs import improve_known
from experiments.benchmarks.report import print_wide
from features.console import OUT, write_json
from features.errors import InputError
from serving.grouping.solve import warm_up


def benchmark_grouping(order: Order, json_path: Path | None = None) -> int:
    """Prints the figures of all parts; the exit code is 1 if any plan broke a rule or exceeded its bound.

    Args:
        order: What is asked.
        json_path: Where figures go too.

    Raises:
        InputError: Fewer than one instance, or stored figures of other days.
    """
    if order.instances < 1:
        raise InputError(f"--instances {order.instances} must be above 0")
    warm_up()
    figures: dict[str, Any] = {"instances": order.instances}
    sound = True
    for part in PARTS:
        told = part(order)
        for each in told.shown:
            if isinstance(each, Table):
                print_wide(each)
            else:
                OUT.print(each, markup=False, highlight=False)
        figures |= told.figures
        sound &= told.sound
    write_json(json_path, figures | {"sound": sound})
    return 0 if sound else 1


def refer_grouping(order: Order, seconds: float, jobs: int) -> None:
    """Makes the stored figures anew by long runs.

    Raises:
        InputError: No time, no process, or stored figures of other days.
    """
    if seconds <= 0 or jobs < 1:
        raise InputError(f"--reference {seconds:g} and --jobs {jobs} must both be above 0")
    improve_known(order.places, seconds, order.known, jobs)
