"""`python -m experiments benchmark gate`: how often the gate errs, with challengers whose quality is planted.

A simulated school is trained on once, with few trees. Its forecasts of the holdout are then held for the truth: each
repeat draws students of the school with replacement, outcomes by that truth, one for each student and skill, and a
champion and a challenger that are the truth with noise. The gate's own functions judge them. `equal` has as much noise
as the champion, `better` less by twice the margin; the others must be refused whatever the champion is.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from experiments.benchmarks.figures import make_table, print_tables
from experiments.simulation import SchoolConfig, simulate_school, write_school
from features.console import track, write_json
from features.events.ingest import ingest_file
from features.events.log.store import read_events, read_item_skills
from features.home import Home
from features.profiles.difficulty import Statistics
from features.profiles.fold import Rows, fold
from features.profiles.kernel import COLUMNS
from features.profiles.state import State
from features.profiles.timeline import Timeline
from training.config import TrainingConfig, load_config
from training.data.dataset import Block, Dataset, build_dataset
from training.evaluation.agreement import compare_with_facts
from training.evaluation.behavior import FoldRows, count_leaks
from training.evaluation.comparison import find_slices
from training.evaluation.gate import LEVEL, Decision, Figures, decide
from training.evaluation.metrics import Floats, calibration_interval, log_losses, paired_difference
from training.models.boosting import FORECASTS, Model, train_model

SCHOOL = SchoolConfig(teams=2, weeks=8)

ROUNDS = 40
"""Trees of the models that are held for the truth."""

STUDENTS = 750
"""Students of a holdout."""

NOISE = 0.25
"""Standard deviation of the champion's noise, in logits."""

GROUPS = ("a", "b", "c")
"""Audit groups, of a third of the students each."""

ENOUGH_POWER = 0.90
"""Share of better challengers that has to be promoted."""

LEAKIEST = 8
"""Columns, those with the most gain, of which one holds the answer in each repeat."""

Row = npt.NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """What every repeat draws from.

    Attributes:
        dataset: Of the simulated school.
        models: Trained on it, by forecast.
        truth: Their forecasts of the holdout.
        rows: Where each student's rows of the holdout are, by forecast.
        config: With the gate's limits.
    """

    dataset: Dataset
    models: Mapping[str, Model]
    truth: Mapping[str, Floats]
    rows: Mapping[str, list[Row]]
    config: TrainingConfig


@dataclass(frozen=True)
class Draw:
    """One holdout.

    Attributes:
        blocks: Its rows by forecast, with outcomes drawn by the truth.
        truth: The chance of each outcome.
        champion: The champion's forecasts.
    """

    blocks: Mapping[str, Block]
    truth: Mapping[str, Floats]
    champion: Mapping[str, Floats]


def benchmark_gate(repeats: int = 200, json_path: Path | None = None) -> int:
    """Prints how often each challenger is promoted and refused; returns 1 where a share is outside its bound.

    Args:
        repeats: How often each stands before the gate.
        json_path: Where the figures are written.
    """
    world = build_world(load_config())
    margin = world.config.gate.min_gain
    less = _find_noise(world.truth["struggle"], 2 * margin)
    promoted, refused = {"equal": 0, "better": 0}, dict.fromkeys(REFUSED, 0)
    honest = 0
    for repeat in track(range(repeats), "repeats", total=repeats):
        random = np.random.default_rng([repeat, 20])
        draw = draw_holdout(world, random)
        for name, noise in (("equal", NOISE), ("better", less)):
            promoted[name] += _judge(world, draw, _add_noise(draw.truth, noise, random)).promoted
        for name, plant in REFUSED.items():
            refused[name] += not plant(world, draw, random).within_limits
        honest += not _judge_leak(world, _fold).within_limits if repeat == 0 else 0
    figures: dict[str, Any] = {
        "repeats": repeats,
        "level": LEVEL,
        "margin": margin,
        "students": STUDENTS,
        "false_promotions": promoted["equal"] / repeats,
        "better_promoted": promoted["better"] / repeats,
        "refused": {name: count / repeats for name, count in refused.items()},
        "honest_refused_as_leak": honest,
    }
    table = make_table(f"{repeats} holdouts of {STUDENTS} students", ("challenger", "must be"), ("share",))
    table.add_row("as good as the champion", f"promoted in {LEVEL:.0%} at most", f"{figures['false_promotions']:.3f}")
    table.add_row("better by twice the margin", "promoted in 90% or more", f"{figures['better_promoted']:.3f}")
    for name, share in figures["refused"].items():
        table.add_row(name, "refused always", f"{share:.3f}")
    print_tables(table)
    write_json(json_path, figures)
    kept = figures["false_promotions"] <= LEVEL and figures["better_promoted"] >= ENOUGH_POWER
    return 0 if kept and honest == 0 and all(count == repeats for count in refused.values()) else 1


def build_world(config: TrainingConfig) -> World:
    """Simulates a school and trains on it."""
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        folder = Path(place)
        write_school(simulate_school(SCHOOL), folder)
        home = Home(folder / "home")
        ingest_file(home, folder / "log.parquet", mapping=folder / "mapping.toml")
        dataset = build_dataset(read_events(home), read_item_skills(home), config)
    boosting = config.boosting.model_copy(update={"rounds": ROUNDS})
    models, truth, rows = {}, {}, {}
    for forecast in FORECASTS:
        blocks = getattr(dataset, forecast.name)
        models[forecast.name] = train_model(forecast, blocks["train"], blocks["calibration"], boosting)
        holdout = blocks["holdout"]
        truth[forecast.name] = np.clip(models[forecast.name].predict(holdout.rows), 0.01, 0.99)
        of_student = np.argsort(holdout.student, kind="stable")
        ends = np.cumsum(np.bincount(holdout.student, minlength=len(dataset.timeline.students)))
        rows[forecast.name] = np.split(of_student, ends[:-1])
    return World(dataset, models, truth, rows, config)


def draw_holdout(world: World, random: np.random.Generator) -> Draw:
    """Draws students, outcomes by the truth, and a champion."""
    students = random.integers(0, len(world.dataset.timeline.students), STUDENTS)
    blocks, truth = {}, {}
    for name, by_student in world.rows.items():
        chosen = [by_student[student] for student in students]
        at = np.concatenate(chosen)
        student = np.repeat(np.arange(STUDENTS), [len(rows) for rows in chosen])
        block = getattr(world.dataset, name)["holdout"].take(at)
        _, episode = np.unique([student, block.episode], axis=1, return_inverse=True)
        lot = random.random(int(episode.max()) + 1)[episode] if name == "struggle" else random.random(len(at))
        truth[name] = world.truth[name][at]
        target = (lot < truth[name]).astype(np.float32)
        blocks[name] = replace(block, target=target, student=student, episode=episode.astype(np.int64))
    return Draw(blocks, truth, _add_noise(truth, NOISE, random))


def _judge(world: World, draw: Draw, ours: Mapping[str, Floats], *, alone: bool = False) -> Decision:
    """Stands a challenger before the gate; alone, there is no champion, so that only limits can refuse it."""
    config, blocks = world.config, draw.blocks
    groups = pd.DataFrame(
        {"student_id": _students(), "column": "group", "value": np.resize(GROUPS, STUDENTS)}, dtype="object"
    )
    against = {
        name: paired_difference(blocks[name], ours[name], draw.champion[name], config.evaluation) for name in ours
    }
    slices = {
        name: find_slices(
            groups,
            _students(),
            blocks[name],
            blocks[name],
            ours[name],
            None if alone else draw.champion[name],
            config.gate.min_subgroup_students,
        )
        for name in ours
    }
    figures = Figures(
        {name: {"ece": calibration_interval(blocks[name], ours[name], config.evaluation)} for name in ours},
        None if alone else against,
        slices=slices,
        cells=compare_with_facts(blocks["struggle"], ours["struggle"], config.gate.min_cell_rows),
    )
    return decide(figures, config.gate)


def _students() -> "pd.Index[str]":
    return pd.Index([f"s{number:03}" for number in range(STUDENTS)])


def _plant_leak(world: World, _: Draw, random: np.random.Generator) -> Decision:
    """Rows in which one column has counted the answer that is forecast."""
    gain = world.models["struggle"].booster.feature_importance("gain")
    names = [world.models["struggle"].forecast.columns[at] for at in np.argsort(-gain)]
    numbers = [name for name in names if name != "skill"][:LEAKIEST]
    column, share = COLUMNS.index(random.choice(numbers)), random.uniform(0.1, 1.0)

    def fold_too_far(timeline: Timeline, statistics: Statistics) -> Rows:
        rows = _fold(timeline, statistics).copy()
        spread = np.nanstd(rows[:, column])
        rows[:, column] += (share * spread * (timeline.correct == 1)).astype(np.float32)
        return rows

    return _judge_leak(world, fold_too_far)


def _judge_leak(world: World, fold_rows: FoldRows) -> Decision:
    return decide(Figures({}, behavior=count_leaks(world.dataset, fold_rows)), world.config.gate)


def _fold(timeline: Timeline, statistics: Statistics) -> Rows:
    return fold(timeline, statistics, State.empty())[0]


def _plant_miscalibration(world: World, draw: Draw, random: np.random.Generator) -> Decision:
    """Forecasts that rank as the truth does, and are all too high or too low."""
    shift = random.choice([-1.2, 1.2])
    return _judge(world, draw, {name: expit(logit(truth) + shift) for name, truth in draw.truth.items()}, alone=True)


def _plant_worse_group(world: World, draw: Draw, random: np.random.Generator) -> Decision:
    """Forecasts without noise, but for one audit group, in which they have twice the champion's and more."""
    group = int(random.integers(len(GROUPS)))
    ours = {}
    for name, truth in draw.truth.items():
        mine = draw.blocks[name].student % len(GROUPS) == group
        ours[name] = np.where(mine, _add_noise({name: truth}, 4 * NOISE, random)[name], truth)
    return _judge(world, draw, ours)


def _plant_contradiction(world: World, draw: Draw, _: np.random.Generator) -> Decision:
    """Forecasts that take failing practice for practice that goes well."""
    block = draw.blocks["struggle"]
    failing = (block.opportunity > 2) & (2 * block.right < block.opportunity)  # noqa: PLR2004 - three attempts or more
    wrong = np.where(failing, draw.truth["struggle"] / 3, draw.truth["struggle"])
    return _judge(world, draw, {**draw.truth, "struggle": wrong}, alone=True)


REFUSED: Mapping[str, Callable[[World, Draw, np.random.Generator], Decision]] = {
    "leak": _plant_leak,
    "miscalibrated": _plant_miscalibration,
    "subgroup_worse": _plant_worse_group,
    "contradicts_facts": _plant_contradiction,
}
"""Challengers that must never pass, by name."""


def _add_noise(truth: Mapping[str, Floats], noise: float, random: np.random.Generator) -> dict[str, Floats]:
    return {name: expit(logit(chance) + noise * random.normal(size=len(chance))) for name, chance in truth.items()}


def _find_noise(truth: Floats, gain: float) -> float:
    """The noise with which forecasts are better than the champion's by a gain in expected log-loss."""
    shared = np.random.default_rng(0).normal(size=len(truth))

    def expected_loss(noise: float) -> float:
        return float(log_losses(truth, expit(logit(truth) + noise * shared)).mean())

    wanted = expected_loss(NOISE) - gain
    if wanted < expected_loss(0.0):
        return 0.0
    return float(brentq(lambda noise: expected_loss(noise) - wanted, 0.0, NOISE))
