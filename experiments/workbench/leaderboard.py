"""All runs of MLflow's experiment, the best first among those that were scored on the same rows."""

from typing import Any

import pandas as pd

from experiments.workbench.comparison.statistics import SIGN
from experiments.workbench.runs.run import METRICS
from training.records.tracking import EXPERIMENTS, Tracking

SAME = ("forecast", "data", "as-of_dates", "split", "label_rule", "code", "scored_rows", "targets")
"""Tags in which runs are equal that may be compared; see `Run.facts`."""


def rank_runs(metric: str = "log_loss") -> pd.DataFrame:
    """Returns one row per run of whatever home, the newest comparable runs first and in these the best first.

    Columns: `rows` (a number for all runs that may be compared with each other), `run`, `at` (UTC), `id` (MLflow's),
    `model`, `data`, `n` (folds and seeds), and each metric with its standard deviation over these; a metric that a run
    was not logged with is null.

    Args:
        metric: What is ranked by.

    Raises:
        UnavailableError: MLflow's store does not answer.
    """
    runs = Tracking().list_runs(EXPERIMENTS, "tags.kind = 'run'")
    numbers: dict[tuple[str, ...], int] = {}
    rows: list[dict[str, Any]] = []
    for run in runs:
        tags, found = run.data.tags, run.data.metrics
        same = tuple(tags.get(name, "") for name in SAME)
        about = {
            "rows": numbers.setdefault(same, len(numbers) + 1),
            "run": tags.get("name", ""),
            "at": pd.Timestamp(run.info.start_time, unit="ms", tz="UTC"),
            "id": run.info.run_id,
            "model": run.data.params.get("model", ""),
            "data": tags.get("data", ""),
            "n": int(found.get("n", 0)),
        }
        rows.append(about | {key: found.get(key) for name in METRICS for key in (name, f"{name}_sd")})
    names = [
        "rows",
        "run",
        "at",
        "id",
        "model",
        "data",
        "n",
        *(key for name in METRICS for key in (name, f"{name}_sd")),
    ]
    table = pd.DataFrame(rows, columns=names)
    ascending = SIGN.get(metric, 1) < 0 or metric in {"brier", "ece"}
    return table.sort_values(["rows", metric], ascending=[True, ascending], ignore_index=True)
