"""What a model has to beat: the share of the training block, a plain rule, and a logistic model on counts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from features.profiles.fold import Rows
from features.profiles.kernel import COLUMNS
from training.config import Evaluation
from training.data.dataset import Block

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """A named way to forecast, already fitted.

    Attributes:
        name: `majority`, `rule` or `logistic`.
        predict: Probabilities for rows of kernel columns.
    """

    name: str
    predict: Callable[[Rows], Floats]


def fit_baselines(train: Block, settings: Evaluation) -> tuple[Baseline, ...]:
    """Fits every baseline on the training block."""
    return fit_majority(train), fit_rule(train, settings.rule_wrong_in_a_row), fit_logistic(train)


def fit_majority(train: Block) -> Baseline:
    """Fits the baseline that forecasts the training block's share for every row."""
    share = float(train.target.mean())
    return Baseline("majority", lambda rows: np.full(len(rows), share))


def fit_rule(train: Block, wrong_in_a_row: int) -> Baseline:
    """Fits the share of rows with target 1 for the rule that staff use: so many wrong in a row on the skill, or not.

    The last answers on the skill are read from its exponential average of rate .5: the share that the latest k
    answers weigh is 1 - 2^-k, so an average below 2^-k means that all k were wrong.
    """
    column = COLUMNS.index("skill_correct_ewm_50")
    seen = COLUMNS.index("skill_opportunities")

    def flagged(rows: Rows) -> npt.NDArray[np.bool_]:
        return (rows[:, column] < 0.5**wrong_in_a_row) & (rows[:, seen] >= wrong_in_a_row)

    hit = flagged(train.rows)
    share_if_flagged, share_if_not = _share(train.target[hit]), _share(train.target[~hit])
    return Baseline("rule", lambda rows: np.where(flagged(rows), share_if_flagged, share_if_not))


def fit_logistic(train: Block) -> Baseline:
    """Fits a logistic model on log counts of attempts and of correct answers, by skill and in total, and on ease.

    Source: the count columns of Best-LR (Gervet et al. 2020), with the skill's and the item's usual share in place of
    one column per skill and item.
    """

    def counts(rows: Rows) -> Floats:
        def column(name: str) -> Floats:
            return rows[:, COLUMNS.index(name)].astype(np.float64)

        table = [np.nan_to_num(column("item_ease")), column("skill_ease")]
        for seen, share in (
            ("student_responses", "student_correct_share"),
            ("skill_opportunities", "skill_correct_share"),
        ):
            attempts = column(seen)
            table += [np.log1p(attempts), np.log1p(attempts * column(share))]
        table.append(np.log1p(column("skill_streak")))
        return np.column_stack(table)

    scaler = StandardScaler().fit(counts(train.rows))
    if train.target.min() == train.target.max():
        return Baseline("logistic", fit_majority(train).predict)
    table = scaler.transform(counts(train.rows))
    # a target between 0 and 1 is that share of a row of either class
    weights = np.concatenate([train.target, 1 - train.target])
    twice, classes = np.tile(table, (2, 1))[weights > 0], np.repeat([1, 0], len(table))[weights > 0]
    model = LogisticRegression(max_iter=300).fit(twice, classes, sample_weight=weights[weights > 0])
    return Baseline("logistic", lambda rows: model.predict_proba(scaler.transform(counts(rows)))[:, 1])


def _share(target: npt.NDArray[np.float32]) -> float:
    return float((target.sum() + 1) / (len(target) + 2))
