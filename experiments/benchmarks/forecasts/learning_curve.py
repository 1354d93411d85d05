"""`python -m experiments benchmark learning-curve`: what a school can expect from its first weeks.

Models learn from ever more students of a log and are scored on the same test students. Before a school has any
history, a model of another log can stand in: it reads only what the student did, and nothing of items and skills.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import BenchmarkLog, read_data_set
from experiments.benchmarks.forecasts.data.splits import build_first_day, build_student_split
from experiments.benchmarks.forecasts.figures.charts import draw_learning_curve
from features.console import track, write_json, writing
from training.config import TrainingConfig, load_config
from training.data.dataset import Block
from training.evaluation.metrics import area_under_curve
from training.models.boosting import FORECASTS, train_model

logger = logging.getLogger("regroup")

SIZES = (25, 50, 100, 200, 400, 800, 1600)
"""Students learned from, besides all."""

THIS = "this log"

SEED = 20
"""Random seed of the order of students; a larger school holds the smaller ones."""


@dataclass(frozen=True)
class Point:
    """How good the forecasts are that one amount of history gives.

    Attributes:
        learned_from: `this log`, or the name of another one.
        students: How many were learned from.
        responses: How many responses those gave.
        mastery_auc: AUC of the next response, on the log's test students.
        struggle_auc: AUC of struggling, on all their open episodes with a known outcome.
    """

    learned_from: str
    students: int
    responses: int
    mastery_auc: float
    struggle_auc: float


def benchmark_learning_curve(
    data_set: str,
    *,
    other: str | None = None,
    data: Path | None = None,
    config: Path | None = None,
    json_path: Path | None = None,
    charts: Path | None = None,
) -> int:
    """Prints the curve, writes what was asked for, and returns the exit code 0; options as in `report.run_benchmark`.

    Args:
        data_set: The log.
        other: A log to learn from before there is any history; null = none.
        data: The folder that holds the logs.
        config: TOML laid over the training defaults.
        json_path: Where the figures go.
        charts: The folder for the chart.

    Raises:
        InputError: A data set or the configuration cannot be read, or a file cannot be written.
    """
    settings, log = load_config(config), read_data_set(data_set, data)
    points = [] if other is None else [measure_first_day(read_data_set(other, data), log, settings)]
    points += measure_curve(log, settings)
    names = ["students", "responses", "next response, AUC", "struggle, AUC"]
    table = make_table(log.name, ["learned from"], names)
    for point in points:
        counts = (f"{point.students:,}", f"{point.responses:,}")
        table.add_row(point.learned_from, *counts, f"{point.mastery_auc:.4f}", f"{point.struggle_auc:.4f}")
    print_tables(table)
    write_json(json_path, {"dataset": log.name, "points": [asdict(point) for point in points]})
    if charts is not None:
        with writing(charts):
            _draw(charts, log.name, points)
    return 0


def measure_curve(log: BenchmarkLog, config: TrainingConfig, sizes: tuple[int, ...] = SIZES) -> list[Point]:
    """Returns a point for each number of training students, and one for all of them."""
    everyone = pd.Index(log.events["student_id"].unique(), dtype="str").difference(log.test_students, sort=True)
    order = np.random.default_rng(SEED).permutation(len(everyone))
    points = []
    wanted = [*(size for size in sizes if size < len(everyone)), len(everyone)]
    for size in track(wanted, "school sizes", total=len(wanted)):
        kept = everyone[order[:size]].append(log.test_students)
        events = log.events[log.events["student_id"].isin(kept)].reset_index(drop=True)
        split = build_student_split(events, log.item_skills, log.test_students, config)
        blocks = {"mastery": split.mastery, "struggle": split.struggle}
        train, test = ({name: parts[half] for name, parts in blocks.items()} for half in ("train", "test"))
        points.append(_measure_point(THIS, size, train, test, config))
    return points


def measure_first_day(other: BenchmarkLog, log: BenchmarkLog, config: TrainingConfig) -> Point:
    """Returns what models of another log say of this log's test students, when nothing of this log is known."""
    students = pd.Index(other.events["student_id"].unique(), dtype="str").difference(other.test_students, sort=True)
    train = build_first_day(other.events, other.item_skills, students, config)
    test = build_first_day(log.events, log.item_skills, log.test_students, config)
    return _measure_point(other.name, len(students), train, test, config)


def _measure_point(
    source: str, students: int, train: dict[str, Block], test: dict[str, Block], config: TrainingConfig
) -> Point:
    auc = {}
    for forecast in FORECASTS:
        model = train_model(forecast, train[forecast.name], None, config.boosting)
        block = test[forecast.name]
        auc[forecast.name] = area_under_curve(block.target.astype(np.float64), model.predict(block.rows))
    logger.info("%d students of %s: %.4f, %.4f", students, source, auc["mastery"], auc["struggle"])
    return Point(source, students, len(train["mastery"]), auc["mastery"], auc["struggle"])


def _draw(folder: Path, name: str, points: list[Point]) -> None:
    own = [point for point in points if point.learned_from == THIS]
    curves = {
        "next response": [(point.students, point.mastery_auc) for point in own],
        "struggle": [(point.students, point.struggle_auc) for point in own],
    }
    first_day = {
        "next response": [point.mastery_auc for point in points if point.learned_from != THIS],
        "struggle": [point.struggle_auc for point in points if point.learned_from != THIS],
    }
    levels = {label: areas[0] for label, areas in first_day.items() if areas}
    draw_learning_curve(folder / f"{name}-learning-curve.png", name, curves, levels)
