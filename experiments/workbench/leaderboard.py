"""All runs of MLflow's experiment, the best first among those that were scored on the same rows."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.benchmarks.figures import make_table, print_tables
from experiments.workbench.metrics import METRICS, SIGN, write_spread
from features.console import OUT, write_json
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


def leaderboard_command(*, metric: str, most: int, json_path: Path | None) -> int:
    """Prints the best runs of each set of comparable runs; returns the exit code 0."""
    ranked = rank_runs(metric)
    write_json(json_path, json.loads(ranked.to_json(orient="records", date_format="iso")))
    if ranked.empty:
        OUT.print("no experiment was run yet")
        return 0
    shown = ranked.groupby("rows", sort=False).head(most)
    table = make_table("runs with the same number were scored on the same rows", ["run", "id", "data"], [])
    for name in ("rows", "n", *METRICS.values()):
        table.add_column(name, justify="right", no_wrap=True)
    for _, row in shown.iterrows():
        cells = [write_spread(row[name], row[f"{name}_sd"]) for name in METRICS]
        table.add_row(row["run"], row["id"][:8], row["data"].split(" (")[0], str(row["rows"]), str(row["n"]), *cells)
    print_tables(table)
    return 0
