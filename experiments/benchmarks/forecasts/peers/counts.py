"""Peers that count earlier answers: plain shares and rules, and logistic regressions on wins and attempts.

In PFA and Best-LR counts enter as log(1 + count), and the ridge penalty is the C = 1 that they were published with.

Source: Pavlik, Cen and Koedinger (2009), "Performance factors analysis: a new alternative to knowledge tracing";
Gervet, Koedinger, Schneider and Mitchell (2020), "When is deep learning the best approach to knowledge tracing?".
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from experiments.benchmarks.forecasts.peers.responses import (
    Codes,
    Fitted,
    Floats,
    Ints,
    Responses,
    count_earlier,
    fold_unseen,
    share_by,
    sort_sequences,
)

Matrix = csr_matrix[np.float64]

LATEST = 3
"""Responses on the skill that the rule looks back on."""


def fit_majority(train: Responses) -> Fitted:
    """Forecasts the share correct in training for everyone."""
    share = float(train.correct.mean())
    return lambda test: np.full(len(test.correct), share)


def fit_rule(train: Responses) -> Fitted:
    """Forecasts from how many of the last three answers on the skill were correct; before any, the skill's share."""
    cell = _look_back(train)
    table = share_by(cell, train.correct, (LATEST + 1) ** 2)
    skill_share = share_by(train.skill, train.correct, train.skills)

    def predict(test: Responses) -> Floats:
        cell = _look_back(test)
        return np.where(cell > 0, table[cell], skill_share[fold_unseen(test.skill, train.skills)])

    return predict


def _look_back(responses: Responses) -> Ints:
    """Returns one code for each count of attempts and of wins among the latest on the skill; 0 for no attempt."""
    sequences = sort_sequences(responses, responses.skill)
    correct = responses.correct[sequences.order].astype(np.int64)
    wins = np.zeros_like(correct)
    for lag in range(1, LATEST + 1):
        wins += np.where(sequences.place >= lag, np.roll(correct, lag), 0)
    cell = np.empty_like(correct)
    cell[sequences.order] = np.minimum(sequences.place, LATEST) * (LATEST + 1) + wins
    return cell


def fit_pfa(train: Responses) -> Fitted:
    """For each skill its intercept and the weights of the student's wins and fails on it."""
    skills = train.skills + 1  # the last column is for unseen skills, and its weight is 0

    def encode(responses: Responses) -> Matrix:
        skill = fold_unseen(responses.skill, train.skills)
        attempts, wins = count_earlier(responses, responses.skill)
        return _stack(
            (skill, np.ones(len(skill)), skills),
            (skill, np.log1p(wins), skills),
            (skill, np.log1p(attempts - wins), skills),
        )

    return _fit(train, encode)


def fit_best_lr(train: Responses) -> Fitted:
    """Easiness of item and skill, and weights of attempts and wins on the skill, on the item and in total.

    Each skill has weights of its own; the counts on the item have one weight for all items, as in the authors' code.
    """
    items, skills = train.items + 1, train.skills + 1  # as above

    def encode(responses: Responses) -> Matrix:
        item, skill = fold_unseen(responses.item, train.items), fold_unseen(responses.skill, train.skills)
        ones, zeros = np.ones(len(item)), np.zeros(len(item), np.int32)
        blocks = [(item, ones, items), (skill, ones, skills)]
        for codes, column, width in ((responses.skill, skill, skills), (responses.item, zeros, 1), (zeros, zeros, 1)):
            blocks += [(column, np.log1p(count), width) for count in count_earlier(responses, codes)]
        return _stack(*blocks)

    return _fit(train, encode)


def _fit(train: Responses, encode: Callable[[Responses], Matrix]) -> Fitted:
    model = LogisticRegression(C=1.0, solver="newton-cg", max_iter=200).fit(encode(train), train.correct)

    def predict(test: Responses) -> Floats:
        probability: Floats = model.predict_proba(encode(test))[:, 1]
        return probability

    return predict


def _stack(*blocks: tuple[Codes, npt.NDArray[np.float64], int]) -> Matrix:
    """Blocks side by side; of each, every row fills one column: (column, value, width)."""
    offsets = np.cumsum([0, *(width for _, _, width in blocks)], dtype=np.int32)
    columns = np.column_stack([column + offset for (column, _, _), offset in zip(blocks, offsets[:-1], strict=True)])
    values = np.column_stack([value for _, value, _ in blocks])
    starts = np.arange(0, columns.size + 1, len(blocks), dtype=np.int32)
    matrix = csr_matrix((values.ravel(), columns.ravel(), starts), shape=(len(values), int(offsets[-1])))
    matrix.eliminate_zeros()
    return matrix
