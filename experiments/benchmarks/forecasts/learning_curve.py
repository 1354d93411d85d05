"""`python -m experiments benchmark learning-curve`: what a school can expect from its first weeks.

Models learn from ever more students of a log and are scored on the same test students. Before a school has any
history, a model of another log can stand in: it reads only what the student did, and nothing of items and skills.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.table import Table
from sklearn.metrics import roc_auc_score

from experiments.benchmarks.forecasts.charts import draw_learning_curve
from experiments.benchmarks.forecasts.datasets import BenchmarkLog, read_data_set
from experiments.benchmarks.forecasts.report import Order
from experiments.benchmarks.forecasts.splits import build_first_day, build_student_split
from features.console import OUT, track, write_json, writing
from training.config import TrainingConfig, load_config
from training.data.dataset import Block
from training.models.boosting import MASTERY, STRUGGLE, Forecast, Model, train_model

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


def benchmark_learning_curve(order: Order) -> int:
    """Prints the curve, writes what was asked for, and returns the exit code 0.

    Args:
        order: The log, a second one to learn from first or none, and where figures and chart go.

    Raises:
        InputError: A data set or the configuration cannot be read, or a file cannot be written.
    """
    config, log = load_config(order.config), read_data_set(order.data_set, order.data)
    points = [] if order.other is None else [measure_first_day(read_data_set(order.other, order.data), log, config)]
    points += measure_curve(log, config)
    OUT.print(_show(log.name, points))
    write_json(order.json_path, {"dataset": log.name, "points": [asdict(point) for point in points]})
    if order.charts is not None:
        with writing(order.charts):
            order.charts.mkdir(parents=True, exist_ok=True)
            _draw(order.charts, log.name, points)
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
        models = {
            forecast: _train(forecast, getattr(split, forecast.name)["train"], config)
            for forecast in (MASTERY, STRUGGLE)
        }
        tests = {forecast: getattr(split, forecast.name)["test"] for forecast in models}
        points.append(_point(THIS, size, len(split.mastery["train"]), models, tests))
    return points


def measure_first_day(other: BenchmarkLog, log: BenchmarkLog, config: TrainingConfig) -> Point:
    """Returns what models of another log say of this log's test students, when nothing of this log is known."""
    ids = pd.Index(other.events["student_id"].unique(), dtype="str").difference(other.test_students, sort=True)
    there = build_first_day(other.events, other.item_skills, ids, config)
    here = build_first_day(log.events, log.item_skills, log.test_students, config)
    models = {forecast: _train(forecast, there[forecast.name], config) for forecast in (MASTERY, STRUGGLE)}
    return _point(
        other.name, len(ids), len(there["mastery"]), models, {forecast: here[forecast.name] for forecast in models}
    )


def _train(forecast: Forecast, block: Block, config: TrainingConfig) -> Model:
    return train_model(forecast, block, None, config.boosting)


def _point(
    source: str, students: int, responses: int, models: dict[Forecast, Model], tests: dict[Forecast, Block]
) -> Point:
    auc = {
        forecast.name: float(roc_auc_score(tests[forecast].target, model.predict(tests[forecast].rows)))
        for forecast, model in models.items()
    }
    logger.info("%d students of %s: %.4f, %.4f", students, source, auc["mastery"], auc["struggle"])
    return Point(source, students, responses, auc["mastery"], auc["struggle"])


def _draw(folder: Path, name: str, points: list[Point]) -> None:
    own = [point for point in points if point.learned_from == THIS]
    foreign = [point for point in points if point.learned_from != THIS]
    curves = {
        "next response": [(point.students, point.mastery_auc) for point in own],
        "struggle": [(point.students, point.struggle_auc) for point in own],
    }
    levels = {
        label: auc
        for point in foreign
        for label, auc in (("next response", point.mastery_auc), ("struggle", point.struggle_auc))
    }
    draw_learning_curve(folder / f"{name}-learning-curve.png", name, curves, levels)


def _show(name: str, points: list[Point]) -> Table:
    table = Table("learned from", "students", "responses", "next response, AUC", "struggle, AUC", title=name)
    for column in table.columns[1:]:
        column.justify = "right"
    for point in points:
        table.add_row(
            point.learned_from,
            f"{point.students:,}",
            f"{point.responses:,}",
            f"{point.mastery_auc:.4f}",
            f"{point.struggle_auc:.4f}",
        )
    return table
