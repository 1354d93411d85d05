"""`python -m experiments benchmark prior`: the numbers of `training/prior.toml`, and how good they are elsewhere.

Students of the four public logs are forecast as a school without history would see them: items and skills are unknown,
and as easy as items usually are. A line for each forecast is fitted to as many rows of each log. A line is surer of
itself than it may be of a log that it has not seen, so its calibration is fitted to forecasts of logs that were left
out. The figures are of each log in turn, forecast by line and calibration of the other three.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import DATA_SETS, read_data_set
from experiments.benchmarks.forecasts.data.splits import fill_outcomes
from features.console import track, write_json
from features.model_bundle import Line, Sigmoid
from features.profiles.difficulty import empty_statistics
from features.profiles.fold import fold
from features.profiles.state import State
from features.profiles.timeline import sort_events
from training.config import TrainingConfig, load_config
from training.data.dataset import Block, make_block
from training.data.labels import label_outcomes
from training.evaluation.metrics import area_under_curve, calibration_error
from training.models.boosting import FORECASTS, Forecast, fit_sigmoid
from training.models.line import fit_line

ANSWERS = 60_000
"""Answers of whole students that are drawn from each log."""

ROWS = 40_000
"""Rows of each log that a line is fitted to, at most."""

TITLES = {
    "gervet-assistments09": "ASSISTments 2009-10",
    "gervet-algebra05": "Algebra I 2005-06",
    "pykt-assist2015": "ASSISTments 2015",
    "assistments-2012": "ASSISTments 2012-13",
}
"""What the logs are called in the product, which knows no file of theirs."""

USUAL_SHARE = 0.7
"""Share of right first attempts to expect of items that nobody has answered: about the middle of the logs."""

READS = {
    "struggle": ("skill_streak", "skill_ability"),  # shares on top of these have no weight of the right sign
    "mastery": ("student_correct_share", "student_correct_ewm_20", "skill_correct_share", "skill_correct_ewm_50"),
}
"""Columns of each line: never null, and of the same meaning in every log."""


@dataclass(frozen=True)
class Prior:
    """A line and its calibration."""

    line: Line
    calibration: Sigmoid

    def to_toml(self) -> str:
        """The lines of `training/prior.toml` after the name of a forecast."""
        terms = (
            f"{term.column} = {{ mean = {term.mean:.4f}, weight = {term.weight:.4f} }}" for term in self.line.terms
        )
        return "\n".join(terms)


def benchmark_prior(data: Path | None = None, write: Path | None = None, json_path: Path | None = None) -> int:
    """Fits the prior, prints its figures on each log, and returns the exit code 0.

    Args:
        data: Holds the logs.
        write: Where the numbers are written, as `training/prior.toml` has them.
        json_path: Where the figures are written.

    Raises:
        InputError: A log is not there.
    """
    config = load_config()
    logs = {name: read_blocks(name, config, data) for name in track(DATA_SETS, "logs", total=len(DATA_SETS))}
    figures, fitted = [], {}
    for forecast in FORECASTS:
        blocks = {name: log[forecast.name] for name, log in logs.items()}
        fitted[forecast.name] = fit_prior(forecast, list(blocks.values()))
        for name, block in blocks.items():
            others = fit_prior(forecast, [other for log, other in blocks.items() if log != name])
            figures.append({"forecast": forecast.name, "log": name, **judge(others, block)})
    table = make_table(
        "each log, forecast by what was fitted to the other three",
        ("forecast", "log"),
        ("rows", "happened", "mean forecast", "AUC", "ECE"),
    )
    for row in figures:
        table.add_row(*(_cell(value) for value in row.values()))
    print_tables(table)
    if write is not None:
        write.write_text(write_toml(config, fitted, figures), encoding="utf-8")
    write_json(json_path, {"logs": figures})
    return 0


def read_blocks(name: str, config: TrainingConfig, data: Path | None = None) -> dict[str, Block]:
    """The rows of a log's students by forecast, as a school without history sees them."""
    log = read_data_set(name, data)
    counts = log.events["student_id"].value_counts()
    order = sorted(counts.index, key=lambda student: zlib.crc32(f"prior {student}".encode()))
    drawn = pd.Index(order)[np.cumsum(counts.reindex(order).to_numpy()) <= ANSWERS]
    events = log.events[log.events["student_id"].isin(drawn)].reset_index(drop=True)
    statistics = empty_statistics(USUAL_SHARE).extend(log.item_skills, events["item_id"], events["skills"])
    timeline, vocabulary = sort_events(events, statistics), statistics.vocabulary
    rows, _ = fold(timeline, statistics, State.empty())
    answered = (timeline.correct >= 0) & (timeline.item >= 0)
    outcomes = label_outcomes(timeline, vocabulary, config.mastery_rule)
    mastery = make_block(rows, timeline.correct, answered, timeline, vocabulary, outcomes)
    return {
        "mastery": mastery,
        "struggle": fill_outcomes(mastery, timeline, np.flatnonzero(answered), vocabulary, config),
    }


def fit_prior(forecast: Forecast, blocks: Sequence[Block]) -> Prior:
    """Fits a line to all logs alike, and its calibration to each log forecast by the line of the others."""
    drawn = [_draw(block) for block in blocks]
    scores = [_fit(forecast, [*drawn[:at], *drawn[at + 1 :]]).score(log.rows) for at, log in enumerate(drawn)]
    calibration = fit_sigmoid(np.concatenate(scores), np.concatenate([log.target for log in drawn]))
    return Prior(_fit(forecast, drawn), calibration)


def judge(prior: Prior, block: Block) -> dict[str, Any]:
    """The figures of a prior on a log."""
    target = block.target.astype(np.float64)
    probability = prior.calibration.apply(prior.line.score(block.rows))
    return {
        "rows": len(block),
        "happened": float(target.mean()),
        "mean": float(probability.mean()),
        "auc": area_under_curve(target, probability),
        "ece": calibration_error(probability, target),
    }


def write_toml(config: TrainingConfig, fitted: Mapping[str, Prior], figures: Sequence[Mapping[str, Any]]) -> str:
    """The text of `training/prior.toml`."""
    rule = config.mastery_rule
    lines = [
        "# The prior model that is shipped: a line for each forecast, which serves until a school's own log can teach",
        "# a better one. Written by `python -m experiments benchmark prior --write training/prior.toml`; do not edit.",
        "#",
        f"# Fitted to samples of public logs: {', '.join(TITLES.values())}.",
        "# Each log, forecast by what was fitted to the other three:",
        "#   forecast  log                    rows  happened  forecast    AUC    ECE",
        *(
            f"#   {row['forecast']:<9} {TITLES[row['log']]:<20} {row['rows']:>6}  {row['happened']:>8.3f}"
            f"  {row['mean']:>8.3f}  {row['auc']:.3f}  {row['ece']:.3f}"
            for row in figures
        ),
        "",
        f"usual_share = {USUAL_SHARE}  # of right first attempts, at items and skills that nobody has answered",
        "",
        "[mastery_rule]",
        f"streak = {rule.streak}",
        f"horizon = {rule.horizon}",
        f"lapse_days = {rule.lapse_days}",
    ]
    for name, prior in fitted.items():
        slope, offset = prior.calibration.slope, prior.calibration.offset
        lines += [
            "",
            f"[{name}]",
            f"offset = {prior.line.offset:.4f}",
            f"calibration = {{ slope = {slope:.4f}, offset = {offset:.4f} }}",
            "",
            f"[{name}.terms]",
            prior.to_toml(),
        ]
    return "\n".join([*lines, ""])


def _draw(block: Block) -> Block:
    """As many rows of each log, of all students alike."""
    step = -(-len(block) // ROWS)
    return block.take(np.arange(len(block)) % step == 0)


def _fit(forecast: Forecast, blocks: Sequence[Block]) -> Line:
    rows, target = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("rows", "target"))
    return fit_line(rows, target, READS[forecast.name], forecast.direction)


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
