"""What a forecast benchmark leaves: a table on the terminal, figures, charts, and runs in MLflow."""

import logging
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.benchmark_log import BenchmarkLog, read_data_set
from experiments.benchmarks.charts import Target, draw_reliability, draw_roc
from experiments.benchmarks.scores import Forecast, Score
from features.console import OUT, write_json, writing
from training.config import TrainingConfig, load_config
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")

NARROWEST = 112
"""Columns that a table needs; a narrower terminal breaks its lines rather than its figures."""


@dataclass(frozen=True)
class Order:
    """What a person asks of a forecast benchmark.

    Attributes:
        data_set: One of `datasets.DATA_SETS`.
        data: The folder that holds the data sets; null = the default one.
        json_path: Where the figures go; null = nowhere.
        charts: The folder for the charts; null = none.
        config: TOML laid over the training defaults.
        tracking: Whether MLflow gets the runs.
    """

    data_set: str
    data: Path | None = None
    json_path: Path | None = None
    charts: Path | None = None
    config: Path | None = None
    tracking: bool = True


@dataclass(frozen=True)
class Report:
    """What a forecast benchmark found.

    Attributes:
        benchmark: Its name.
        files: What the names of its charts begin with.
        figures: As the JSON file has them.
        tables: For the terminal.
        target: 1 or 0 of each scored row.
        forecasts: Of the scored rows.
        best: The best peer.
        metrics: Numbers by model, for MLflow.
        sound: Whether the benchmark's own checks passed.
    """

    benchmark: str
    files: str
    figures: Mapping[str, Any]
    tables: Sequence[Table]
    target: Target
    forecasts: Sequence[Forecast]
    best: str
    metrics: Mapping[str, Mapping[str, float]]
    sound: bool = True


def run_benchmark(order: Order, measure: Callable[[BenchmarkLog, TrainingConfig], Report]) -> int:
    """Reads the data set, measures, and leaves what was asked for; the exit code, 1 if a check failed.

    Raises:
        InputError: The data set, the configuration or a place to write to is not as it should be.
    """
    config = load_config(order.config)
    log = read_data_set(order.data_set, order.data)
    tracking = Tracking() if order.tracking else None
    report = measure(log, config)
    for table in report.tables:
        print_wide(table)
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        folder = Path(place)
        write_json(folder / f"{report.files}.json", report.figures)
        draw_charts(report, folder)
        _copy(folder, order)
        if tracking is not None:
            tags = {"benchmark": report.benchmark, "dataset": log.name, "config": config.digest}
            run_id = tracking.log_benchmark(f"{report.benchmark} {log.name}", tags, report.metrics, folder)
            logger.info("logged as MLflow run %s", run_id)
    return 0 if report.sound else 1


def print_wide(table: Table) -> None:
    """Prints a table whose figures stay whole on a narrow terminal."""
    Console(soft_wrap=True, width=max(OUT.width, NARROWEST)).print(table)


def draw_charts(report: Report, folder: Path) -> None:
    """Writes the reliability diagram and the ROC curves."""
    forecasts = {each.model: each.probability for each in report.forecasts}
    title = f"{report.benchmark.replace('-', ' ')}, {report.figures['dataset']}"
    for name, draw in (("reliability", draw_reliability), ("roc", draw_roc)):
        draw(folder / f"{report.files}-{name}.png", title, report.target, forecasts, report.best)


def score_table(title: str, scores: Sequence[Score], *, precision: bool = False) -> Table:
    """A table with one row per model, the best last."""
    table = Table(title=title, box=SIMPLE_HEAD)
    table.add_column("model", no_wrap=True)
    names = ["AUC", "95 %", *(["avg. precision"] if precision else []), "log-loss", "RMSE", "ECE", "fit s", "predict s"]
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for each in sorted(scores, key=lambda each: each.auc or 0.0):
        cells = [_cell(each.auc), "-" if each.auc is None else f"{each.auc_low:.4f}-{each.auc_high:.4f}"]
        cells += [_cell(each.average_precision)] if precision else []
        cells += [_cell(value) for value in (each.log_loss, each.rmse, each.ece)]
        table.add_row(each.model, *cells, f"{each.fit_s:.1f}", f"{each.predict_s:.2f}")
    return table


def tell_pair(paired: Mapping[str, Any] | None) -> str:
    """The comparison with the best peer as a sentence, against its goal."""
    if paired is None:
        return "one outcome only: no AUC"
    met = "met" if paired["low"] > 0 else "not met"
    return (
        f"AUC regroup minus {paired['against']} {paired['difference']:+.4f} "
        f"({paired['low']:+.4f} to {paired['high']:+.4f}); goal: above 0 with the whole interval, {met}"
    )


def peak_mb() -> float:
    """The most memory that this process has held so far, in megabytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def _copy(folder: Path, order: Order) -> None:
    if order.json_path is not None:
        with writing(order.json_path):
            order.json_path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(next(folder.glob("*.json")), order.json_path)
    if order.charts is not None:
        with writing(order.charts):
            order.charts.mkdir(parents=True, exist_ok=True)
            for chart in folder.glob("*.png"):
                shutil.copyfile(chart, order.charts / chart.name)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
