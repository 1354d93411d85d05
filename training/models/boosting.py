"""The two forecasts, struggle and mastery, as LightGBM models with calibration."""

from dataclasses import dataclass, replace
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.model_bundle import Sigmoid
from features.profiles.fold import Rows
from features.profiles.kernel import COLUMNS
from training.config import Boosting
from training.data.dataset import Block
from training.models.calibration import fit_sigmoid

Floats = npt.NDArray[np.float64]

EASIER = frozenset(
    name for name in COLUMNS if name.endswith(("_ease", "_easiness")) or name in {"expected_correct", "rasch_expected"}
)
"""Columns where more means easier work."""

BETTER = EASIER | frozenset(
    name for name in COLUMNS if any(part in name for part in ("correct", "residual", "ability", "streak"))
)
"""Columns where more means a stronger student or easier work; no educator would accept the reverse."""

ABOUT_THE_ITEM = frozenset(
    {
        "item_responses",
        "item_last_correct",
        "days_since_item",
        "item_ease",
        "item_easiness",
        "expected_correct",
        "rasch_expected",
    }
)
"""Known only once an item is chosen; a forecast for a whole skill must not lean on them."""


@dataclass(frozen=True)
class Forecast:
    """What is forecast, and how its columns may act.

    Attributes:
        name: `struggle` or `mastery`.
        columns: Which columns of a row it reads, in order.
        monotone: Columns that may move the probability in one direction only.
        direction: 1 where those raise it, -1 where they lower it.
        meaning: One sentence for the model card.
        layout: The columns of a row; the kernel's.
    """

    name: str
    columns: tuple[str, ...]
    monotone: frozenset[str]
    direction: int
    meaning: str
    layout: tuple[str, ...] = COLUMNS


STRUGGLE = Forecast(
    name="struggle",
    columns=tuple(name for name in COLUMNS if name not in ABOUT_THE_ITEM),
    monotone=BETTER,
    direction=-1,
    meaning="probability that the student does not master the skill within the limit of opportunities",
)
MASTERY = Forecast(
    name="mastery",
    columns=COLUMNS,
    monotone=EASIER,  # the columns of results as well would cost .003 of AUC; see experiments/README.md
    direction=1,
    meaning="probability that the next first attempt, on an item of the skill's average difficulty, is correct",
)
FORECASTS = (STRUGGLE, MASTERY)


@dataclass(frozen=True)
class Model:
    """A trained forecast.

    Attributes:
        forecast: What it forecasts.
        booster: LightGBM's trees.
        calibration: From raw score to probability.
    """

    forecast: Forecast
    booster: lgb.Booster
    calibration: Sigmoid

    def predict(self, rows: Rows) -> Floats:
        """The probability of each row of kernel columns."""
        return self.calibration.apply(_score(self.booster, self.forecast, rows))


def positions(forecast: Forecast) -> list[int]:
    """Where the forecast's columns stand in a row."""
    return [forecast.layout.index(name) for name in forecast.columns]


@dataclass(frozen=True)
class Trial:
    """The trees of four fifths of the students, which say how many trees serve and what scores mean.

    Attributes:
        model: Calibrated on the students left out.
        left_out: The rows of those students.
    """

    model: Model
    left_out: Block


def train_model(forecast: Forecast, train: Block, calibration: Block | None, boosting: Boosting) -> Model:
    """Trains the trees on one block and calibrates them on rows they have not seen; same inputs, same model.

    Args:
        forecast: What to forecast.
        train: Rows with out-of-fold statistics.
        calibration: Later rows; without them, those students who were left out to choose the number of trees.
        boosting: Parameters; beyond `max_rows`, whole students are left out at random.
    """
    model, _ = train_with_trial(forecast, train, boosting)
    if calibration is None:
        return model
    score = _score(model.booster, forecast, calibration.rows)
    return replace(model, calibration=fit_sigmoid(score, calibration.target))


def train_with_trial(forecast: Forecast, train: Block, boosting: Boosting) -> tuple[Model, Trial | None]:
    """The model that no later rows calibrate, and its trial; null where the students left out show one class only."""
    train = _within(train, boosting)
    trial = _try_rounds(forecast, train, boosting)
    # all students together bear a few more trees than four fifths of them
    wanted = boosting.rounds if trial is None else max(1, round(1.1 * trial.model.booster.best_iteration))
    booster = lgb.train(
        _parameters(forecast, boosting), _lightgbm_rows(forecast, train), num_boost_round=min(boosting.rounds, wanted)
    )
    return Model(forecast, booster, Sigmoid(1.0, 0.0) if trial is None else trial.model.calibration), trial


def _leave_out(train: Block, boosting: Boosting) -> npt.NDArray[np.bool_]:
    """The rows of a fifth of the students."""
    students = np.unique(train.student)
    chosen = np.random.default_rng(boosting.seed).permutation(students)[: len(students) // 5]
    return np.isin(train.student, chosen)


def _try_rounds(forecast: Forecast, train: Block, boosting: Boosting) -> Trial | None:
    """Trees that stop when students they have not seen gain no more.

    A small school needs fewer trees than a large one, and nobody should have to set that by hand.
    """
    chosen = _leave_out(train, boosting)
    left_out = train.take(chosen)
    if len(left_out) == 0 or left_out.target.min() == left_out.target.max():
        return None
    rows = _lightgbm_rows(forecast, train.take(~chosen))
    booster = lgb.train(
        _parameters(forecast, boosting),
        rows,
        num_boost_round=boosting.rounds,
        valid_sets=[_lightgbm_rows(forecast, left_out, like=rows)],
        callbacks=[lgb.early_stopping(boosting.patience, verbose=False)],
    )
    score = _score(booster, forecast, left_out.rows)
    return Trial(Model(forecast, booster, fit_sigmoid(score, left_out.target)), left_out)


def _score(booster: "lgb.Booster", forecast: Forecast, rows: Rows) -> Floats:
    if len(rows) == 0:
        return np.empty(0)
    return np.asarray(booster.predict(rows[:, positions(forecast)], raw_score=True), np.float64)


def _lightgbm_rows(forecast: Forecast, block: Block, like: "lgb.Dataset | None" = None) -> "lgb.Dataset":
    return lgb.Dataset(
        np.ascontiguousarray(block.rows[:, positions(forecast)]),
        block.target,
        reference=like,
        feature_name=list(forecast.columns),
        categorical_feature=[name for name in forecast.columns if name == "skill"],
    )


def _parameters(forecast: Forecast, boosting: Boosting) -> dict[str, Any]:
    return {
        "objective": "binary",
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


def _within(block: Block, boosting: Boosting) -> Block:
    """The block, or as many whole students of it as fit into `max_rows`."""
    if len(block) <= boosting.max_rows:
        return block
    students, counts = np.unique(block.student, return_counts=True)
    order = np.random.default_rng(boosting.seed).permutation(len(students))
    fits = np.cumsum(counts[order]) <= boosting.max_rows
    return block.take(np.isin(block.student, students[order[fits]]))
