"""The outputs of a forecast benchmark: a table on the terminal, figures, charts, and runs in MLflow."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import BenchmarkLog, read_data_set
from experiments.benchmarks.forecasts.figures.charts import Target, draw_reliability, draw_roc
from experiments.benchmarks.forecasts.figures.scores import Forecast, Score
from features.console import write_json, writing
from training.config import TrainingConfig, load_config
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")


@dataclass(frozen=True)
class Report:
    """What a forecast benchmark found.

    Attributes:
        benchmark: Its name.
        files: Start of the names of its files.
        figures: Content of the JSON file.
        tables: Tables for the terminal.
        target: 1 or 0 of each scored row, or the chance of 1.
        forecasts: Forecasts of the scored rows.
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


def run_benchmark(
    measure: Callable[[BenchmarkLog, TrainingConfig], Report],
    data_set: str,
    *,
    data: Path | None = None,
    config: Path | None = None,
    json_path: Path | None = None,
    charts: Path | None = None,
    tracking: bool = True,
) -> int:
    """Reads a data set, measures, and writes what was asked for; returns the exit code, 1 if a check failed.

    Args:
        measure: Makes the report.
        data_set: One of `datasets.DATA_SETS`.
        data: The folder that holds the data sets; null = the default one.
        config: TOML laid over the training defaults.
        json_path: Where the figures go; null = nowhere.
        charts: The folder for the charts; null = none.
        tracking: Whether MLflow gets the runs.

    Raises:
        InputError: The data set, the configuration or a place to write to is not as it should be.
    """
    settings, log = load_config(config), read_data_set(data_set, data)
    tracker = Tracking() if tracking else None
    report = measure(log, settings)
    print_tables(*report.tables)
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        folder = Path(place)
        write_json(folder / f"{report.files}.json", report.figures)
        draw_charts(report, folder)
        write_json(json_path, report.figures)
        if charts is not None:
            with writing(charts):
                charts.mkdir(parents=True, exist_ok=True)
                for chart in folder.glob("*.png"):
                    shutil.copyfile(chart, charts / chart.name)
        if tracker is not None:
            tags = {"benchmark": report.benchmark, "dataset": log.name, "config": settings.digest}
            run_id = tracker.log_benchmark(f"{report.benchmark} {log.name}", tags, report.metrics, folder)
            logger.info("logged as MLflow run %s", run_id)
    return 0 if report.sound else 1


def draw_charts(report: Report, folder: Path) -> None:
    """Writes the reliability diagram and the ROC curves."""
    forecasts = {forecast.model: forecast.probability for forecast in report.forecasts}
    title = f"{report.benchmark.replace('-', ' ')}, {report.figures['dataset']}"
    for name, draw in (("reliability", draw_reliability), ("roc", draw_roc)):
        draw(folder / f"{report.files}-{name}.png", title, report.target, forecasts, report.best)


def score_table(title: str, scores: Sequence[Score], *, precision: bool = False) -> Table:
    """Returns a table with one row per model, the best last."""
    names = ["AUC", "95 %", *(["avg. precision"] if precision else []), "log-loss", "RMSE", "ECE", "fit s", "predict s"]
    table = make_table(title, ["model"], names)
    for score in sorted(scores, key=lambda score: score.auc or 0.0):
        cells = [_cell(score.auc), "-" if score.auc is None else f"{score.auc_low:.4f}-{score.auc_high:.4f}"]
        cells += [_cell(score.average_precision)] if precision else []
        cells += [_cell(value) for value in (score.log_loss, score.rmse, score.ece)]
        table.add_row(score.model, *cells, f"{score.fit_s:.1f}", f"{score.predict_s:.2f}")
    return table


def add_caption(table: Table, lines: Sequence[str]) -> Table:
    """Returns the table with sentences below it."""
    table.caption, table.caption_justify = "\n".join(lines), "left"
    return table


def describe_pair(paired: Mapping[str, Any] | None) -> str:
    """Returns the comparison with the best peer as a sentence, against its goal."""
    if paired is None:
        return "one outcome only: no AUC"
    met = "met" if paired["low"] > 0 else "not met"
    return (
        f"AUC regroup minus {paired['against']} {paired['difference']:+.4f} "
        f"({paired['low']:+.4f} to {paired['high']:+.4f}); goal: above 0 with the whole interval, {met}"
    )


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
