"""`python -m experiments benchmark many-runs`: how long a ranking and a comparison take where many runs are kept."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from experiments.benchmarks.figures import make_table, print_tables
from experiments.workbench.metrics import METRICS
from experiments.workbench.runs.experiment import make_experiment
from experiments.workbench.runs.run import log_run
from experiments.workbench.runs.store import Run, Shelf
from features.console import track, write_json
from features.home import Home
from training.records.tracking import Tracking

MOST_SECONDS = 5.0

STUDENTS, ROWS_EACH, FOLDS = 500, 40, 5

COMMANDS = {"leaderboard": ["leaderboard"], "compare": ["compare", "run 0", "run 1", "--no-tracking"]}


def benchmark_many_runs(runs: int, *, json_path: Path | None = None) -> int:
    """Keeps and logs runs of a drawn log in a home and MLflow store of its own, and times both commands.

    Args:
        runs: How many.
        json_path: File for the seconds.

    Returns:
        The exit code: 1 where a command took longer than five seconds.
    """
    with TemporaryDirectory() as place:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
            "REGROUP_HOME": f"{place}/home",
            "MLFLOW_TRACKING_URI": f"sqlite:///{place}/mlruns/mlflow.db",
            "PYTHONPYCACHEPREFIX": f"{place}/compiled",
        }
        shelf, tracking = Shelf(Home(Path(place) / "home")), Tracking(environment["MLFLOW_TRACKING_URI"])
        for number in track(range(runs), "runs", total=runs):
            run, predictions = _draw_run(number)
            shelf.keep_run(run, predictions)
            log_run(run, tracking)
        figures = {name: _time(arguments, environment) for name, arguments in COMMANDS.items()}
    table = make_table(f"{runs:,} runs of {STUDENTS * ROWS_EACH:,} rows", ["command"], ["seconds", "of processor"])
    for name, (seconds, processor) in figures.items():
        table.add_row(name, f"{seconds:.1f}", f"{processor:.1f}")
    print_tables(table)
    named = {name: {"seconds": each[0], "processor_seconds": each[1]} for name, each in figures.items()}
    write_json(json_path, {"runs": runs, **named})
    return int(max(seconds for seconds, _ in figures.values()) > MOST_SECONDS)


def _time(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds of the clock and of the processor that a command takes, its start included.

    It is started once before, since Python compiles what is imported for the first time after an installation.
    """
    command = [sys.executable, "-m", "experiments", *arguments]
    for _ in range(2):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _draw_run(number: int) -> tuple[Run, pd.DataFrame]:
    """A run whose forecasts err by as much as that of every other, in a way of its own."""
    same, own = np.random.default_rng(0), np.random.default_rng(number + 1)
    rows = STUDENTS * ROWS_EACH
    chance = same.uniform(0.05, 0.95, rows)
    student = np.repeat(np.arange(STUDENTS), ROWS_EACH)
    predictions = pd.DataFrame(
        {
            "fold": [f"whole log, fold {fold}" for fold in student % FOLDS],
            "row": np.arange(rows),
            "student": student,
            "episode": np.arange(rows) // 10,
            "opportunity": np.arange(rows) % 10,
            "target": (same.random(rows) < chance).astype(np.float32),
            "seed 1": np.clip(chance + 0.1 * own.normal(size=rows), 0.01, 0.99).astype(np.float32),
        }
    )
    experiment = make_experiment(name=f"run {number}", seeds=[1], data={"log": "assistments-2012"})
    folds = [
        {"fold": f"whole log, fold {fold}", "seed": 1, "rows": rows // FOLDS, "train_rows": rows, "students": STUDENTS}
        | dict.fromkeys(METRICS, 0.5 + 0.01 * own.normal())
        for fold in range(FOLDS)
    ]
    facts = dict.fromkeys(("data", "as-of dates", "split", "label rule", "code", "scored rows", "targets"), "drawn")
    facts = {"forecast": "struggle", **facts}
    run = Run(
        f"{number:024x}", experiment.name, "2026-01-01 00:00:00", "", experiment.choices(), facts, folds, [], 0, 0
    )
    return run, predictions
