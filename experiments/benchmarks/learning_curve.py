"""`python -m experiments benchmark learning-curve`: what a school can expect from its first weeks.

Models learn from ever more students of a log and are judged on the same test students. Before a school has any
history, a model of another log can stand in: it reads only what the student did, and nothing of items and skills.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.table import Table
from sklearn.metrics import roc_auc_score

from experiments.benchmarks.benchmark_log import BenchmarkLog, read_data_set
from experiments.benchmarks.charts import draw_learning_curve
from experiments.benchmarks.report import Order
from features.console import OUT, track, write_json, writing
from training.config import TrainingConfig, load_config
from training.data.dataset import Block, build_first_day, build_student_split
from training.models.boosting import MASTERY, STRUGGLE, Forecast, Model, train_model

logger = logging.getLogger("regroup")

SIZES = (25, 50, 100, 200, 400, 800, 1600)
"""Students learnt from, besides all."""

THIS = "this log"

SEED = 20
"""Of which students come first; a larger school holds the smaller ones."""


@dataclass(frozen=True)
class Point:
    """How good the forecasts are that one amount of history gives.

    Attributes:
        learnt_from: `this log`, or the name of another one.
        students: Learnt from.
        responses: Of theirs.
        mastery_auc: Of the next response, on the log's test students.
        struggle_auc: Of struggling, on all their open episodes with a known outcome.
    """

    learnt_from: str
    students: int
    responses: int
    mastery_auc: float
    struggle_auc: float


def benchmark_learning_curve(order: Order, other: str | None = None) -> int:
    """Prints the curve, writes what was asked for, and returns the exit code 0.

    Args:
        order: The log, and where figures and chart go.
        other: A second log to learn from before there is any history; null = none.

    Raises:
        InputError: A data set or the configuration cannot be read, or a file cannot be written.
    """
    config, log = load_config(order.config), read_data_set(order.data_set, order.data)
    points = [] if other is None else [measure_first_day(read_data_set(other, order.data), log, config)]
    points += measure_curve(log, config)
    OUT.print(_show(log.name, points))
    write_json(order.json_path, {"dataset": log.name, "points": [asdict(each) for each in points]})
    if order.charts is not None:
        with writing(order.charts):
            order.charts.mkdir(parents=True, exist_ok=True)
            _draw(order.charts, log.name, points)
    return 0


def measure_curve(log: BenchmarkLog, config: TrainingConfig, sizes: tuple[int, ...] = SIZES) -> list[Point]:
    """A point for each number of training students, and one for all of them."""
    everyone = pd.Index(log.events["student_id"].unique(), dtype="str").difference(log.test_students, sort=True)
    order = np.random.default_rng(SEED).permutation(len(everyone))
    points = []
    wanted = [*(size for size in sizes if size < len(everyone)), len(everyone)]
    for size in track(wanted, "school sizes", total=len(wanted)):
        kept = everyone[order[:size]].append(log.test_students)
        events = log.events[log.events["student_id"].isin(kept)].reset_index(drop=True)
        split = build_student_split(events, log.item_skills, log.test_students, config)
        models = {each: _train(each, getattr(split, each.name)["train"], config) for each in (MASTERY, STRUGGLE)}
        tests = {each: getattr(split, each.name)["test"] for each in models}
        points.append(_point(THIS, size, len(split.mastery["train"]), models, tests))
    return points


def measure_first_day(other: BenchmarkLog, log: BenchmarkLog, config: TrainingConfig) -> Point:
    """What models of another log say of this log's test students, when nothing of this log is known."""
    ids = pd.Index(other.events["student_id"].unique(), dtype="str").difference(other.test_students, sort=True)
    there = build_first_day(other.events, other.item_skills, ids, config)
    here = build_first_day(log.events, log.item_skills, log.test_students, config)
    models = {each: _train(each, there[each.name], config) for each in (MASTERY, STRUGGLE)}
    return _point(other.name, len(ids), len(there["mastery"]), models, {each: here[each.name] for each in models})


def _train(forecast: Forecast, block: Block, config: TrainingConfig) -> Model:
    return train_model(forecast, block, None, config.boosting)


def _point(
    source: str, students: int, responses: int, models: dict[Forecast, Model], tests: dict[Forecast, Block]
) -> Point:
    auc = {
        each.name: float(roc_auc_score(tests[each].target, model.predict(tests[each].rows)))
        for each, model in models.items()
    }
    logger.info("%d students of %s: %.4f, %.4f", students, source, auc["mastery"], auc["struggle"])
    return Point(source, students, responses, auc["mastery"], auc["struggle"])


def _draw(folder: Path, name: str, points: list[Point]) -> None:
    own = [each for each in points if each.learnt_from == THIS]
    foreign = [each for each in points if each.learnt_from != THIS]
    curves = {
        "next response": [(each.students, each.mastery_auc) for each in own],
        "struggle": [(each.students, each.struggle_auc) for each in own],
    }
    levels = {
        label: auc
        for each in foreign
        for label, auc in (("next response", each.mastery_auc), ("struggle", each.struggle_auc))
    }
    draw_learning_curve(folder / f"{name}-learning-curve.png", name, curves, levels)


def _show(name: str, points: list[Point]) -> Table:
    table = Table("learnt from", "students", "responses", "next response, AUC", "struggle, AUC", title=name)
    for column in table.columns[1:]:
        column.justify = "right"
    for each in points:
        table.add_row(
            each.learnt_from,
            f"{each.students:,}",
            f"{each.responses:,}",
            f"{each.mastery_auc:.4f}",
            f"{each.struggle_auc:.4f}",
        )
    return table
