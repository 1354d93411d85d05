"""Logistic regressions on counts of earlier wins and attempts: PFA and Best-LR.

Counts enter as log(1 + count). Both have the ridge penalty C = 1 that they were published with.

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
    Responses,
    count_earlier,
    fold_unseen,
)

Matrix = csr_matrix[np.float64]


def fit_pfa(train: Responses) -> Fitted:
    """For each skill its easiness and the weights of the student's wins and fails on it."""
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
        for codes, column, width in (
            (responses.skill, skill, skills),
            (responses.item, zeros, 1),
            (zeros, zeros, 1),
        ):
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
