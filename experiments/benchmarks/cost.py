"""`python -m experiments benchmark cost`: time and memory per million answers, beside published models.

Every model starts from the same table of events and has a fresh process to itself, which first reads the log and goes
through a few students, so that neither reading nor compiling counts.
"""

import gc
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.benchmarks.benchmark_log import read_data_set
from experiments.benchmarks.next_response import to_responses
from experiments.benchmarks.peers import PEERS, Peer, Responses
from experiments.benchmarks.report import Order, peak_mb
from experiments.benchmarks.scores import OURS, clock
from features.console import OUT, track, write_json
from features.profiles.difficulty import fit_statistics
from features.profiles.fold import Rows, fold
from features.profiles.state import State
from features.profiles.timeline import sort_events
from features.profiles.vocabulary import Catalog, build_catalog
from training.config import TrainingConfig, load_config
from training.data.dataset import build_student_split
from training.models.boosting import MASTERY, train_model

MODELS = ("majority", "item_response", "pfa", "best_lr", OURS)

WARM_UP = 40
"""Students of each side that every model goes through before the clock starts."""

MILLION = 1_000_000


@dataclass(frozen=True)
class Cost:
    """What one model takes, in seconds and megabytes.

    Attributes:
        model: `regroup` or a peer's name.
        train_rows: Answers learnt from.
        test_rows: Answers forecast.
        train_build_s: From events to what the model learns from: sorting, and for ours kernel and statistics.
        fit_s: Learning; for ours boosting.
        test_build_s: As the first, for the answers to forecast.
        predict_s: Forecasting.
        extra_mb: Most memory held at once, beyond what the process held with the log in memory.
    """

    model: str
    train_rows: int
    test_rows: int
    train_build_s: float
    fit_s: float
    test_build_s: float
    predict_s: float
    extra_mb: float

    def per_million(self) -> dict[str, float]:
        """Seconds and megabytes per million answers: of training and memory per answer learnt from."""
        return {
            "train_build_s": self.train_build_s / self.train_rows * MILLION,
            "fit_s": self.fit_s / self.train_rows * MILLION,
            "test_build_s": self.test_build_s / self.test_rows * MILLION,
            "predict_s": self.predict_s / self.test_rows * MILLION,
            "extra_mb": self.extra_mb / self.train_rows * MILLION,
        }


@dataclass(frozen=True)
class Task:
    """Answers to learn from and answers to forecast, as tables of events."""

    train: pd.DataFrame
    test: pd.DataFrame
    item_skills: pd.DataFrame

    def shrink(self) -> "Task":
        """The same of a few students."""
        return Task(_first_students(self.train), _first_students(self.test), self.item_skills)


def benchmark_cost(order: Order) -> int:
    """Prints what each model takes, and returns the exit code 0.

    Raises:
        InputError: The data set or the configuration cannot be read.
    """
    load_config(order.config)
    costs = [_measure_apart(each, order) for each in track(MODELS, "models", total=len(MODELS))]
    OUT.print(_show(order.data_set, costs))
    told = [{**asdict(each), "per_million": each.per_million()} for each in costs]
    write_json(order.json_path, {"dataset": order.data_set, "results": told})
    return 0


def measure_cost(model: str, order: Order) -> Cost:
    """What one model takes; counts the process's memory from here on."""
    config, log = load_config(order.config), read_data_set(order.data_set, order.data)
    in_test = log.events["student_id"].isin(log.test_students)
    task = Task(log.events[~in_test], log.events[in_test], log.item_skills)
    peers = {each.name: each for each in PEERS}

    def run(task: Task) -> Cost:
        return _run_ours(task, config) if model == OURS else _run_peer(peers[model], task)

    del log
    run(task.shrink())
    gc.collect()
    _forget_peak()
    before = peak_mb()
    cost = run(task)
    return replace(cost, extra_mb=peak_mb() - before)


def _measure_apart(model: str, order: Order) -> Cost:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measure_cost, model, order).result()


def _run_ours(task: Task, config: TrainingConfig) -> Cost:
    nobody = pd.Index([], dtype="str")
    split, train_build_s = clock(lambda: build_student_split(task.train, task.item_skills, nobody, config))
    model, fit_s = clock(lambda: train_model(MASTERY, split.mastery["train"], None, config.boosting))

    def build() -> Rows:
        statistics = split.statistics.extend(task.item_skills, task.test["item_id"])
        timeline = sort_events(task.test, statistics)
        rows, _ = fold(timeline, statistics, State.empty())
        return rows[(timeline.correct >= 0) & (timeline.item >= 0)]

    rows, test_build_s = clock(build)
    _, predict_s = clock(lambda: model.predict(rows))
    return Cost(OURS, len(split.mastery["train"]), len(rows), train_build_s, fit_s, test_build_s, predict_s, 0.0)


def _run_peer(peer: Peer, task: Task) -> Cost:
    (train, catalog), train_build_s = clock(lambda: _sort(task.train, task.item_skills))
    fitted, fit_s = clock(lambda: peer.fit(train))
    (test, _), test_build_s = clock(lambda: _sort(task.test, task.item_skills, catalog))
    _, predict_s = clock(lambda: fitted(test))
    rows = len(train.correct), len(test.correct)
    return Cost(peer.name, *rows, train_build_s, fit_s, test_build_s, predict_s, 0.0)


def _sort(events: pd.DataFrame, item_skills: pd.DataFrame, known: Catalog | None = None) -> tuple[Responses, Catalog]:
    catalog = build_catalog(item_skills, events["item_id"].dropna().unique(), known)
    timeline = sort_events(events, fit_statistics(catalog, np.empty(0, np.int32), np.empty(0, bool)))
    return to_responses(timeline, catalog, np.flatnonzero((timeline.correct >= 0) & (timeline.item >= 0))), catalog


def _first_students(events: pd.DataFrame) -> pd.DataFrame:
    return events[events["student_id"].isin(events["student_id"].unique()[:WARM_UP])]


def _forget_peak() -> None:
    """Lets the peak of memory start again from what is held now; where a system has no such file, it stays."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _show(data_set: str, costs: list[Cost]) -> Table:
    rows = f"{costs[-1].train_rows:,} answers learnt from, {costs[-1].test_rows:,} forecast"
    table = Table(title=f"cost per million answers, {data_set}: {rows}", box=SIMPLE_HEAD)
    table.add_column("model", no_wrap=True)
    for name in ("train: rows, s", "fit, s", "forecast: rows, s", "predict, s", "extra memory, MB"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in costs:
        *seconds, extra_mb = each.per_million().values()
        table.add_row(each.model, *(f"{value:.1f}" for value in seconds), f"{extra_mb:,.0f}")
    return table
