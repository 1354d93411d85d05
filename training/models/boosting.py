"""The two forecasts, struggle and mastery: what each reads, and how its trees are trained and calibrated."""

from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from features.model_bundle import Line, Sigmoid
from features.profiles.fold import Rows
from features.profiles.kernel import COLUMNS
from training.config import Boosting
from training.data.columns import BETTER, CARRIES_OVER, EASIER, OF_THE_SKILL
from training.data.dataset import Block
from training.models.line import fit_line

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Forecast:
    """What is forecast, and how its columns may act.

    Attributes:
        name: `struggle` or `mastery`.
        columns: Which of the kernel's columns it reads, in order.
        monotone: Columns that may move the probability in one direction only.
        direction: 1 where those raise it, -1 where they lower it.
        line: Columns, all monotone, of a line that the trees begin from; without any, they begin from the mean.
        meaning: One sentence for the model card.
    """

    name: str
    columns: tuple[str, ...]
    monotone: frozenset[str]
    direction: int
    line: tuple[str, ...]
    meaning: str


STRUGGLE = Forecast(
    name="struggle",
    columns=OF_THE_SKILL,
    monotone=BETTER,
    direction=-1,
    line=CARRIES_OVER,
    meaning="probability that the student, going on, does not meet the mastery rule within the next opportunities",
)
MASTERY = Forecast(
    name="mastery",
    columns=COLUMNS,
    monotone=EASIER,  # the columns of results as well would cost .003 of AUC; see experiments/README.md
    direction=1,
    line=(),
    meaning="probability that the next first attempt, on an item of the skill's average difficulty, is correct",
)
FORECASTS = (STRUGGLE, MASTERY)


@dataclass(frozen=True)
class Model:
    """A trained forecast.

    Attributes:
        forecast: What it forecasts.
        line: The score that the trees add to.
        booster: LightGBM's trees.
        calibration: From the sum of both to probability.
    """

    forecast: Forecast
    line: Line
    booster: lgb.Booster
    calibration: Sigmoid

    def predict(self, rows: Rows) -> Floats:
        """Forecasts the probability of each row of kernel columns."""
        return self.calibration.apply(_score(self.line, self.booster, self.forecast, rows))


def train_model(forecast: Forecast, train: Block, calibration: Block | None, boosting: Boosting) -> Model:
    """Trains the trees on one block and calibrates them on rows they have not seen; same inputs, same model.

    A fifth of the students is left out first, and trees are added until these students gain no more: a small school
    needs fewer trees than a large one, and nobody should have to set that by hand. The model is then trained on all.
    Where the forecast has a line, trees learn only what that leaves: most rows are of a student's first answers on a
    skill, and what these say of results holds later as well.

    Args:
        forecast: What to forecast.
        train: Rows with out-of-fold statistics.
        calibration: Later rows; without them, the students who were left out calibrate.
        boosting: Parameters; beyond `max_rows`, whole students are left out at random.
    """
    train = _limit_rows(train, boosting)
    parameters = _parameters(forecast, boosting)
    students = np.unique(train.student)
    fifth = np.random.default_rng(boosting.seed).permutation(students)[: len(students) // 5]
    is_left_out = np.isin(train.student, fifth)
    left_out = train.take(is_left_out)
    rounds, sigmoid = boosting.rounds, Sigmoid(1.0, 0.0)
    if len(left_out) > 0 and left_out.target.min() < left_out.target.max():
        line = _fit_line(forecast, train.take(~is_left_out))
        rows = _lightgbm_rows(forecast, line, train.take(~is_left_out))
        trial = lgb.train(
            parameters,
            rows,
            num_boost_round=boosting.rounds,
            valid_sets=[_lightgbm_rows(forecast, line, left_out, like=rows)],
            callbacks=[lgb.early_stopping(boosting.patience, verbose=False)],
        )
        # all students together bear a few more trees than four fifths of them
        rounds = min(boosting.rounds, max(1, round(1.1 * trial.best_iteration)))
        if calibration is None:
            sigmoid = fit_sigmoid(_score(line, trial, forecast, left_out.rows), left_out.target)
    line, booster = _grow(forecast, train, boosting, rounds)
    if calibration is not None:
        sigmoid = fit_sigmoid(_score(line, booster, forecast, calibration.rows), calibration.target)
    return Model(forecast, line, booster, sigmoid)


def refit_model(model: Model, train: Block, boosting: Boosting) -> Model:
    """Trains a model anew on other rows, with as many trees and the calibration that it has.

    Args:
        model: A trained forecast.
        train: Rows with out-of-fold statistics.
        boosting: As for `train_model`.
    """
    line, booster = _grow(model.forecast, _limit_rows(train, boosting), boosting, model.booster.num_trees())
    return Model(model.forecast, line, booster, model.calibration)


def _grow(forecast: Forecast, train: Block, boosting: Boosting, rounds: int) -> tuple[Line, "lgb.Booster"]:
    """The line, and as many trees as asked for."""
    line = _fit_line(forecast, train)
    rows = _lightgbm_rows(forecast, line, train)
    return line, lgb.train(_parameters(forecast, boosting), rows, num_boost_round=rounds)


def fit_sigmoid(score: Floats, target: npt.NDArray[np.float32]) -> Sigmoid:
    """Fits the sigmoid with the smallest log-loss; the slope stays positive, so the ranking stays.

    Args:
        score: Raw scores in logits of rows that the trees have not seen.
        target: 1 or 0, or the chance of 1 where the outcome is not known.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> score = rng.normal(size=5000)
        >>> target = (rng.random(5000) < 1 / (1 + np.exp(-2 * score))).astype(np.float32)
        >>> round(fit_sigmoid(score, target).slope, 1)
        2.0
    """
    if len(target) == 0 or target.min() == target.max():
        return Sigmoid(1.0, 0.0)

    def loss(at: Floats) -> tuple[float, Floats]:
        margin = np.exp(at[0]) * score + at[1]
        pull = 1.0 / (1.0 + np.exp(-np.clip(margin, -500, 500))) - target
        gradient = np.array([np.mean(pull * score) * np.exp(at[0]), np.mean(pull)])
        return float(np.mean(np.logaddexp(0.0, margin) - target * margin)), gradient

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-3, 3), (-10, 10)])
    return Sigmoid(float(np.exp(found.x[0])), float(found.x[1]))


def _fit_line(forecast: Forecast, block: Block) -> Line:
    if not forecast.line:
        return Line(0.0, ())
    return fit_line(block.rows, block.target, forecast.line, forecast.direction)


def _score(line: Line, booster: "lgb.Booster", forecast: Forecast, rows: Rows) -> Floats:
    if len(rows) == 0:
        return np.empty(0)
    return line.score(rows) + np.asarray(booster.predict(_read_columns(forecast, rows), raw_score=True), np.float64)


def _read_columns(forecast: Forecast, rows: Rows) -> Rows:
    return np.ascontiguousarray(rows[:, [COLUMNS.index(name) for name in forecast.columns]])


def _lightgbm_rows(forecast: Forecast, line: Line, block: Block, like: "lgb.Dataset | None" = None) -> "lgb.Dataset":
    return lgb.Dataset(
        _read_columns(forecast, block.rows),
        block.target,
        reference=like,
        init_score=line.score(block.rows) if line.terms else None,
        feature_name=list(forecast.columns),
        categorical_feature=[name for name in forecast.columns if name == "skill"],
    )


def _parameters(forecast: Forecast, boosting: Boosting) -> dict[str, Any]:
    return {
        "objective": "cross_entropy",  # targets may be chances
        "learning_rate": boosting.learning_rate,
        "num_leaves": boosting.leaves,
        "min_data_in_leaf": boosting.min_rows_per_leaf,
        "bagging_fraction": boosting.row_share,
        "bagging_freq": 1,
        "feature_fraction": boosting.column_share,
        "lambda_l2": boosting.l2,
        "cat_smooth": 50.0,
        "monotone_constraints": [forecast.direction if name in forecast.monotone else 0 for name in forecast.columns],
        "deterministic": True,
        "force_row_wise": True,
        "seed": boosting.seed,
        "num_threads": boosting.threads,
        "verbosity": -1,
    }


def _limit_rows(block: Block, boosting: Boosting) -> Block:
    """Returns the block, or as many whole students of it as fit into `max_rows`."""
    if len(block) <= boosting.max_rows:
        return block
    students, counts = np.unique(block.student, return_counts=True)
    order = np.random.default_rng(boosting.seed).permutation(len(students))
    fits = np.cumsum(counts[order]) <= boosting.max_rows
    return block.take(np.isin(block.student, students[order[fits]]))
