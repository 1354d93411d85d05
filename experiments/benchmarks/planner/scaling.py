"""`python -m experiments benchmark scaling`: time and memory of the planner as the day grows, one way at a time."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.benchmarks.charts import OUR_COLOUR
from experiments.benchmarks.planner.days import Size
from experiments.benchmarks.report import print_wide
from features.console import track, write_json
from features.errors import InputError

MIDDLE = Size(120, 14, 5, 40)
"""From which one number at a time is changed."""

STEPS = {
    "students": (24, 60, 120, 240, 480),
    "adults": (5, 7, 14, 20),
    "blocks": (1, 2, 5, 8),
    "skills": (8, 20, 40, 80),
}

ROUNDS = 200
"""Of the search in the second plan that is timed."""

SEED = 101

MOST_MB = 500.0
"""Memory that a fresh process may reach."""

PROBE = (
    "import json, sys; from experiments.benchmarks.planner.scaling_probe import probe; "
    "print(json.dumps(probe(*map(int, sys.argv[1:]))))"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """One size in a process of its own.

    Attributes:
        varied: Which of the numbers was changed from `MIDDLE`.
        first_s: CPU time of the first plan, reasons and checks included. `rounds_s`: of a plan with `ROUNDS` rounds.
        memory_mb: The most memory that the process held, interpreter and libraries included.
    """

    varied: str
    students: int
    adults: int
    blocks: int
    skills: int
    first_s: float
    rounds_s: float
    memory_mb: float


def benchmark_scaling(json_path: Path | None = None, charts: Path | None = None) -> int:
    """Prints the figures; the exit code is 1 if a process needed more than `MOST_MB`.

    Args:
        json_path: Where figures go too.
        charts: A folder for the picture.
    """
    steps = [(varied, step) for varied, values in STEPS.items() for step in values]
    costs = [
        measure_size(replace(MIDDLE, **{varied: value}), varied)
        for varied, value in track(steps, "sizes", total=len(steps))
    ]
    table = Table(title=f"a day of {MIDDLE.students} students, one number changed at a time", box=SIMPLE_HEAD)
    for name in ("varied", "students", "adults", "blocks", "skills", "first plan, ms", f"{ROUNDS} rounds, s", "MB"):
        table.add_column(name, justify="left" if name == "varied" else "right")
    for cost in costs:
        size = (str(getattr(cost, name)) for name in STEPS)
        table.add_row(cost.varied, *size, f"{1000 * cost.first_s:.1f}", f"{cost.rounds_s:.2f}", f"{cost.memory_mb:.0f}")
    print_wide(table)
    if charts is not None:
        draw_scaling(charts / "scaling.png", costs)
    most = max(cost.memory_mb for cost in costs)
    write_json(json_path, {"rounds": ROUNDS, "memory_mb": most, "costs": [asdict(cost) for cost in costs]})
    return 0 if most < MOST_MB else 1


def measure_size(size: Size, varied: str = "") -> Cost:
    """Measures one size in a fresh process.

    Raises:
        InputError: No plan of such a day keeps every rule, or the process failed otherwise.
    """
    numbers = (size.students, size.adults, size.blocks, size.skills)
    given = [sys.executable, "-c", PROBE, *map(str, (*numbers, SEED, ROUNDS))]
    told = subprocess.run(given, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter and code
    if told.returncode:
        reason = (told.stderr.splitlines() or ["it told nothing"])[-1]
        raise InputError(f"a day of {size} cannot be measured: {reason}")
    first_s, rounds_s, memory_mb = json.loads(told.stdout)
    return Cost(varied, *numbers, first_s, rounds_s, memory_mb)


def draw_scaling(path: Path, costs: list[Cost]) -> None:
    """Draws time and memory against each number.

    Args:
        path: A PNG file, replaced if there.
        costs: As measured.
    """
    figure = Figure(figsize=(12, 6), layout="constrained")
    axes = figure.subplots(2, len(STEPS), sharey="row")
    for column, varied in enumerate(STEPS):
        mine = [cost for cost in costs if cost.varied == varied]
        places = [getattr(cost, varied) for cost in mine]
        for row, (name, values) in enumerate(
            (
                ("CPU seconds", [cost.first_s for cost in mine]),
                ("MB at most", [cost.memory_mb for cost in mine]),
            )
        ):
            axes[row, column].plot(places, values, marker="o", color=OUR_COLOUR, label="first plan")
            if row == 0:
                rounds = [cost.rounds_s for cost in mine]
                axes[0, column].plot(places, rounds, marker="s", color="0.5", label=f"{ROUNDS} rounds")
                axes[0, column].set_yscale("log")
            axes[row, column].spines[["top", "right"]].set_visible(False)
            axes[row, 0].set_ylabel(name)
        axes[1, column].set_xlabel(varied)
        axes[1, column].set_ylim(0, MOST_MB)
    axes[0, 0].legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
