"""The steps of a night, each timed, in a process of its own so that its peak of memory is its own too."""

import logging
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

from joblib.externals.loky import get_reusable_executor

from experiments.benchmarks.memory import MemoryWatch, forget_peak, peak_mb
from features.events.ingest import ingest_file
from features.events.log.store import data_version
from features.home import Home
from features.memory import collect_garbage
from features.profiles.fold import compile_profiles
from features.publications import publish_profiles
from training.config import TrainingConfig
from training.data.dataset import build_dataset
from training.data.labels import compile_labels
from training.evaluation.comparison import score_model
from training.evaluation.refit import Log, refit
from training.models.boosting import FORECASTS, train_model
from training.nightly.backend import current_each
from training.nightly.checks.champion import measure_published
from training.nightly.checks.school_days import Roster
from training.nightly.facts import find_night, hash_code

logger = logging.getLogger("regroup")

RUN = "benchmark"

TRAINING = ("dataset", "train", "evaluate", "refit")
"""Steps on at most `max_rows` events, whatever the size of the log; `train` is the boosting alone, and `refit` what a
night takes besides that promotes its challenger."""

A_DAY, ALL = ("ingest a day", "find night", "profile a day", "check a day"), ("ingest", "profile")
"""Steps of a night but training, and what a night costs that has everything before it."""


@dataclass
class Costs:
    """What the steps of one night cost.

    Attributes:
        seconds: By the clock, by step.
        cpu_seconds: Of processors, those of other processes that worked for the step among them.
        peak_mb: The most memory that was held, by step: of this process alone or, where that is more, of it and those
            that worked for it at the same moment.
        figures: What else was counted.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times what happens in the context, and adds it to the step; it begins as a step of the night does."""
        logger.info("... %s", name)
        collect_garbage()
        forget_peak()
        clock, cpu = time.perf_counter(), _cpu_seconds()
        with MemoryWatch() as together:
            yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - clock
        self.peak_mb[name] = max(self.peak_mb.get(name, 0.0), peak_mb(), together.most_mb)
        if active_children():  # joblib's, whose seconds count once they have ended
            get_reusable_executor().shutdown(wait=True)
        self.cpu_seconds[name] = self.cpu_seconds.get(name, 0.0) + _cpu_seconds() - cpu - together.cpu_seconds


def run_alone(work: Callable[..., Costs], *arguments: Any) -> Costs:  # noqa: ANN401 - as the function has them
    """Calls a function in a new process, whose memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        return executor.submit(_log_and_call, work, *arguments).result()


def _log_and_call(work: Callable[..., Costs], *arguments: Any) -> Costs:  # noqa: ANN401 - as above
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    return work(*arguments)


def run_night(
    root: Path, day: Path | None, mapping: Path | None, morning: datetime, midnight: datetime, config: TrainingConfig
) -> Costs:
    """A night after a whole history, and then one after a day more, with a training in it.

    Args:
        root: The home, with the event log before the day.
        day: The log of the day; null where it is in the event log already.
        mapping: How that is read.
        morning: When the day begins, UTC.
        midnight: When it ends.
        config: Every choice of the training.
    """
    compile_profiles()  # reads numba's cache, as the service and the night do once
    compile_labels()
    home, costs = Home(root), Costs()
    night = find_night(home, config, morning)
    with costs.step("dataset"):
        log = Log(night.read_events(), night.read_item_skills(), config)
        dataset = build_dataset(log.events, log.item_skills, config)
    models = {}
    with costs.step("train"):
        for forecast in FORECASTS:
            blocks = getattr(dataset, forecast.name)
            models[forecast.name] = train_model(forecast, blocks["train"], blocks["calibration"], config.boosting)
    with costs.step("evaluate"):
        for name, model in models.items():
            score_model(name, model, dataset, config)
    with costs.step("refit"):
        dataset = dataset.keep_holdout()
        done, _ = refit(models, dataset, log, lambda model, _: (model, 0))
    costs.figures["refitted"] = float(done)
    statistics = dataset.statistics
    costs.figures["train_events"] = len(dataset.timeline.row)
    del dataset, models, log
    with costs.step("profile"):
        first = publish_profiles(home, RUN, statistics, morning, night.data, hash_code(), current_each())
    costs.figures["published_mb"] = _size(first) / 1e6
    if day is not None:
        with costs.step("ingest a day"):
            counts = ingest_file(home, day, mapping=mapping)
        costs.figures["day_events"] = counts.events_stored
    with costs.step("find night"):
        data = find_night(home, config, midnight).data
    with costs.step("profile a day"):
        second = publish_profiles(home, RUN, statistics, midnight, data, hash_code(), current_each())
    with costs.step("check a day"):
        measure_published(second, Roster(home.database_url()))
    costs.figures["night_mb"] = _size(second, own=True) / 1e6
    costs.figures["log_mb"] = _size(home.events) / 1e6
    assert data_version(home) == data, "nobody else writes to the log"
    return costs


def _size(folder: Path, *, own: bool = False) -> int:
    """Bytes of all files in a folder, or of those with no second name elsewhere."""
    found = (path.stat() for path in folder.rglob("*") if path.is_file())
    return sum(each.st_size for each in found if not own or each.st_nlink == 1)


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
