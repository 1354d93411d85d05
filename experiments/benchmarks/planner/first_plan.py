"""`python -m experiments benchmark first-plan`: is the first plan of a new process as quick as the next?

A service warms up when it starts (`warm_up`), so that no caller waits for machine code to be read from numba's cache.
New processes, as many with that as without, plan the same day several times; the cache is filled beforehand. The plan
without rounds is the quickest that there is, and so shows best what a first one costs on top.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.benchmarks.report import print_wide
from features.console import track, write_json
from features.errors import InputError
from serving.grouping.solve import warm_up

PROCESSES = 5
"""Behind each median."""

STUDENTS, SEED = 60, 101

PLANS = {"usual": None, "no rounds": 0}
"""Rounds of search; None: as many as the planner takes by itself."""

MOST_RATIO = 2.0
"""Of the first plan after warming up to the same plan again."""

PROBE = (
    "import json, sys; from experiments.benchmarks.planner.first_plan_probe import probe; "
    "print(json.dumps(probe(*json.loads(sys.argv[1]))))"
)


@dataclass(frozen=True, slots=True)
class Start:
    """One new process; all times are CPU seconds.

    Attributes:
        plan: One of `PLANS`.
        warmed: Whether it warmed up before its first plan.
        import_s: Of importing the planner. `warm_up_s`: of warming up; 0 without.
        first_s: Of the first plan. `again_s`: the median of the same plan, made again.
    """

    plan: str
    warmed: bool
    import_s: float
    warm_up_s: float
    first_s: float
    again_s: float

    @property
    def ratio(self) -> float:
        """How many times as long the first plan took."""
        return self.first_s / self.again_s


def benchmark_first_plan(json_path: Path | None = None, processes: int = PROCESSES) -> int:
    """Prints the figures; the exit code is 1 if a first plan after warming up takes above `MOST_RATIO` as long.

    Args:
        json_path: Where figures go too.
        processes: Behind each median.
    """
    warm_up()  # fills the cache
    orders = [(plan, warmed) for _ in range(processes) for plan in PLANS for warmed in (True, False)]
    starts = [start_process(*order) for order in track(orders, "new processes", total=len(orders))]
    rows = [_summarise(starts, plan, warmed) for plan in PLANS for warmed in (True, False)]
    print_wide(_show(rows))
    write_json(json_path, {"students": STUDENTS, "seed": SEED, "rows": rows, "starts": [asdict(one) for one in starts]})
    return 0 if all(row["ratio"] <= MOST_RATIO for row in rows if row["warmed"]) else 1


def start_process(plan: str, warmed: bool) -> Start:
    """Measures one new process.

    Raises:
        InputError: The process failed.
    """
    asked = json.dumps([STUDENTS, SEED, PLANS[plan], warmed])
    given = [sys.executable, "-c", PROBE, asked]
    told = subprocess.run(given, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter and code
    if told.returncode:
        reason = (told.stderr.splitlines() or ["it told nothing"])[-1]
        raise InputError(f"a new process cannot be measured: {reason}")
    return Start(plan, warmed, *json.loads(told.stdout))


def _summarise(starts: Sequence[Start], plan: str, warmed: bool) -> dict[str, Any]:
    mine = [start for start in starts if (start.plan, start.warmed) == (plan, warmed)]
    names = ("import_s", "warm_up_s", "first_s", "again_s", "ratio")
    return {"plan": plan, "warmed": warmed, "processes": len(mine)} | {
        name: float(np.median([getattr(start, name) for start in mine])) for name in names
    }


def _show(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(title=f"a day of {STUDENTS} students in a new process; medians of CPU seconds", box=SIMPLE_HEAD)
    for name in ("plan", "warmed up", "import", "warm-up", "first plan", "again", "ratio"):
        table.add_column(name, justify="left" if name == "plan" else "right")
    for row in rows:
        times = (f"{row[name]:.3f}" for name in ("import_s", "warm_up_s", "first_s", "again_s"))
        table.add_row(row["plan"], "yes" if row["warmed"] else "no", *times, f"{row['ratio']:.2f}")
    return table
