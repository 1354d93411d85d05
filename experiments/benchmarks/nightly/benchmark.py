"""`python -m experiments benchmark nightly`: what a night costs in time, memory and disk, by the size of the log."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import BenchmarkLog, read_data_set
from experiments.benchmarks.kernel.timing import measure_history
from experiments.benchmarks.long_work import keep_once
from experiments.benchmarks.nightly.district import (
    WEEKS,
    School,
    build_district,
    next_midnight,
    simulate,
    store_events,
)
from experiments.benchmarks.nightly.steps import A_DAY, ALL, TRAINING, Costs, run_alone, run_night
from features.console import write_json
from features.errors import InputError
from features.events.log.store import add_item_skills
from features.home import Home
from features.profiles.timeline import count_responses, fit_responses, sort_events
from training.config import TrainingConfig, load_config
from training.data.dataset import read_log

logger = logging.getLogger("regroup")

SIZES = (1_000_000, 10_000_000)
LARGE = (100_000_000,)

ROUNDS = 100
"""Most rounds of boosting where no file names them, so that two cores are done in 40 minutes. With more of them
`night_to_boosting` is smaller, since boosting alone takes longer."""

YEAR_LOG = "assistments-2012"
"""The public log of about two million answers, on which a whole night is set beside its boosting."""

MOST_PER_EVENT = 1.2
MOST_OF_A_DAY = 0.03
MOST_MB = 4096.0
LEAST_TO_PANDAS = 10.0
MOST_TO_BOOSTING = 2.0
"""Goals of the figures of these names."""


def benchmark_nightly(
    *,
    events: Sequence[int] | None = None,
    large: bool = False,
    weeks: int = WEEKS,
    data: Path | None = None,
    config: Path | None = None,
    keep: Path | None = None,
    json_path: Path | None = None,
) -> int:
    """Prints the figures and returns the exit code: 1 if memory grows above the goal.

    Args:
        events: Sizes of the districts; null = `SIZES`.
        large: Measure `LARGE` as well.
        weeks: School weeks of the districts' logs.
        data: The folder of the public logs; without the log of 2012 its figure is null.
        config: TOML whose values replace the training defaults; null = the defaults with at most `ROUNDS`.
        keep: Where what was measured is kept, or read from; null = nowhere.
        json_path: Where to write the figures; null = nowhere.
    """
    chosen = sorted({*(events or SIZES), *(LARGE if large else ())})
    settings = load_config(config) if config else _limit_rounds(load_config())
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        school = simulate(Path(place) / "school", weeks)
        sizes = [
            keep_once(
                keep, f"{size}-{weeks}-{settings.digest}", partial(_measure_size, school, Path(place), size, settings)
            )
            for size in chosen
        ]
        to_boosting: dict[str, float | None] = {"night_to_boosting": None, "promotion_to_boosting": None}
        try:
            log = read_data_set(YEAR_LOG, data)
        except InputError as error:
            logger.warning("%s; night_to_boosting is not measured", error)
        else:
            year = partial(_measure_year, Path(place), log, settings)
            to_boosting |= keep_once(keep, f"year-{settings.digest}", year)
    figures = {
        "sizes": sizes,
        **compare_sizes(sizes),
        **to_boosting,
        "ratio_to_pandas": _to_pandas(school),
    }
    print_tables(*_show(figures))
    write_json(json_path, figures)
    return 0 if max(size["peak_mb"] for size in sizes) <= MOST_MB else 1


def compare_sizes(sizes: Sequence[dict[str, Any]]) -> dict[str, float]:
    """What grows with the log: `flat_ratio`, `increment_share`, `night_share`, and the disk of a student and night.

    `increment_share` sets the profiles of a day against those of everything from the start; `night_share` does so for
    all steps but training: ingest, profiles and the checks of what is published.
    Processors' seconds are compared, which other work on the machine changes less than the clock's.

    Example:
        >>> one = {"events": 100, "cpu_seconds_by_step": {"profile": 10.0, "profile a day": 1.0, "train": 50.0}}
        >>> ten = {"events": 1000, "cpu_seconds_by_step": {"profile": 110.0, "profile a day": 2.2, "train": 50.0}}
        >>> both = [size | {"figures": {"night_mb": 1.0}, "students": 10} for size in (one, ten)]
        >>> {name: round(value, 3) for name, value in compare_sizes(both).items()}
        {'flat_ratio': 1.02, 'increment_share': 0.02, 'night_share': 0.02, 'kb_per_student_and_night': 100.0}
    """
    each = [
        sum(seconds for step, seconds in size["cpu_seconds_by_step"].items() if step not in TRAINING) / size["events"]
        for size in sizes
    ]
    largest = sizes[-1]
    of_day, of_all = (sum(largest["cpu_seconds_by_step"].get(step, 0.0) for step in steps) for steps in (A_DAY, ALL))
    return {
        "flat_ratio": max(cost / each[0] for cost in each),
        "increment_share": largest["cpu_seconds_by_step"]["profile a day"] / largest["cpu_seconds_by_step"]["profile"],
        "night_share": of_day / of_all,
        "kb_per_student_and_night": 1000 * largest["figures"]["night_mb"] / largest["students"],
    }


def _limit_rounds(config: TrainingConfig) -> TrainingConfig:
    return config.model_copy(update={"boosting": config.boosting.model_copy(update={"rounds": ROUNDS})})


def _measure_size(school: School, place: Path, events: int, config: TrainingConfig) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=place) as root:
        home, building = Home(Path(root) / "home"), Costs()
        day = build_district(school, home, events, building)
        copies = max(1, round(events / len(school.events)))
        costs = run_alone(
            run_night, home.root, day, school.mapping, school.morning, next_midnight(school.morning), config
        )
    costs.seconds, costs.cpu_seconds = building.seconds | costs.seconds, building.cpu_seconds | costs.cpu_seconds
    students = copies * school.events["student_id"].nunique()
    return _to_figures(copies * len(school.events), students, costs)


def _measure_year(place: Path, log: BenchmarkLog, config: TrainingConfig) -> dict[str, float]:
    """How many times its boosting a night of the log of 2012 takes, and one that promotes."""
    home = Home(place / "year")
    add_item_skills(home, log.item_skills)
    morning = log.events["occurred_at"].max().normalize().to_pydatetime()
    store_events(home, log.events)
    costs = run_alone(run_night, home.root, None, None, morning, morning + timedelta(days=1), config)
    boosting, refitting = costs.cpu_seconds["train"], costs.cpu_seconds["refit"]
    whole = sum(costs.cpu_seconds.values())
    return {"night_to_boosting": (whole - refitting) / boosting, "promotion_to_boosting": whole / boosting}


def _to_pandas(school: School) -> float:
    """How many times faster than pandas the kernel makes the columns of the school's events."""
    vocabulary, timeline, _ = read_log(school.events, school.item_skills)
    first = (timeline.correct >= 0) & (timeline.item >= 0)
    statistics = fit_responses(timeline, count_responses(timeline, vocabulary, first), first)
    return measure_history(sort_events(school.events, statistics), statistics).ratio_to_pandas


def _to_figures(events: int, students: int, costs: Costs) -> dict[str, Any]:
    counted = asdict(costs)
    return {
        "events": events,
        "students": students,
        "seconds_by_step": _rounded(counted["seconds"]),
        "cpu_seconds_by_step": _rounded(counted["cpu_seconds"]),
        "peak_mb": max(counted["peak_mb"].values()),
        "peak_mb_by_step": counted["peak_mb"],
        "figures": _rounded(counted["figures"]),
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: float(np.round(value, 3)) for name, value in values.items()}


def _show(figures: dict[str, Any]) -> list[Any]:
    sizes = figures["sizes"]
    steps = make_table("processors' seconds of each step", ["step"], [f"{size['events']:,} events" for size in sizes])
    for step in sizes[0]["cpu_seconds_by_step"]:
        steps.add_row(step, *(f"{size['cpu_seconds_by_step'].get(step, 0):.2f}" for size in sizes))
    for step in sizes[0]["peak_mb_by_step"]:
        steps.add_row(f"{step}: peak, MB", *(f"{size['peak_mb_by_step'].get(step, 0):,.0f}" for size in sizes))
    for name in ("train_events", "published_mb", "night_mb", "log_mb"):
        steps.add_row(name, *(f"{size['figures'].get(name, 0):,.1f}" for size in sizes))
    table = make_table("what grows with the log", ["figure"], ["value", "goal"])
    goals = {
        "flat_ratio": f"at most {MOST_PER_EVENT:g}",
        "increment_share": f"at most {MOST_OF_A_DAY:g}",
        "night_share": f"at most {MOST_OF_A_DAY:g}",
        "kb_per_student_and_night": "",
        "night_to_boosting": f"at most {MOST_TO_BOOSTING:g}",
        "promotion_to_boosting": "",
        "ratio_to_pandas": f"at least {LEAST_TO_PANDAS:g}",
    }
    for name, goal in goals.items():
        value = figures[name]
        table.add_row(name, "not measured" if value is None else f"{value:.3f}", goal)
    return [steps, table]
