"""`python -m experiments benchmark agreement`: struggle forecasts beside the facts that people see, on the public logs.

Test students' rows are put into cells of attempts so far, share right and last run. In each, the mean forecast stands
beside what happened; undecided outcomes are filled in by a model of the test students' own answers.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import DATA_SETS, BenchmarkLog, read_data_set
from experiments.benchmarks.forecasts.data.splits import build_student_split
from features.console import track, write_json
from training.config import TrainingConfig, load_config
from training.evaluation.agreement import compare_with_facts
from training.models.boosting import STRUGGLE, train_model

logger = logging.getLogger("regroup")

TOLERANCE = 0.02
"""By so much a forecast may lie outside the 99 % interval of what happened."""

SHOWN = 8
"""Cells of each log that the table shows: those with the widest gaps."""


def benchmark_agreement(
    *,
    data_set: str | None = None,
    data: Path | None = None,
    config: Path | None = None,
    json_path: Path | None = None,
) -> int:
    """Prints the widest cells of each log and writes all; returns the exit code 0.

    Args:
        data_set: One log; null = all of them.
        data: The folder that holds the logs.
        config: TOML laid over the training defaults.
        json_path: Where the figures go.

    Raises:
        InputError: A log or the configuration cannot be read, or the file cannot be written.
    """
    settings = load_config(config)
    names = list(DATA_SETS) if data_set is None else [data_set]
    logs = []
    for name in track(names, "logs", total=len(names)):
        logs.append(measure_agreement(read_data_set(name, data), settings))
        print_tables(_show(logs[-1]))
    cells = [{"dataset": log["dataset"], **cell} for log in logs for cell in log["cells"]]
    write_json(json_path, {**_summarize(cells), "cells": cells, "logs": logs})
    return 0


def measure_agreement(log: BenchmarkLog, config: TrainingConfig) -> dict[str, Any]:
    """Returns every cell with enough rows, how many are outside, and the widest gap."""
    split = build_student_split(log.events, log.item_skills, log.test_students, config)
    model = train_model(STRUGGLE, split.struggle["train"], None, config.boosting)
    test = split.struggle["test"]
    found = compare_with_facts(test, model.predict(test.rows), config.gate.min_cell_rows)
    cells = [
        {**asdict(cell), "gap": cell.gap, "outside": cell.is_outside(TOLERANCE), "facts": cell.words} for cell in found
    ]
    return {"dataset": log.name, "rows": len(test), **_summarize(cells), "cells": cells}


def _summarize(cells: Sequence[dict[str, Any]]) -> dict[str, float]:
    outside = sum(cell["outside"] for cell in cells) / max(1, len(cells))
    return {"outside_share": outside, "largest_gap": max((abs(cell["gap"]) for cell in cells), default=0.0)}


def _show(log: dict[str, Any]) -> Table:
    title = (
        f"{log['dataset']}: {len(log['cells'])} cells, {log['outside_share']:.1%} outside, "
        f"widest gap {log['largest_gap']:.3f}"
    )
    table = make_table(title, ["facts"], ["rows", "forecast", "struggled", "99 %", "outside"])
    for cell in sorted(log["cells"], key=lambda cell: -abs(cell["gap"]))[:SHOWN]:
        table.add_row(
            cell["facts"], f"{cell['rows']:,}", f"{cell['forecast']:.3f}", f"{cell['observed']:.3f}",
            f"{cell['low']:.3f}-{cell['high']:.3f}", "yes" if cell["outside"] else "",
        )  # fmt: skip
    return table
