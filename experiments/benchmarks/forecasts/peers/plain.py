"""Peers without a model: the share correct in training, and the last three answers on the skill."""

import numpy as np

from experiments.benchmarks.forecasts.peers.responses import (
    Fitted,
    Floats,
    Ints,
    Responses,
    fold_unseen,
    share_by,
    sort_sequences,
)

LATEST = 3
"""Responses on the skill that the rule looks back on."""


def fit_majority(train: Responses) -> Fitted:
    """Says the training share to everyone."""
    share = float(train.correct.mean())
    return lambda test: np.full(len(test.correct), share)


def fit_rule(train: Responses) -> Fitted:
    """Reads a table: so many correct of the last three on the skill; before any, the skill's share."""
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
