"""`python -m experiments benchmark verdicts`: how often a verdict on two runs is wrong, where the truth was planted.

A planted log has students who answer more or less, and whose rows resemble each other. Two forecasts of it err in
common, as two models on the same columns do, and each on its own: by as much as the other (`equal`), or so much less
that its expected log-loss is lower by the margin (`better`). Verdicts are those of `python -m experiments compare`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.benchmarks.figures import make_table, print_tables
from experiments.workbench.comparison.compare import MARGINS, judge_runs
from experiments.workbench.runs.store import Run
from features.console import track, write_json
from features.errors import InputError
from training.evaluation.metrics import log_losses

Floats = npt.NDArray[np.float64]

METRIC = "log_loss"

FOLDS = 5
ROWS_EACH = 40
"""Rows of a student in the middle."""

ABILITY, DIFFICULTY, SPREAD = 1.0, 1.0, 0.6
"""Spread of students and rows in logits, and of the logarithm of a student's number of rows."""

IN_COMMON, OF_STUDENTS, OF_ROWS = 0.4, 0.1, 0.15
"""Errors in logits that both forecasts make, and those that each makes of a student and of a row."""

MOST_FALSE, LEAST_FOUND = 0.05, 0.80

VERDICTS = ("better", "worse", "equal", "undecided")


@dataclass(frozen=True)
class Planted:
    """Rows whose chances are known, with what both forecasts make of them; arrays have one entry per row."""

    student: npt.NDArray[np.int64]
    chance: Floats
    common: Floats
    target: Floats

    def forecast(self, rng: np.random.Generator, scale: float) -> Floats:
        """A forecast with errors of its own, of a scale."""
        own = OF_STUDENTS * rng.normal(size=self.student.max() + 1)[self.student]
        own += OF_ROWS * rng.normal(size=len(self.student))
        return _sigmoid(self.common + scale * own)


def benchmark_verdicts(comparisons: int, students: int, *, json_path: Path | None = None) -> int:
    """Prints how often verdicts were right, and returns 0 where both goals are met, else 1.

    Args:
        comparisons: How many of each kind.
        students: Students of each planted log.
        json_path: Where the figures are written.

    Raises:
        InputError: There is less than one comparison, or fewer than ten students.
    """
    for name, value, least in (("comparisons", comparisons, 1), ("students", students, 10)):
        if value < least:
            raise InputError(f"{name} is {value}; write {least} or more")
    margin = MARGINS[METRIC]
    scale = find_scale(margin)
    said: dict[str, list[str]] = {"equal": [], "better": []}
    for number in track(range(comparisons), "comparisons", total=comparisons):
        for kind, own in (("equal", 1.0), ("better", scale)):
            rng = np.random.default_rng([number, kind == "equal"])
            said[kind].append(judge_planted(plant(rng, students), rng, own, margin))
    shares = {
        f"{kind}_said_{verdict}": float(np.mean([each == verdict for each in verdicts]))
        for kind, verdicts in said.items()
        for verdict in VERDICTS
    }
    table = make_table(f"{comparisons} comparisons of each kind, {students} students", ["planted"], list(VERDICTS))
    for kind in said:
        table.add_row(kind, *(f"{shares[f'{kind}_said_{verdict}']:.3f}" for verdict in VERDICTS))
    print_tables(table)
    met = shares["equal_said_better"] <= MOST_FALSE and shares["better_said_better"] >= LEAST_FOUND
    write_json(json_path, {"comparisons": comparisons, "students": students, "margin": margin, **shares, "met": met})
    return 0 if met else 1


def plant(rng: np.random.Generator, students: int) -> Planted:
    """Draws a log."""
    count = np.maximum(1, rng.lognormal(np.log(ROWS_EACH), SPREAD, students)).astype(np.int64)
    student = np.repeat(np.arange(students), count)
    logit = ABILITY * rng.normal(size=students)[student] + DIFFICULTY * rng.normal(size=len(student))
    chance = _sigmoid(logit)
    common = logit + IN_COMMON * rng.normal(size=len(student))
    return Planted(student, chance, common, (rng.random(len(student)) < chance).astype(np.float64))


def find_scale(margin: float) -> float:
    """Returns how much larger errors of its own cost a forecast the margin in expected log-loss.

    Example:
        >>> find_scale(0.0)
        1.0
    """
    rng = np.random.default_rng(0)
    large = plant(rng, 5_000)
    seed = int(rng.integers(1 << 31))

    def cost(scale: float) -> float:
        forecast = large.forecast(np.random.default_rng(seed), scale)
        return float(log_losses(large.chance, forecast).mean())

    low, high = 1.0, 10.0
    while high - low > 1e-3:  # noqa: PLR2004 - far finer than any comparison sees
        middle = (low + high) / 2
        low, high = (middle, high) if cost(middle) - cost(1.0) < margin else (low, middle)
    return low


def judge_planted(log: Planted, rng: np.random.Generator, scale: float, margin: float) -> str:
    """Returns the verdict on a forecast, against one whose own errors are `scale` times as large."""
    forecasts = {"one": log.forecast(rng, scale), "other": log.forecast(rng, 1.0)}
    fold = log.student % FOLDS
    keys = pd.DataFrame({"student": log.student, "target": log.target})
    predictions = keys.assign(**{f"{name} seed 1": forecast for name, forecast in forecasts.items()})
    runs = []
    for name, forecast in forecasts.items():
        loss = log_losses(log.target, forecast)
        folds = [
            {"fold": str(k), "seed": 1, "rows": int((fold == k).sum()), "train_rows": int((fold != k).sum()),
             METRIC: float(loss[fold == k].mean())}
            for k in range(FOLDS)
        ]  # fmt: skip
        runs.append(Run("", name, "", "", {}, {}, folds, [], 0, 0))
    return judge_runs(runs, predictions, METRIC, margin)[0].verdict


def _sigmoid(logit: Floats) -> Floats:
    chance: Floats = 1 / (1 + np.exp(-logit))
    return chance
