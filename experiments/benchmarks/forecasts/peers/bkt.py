"""Bayesian knowledge tracing: each skill is known or not, and may be learned at each response, never forgotten.

Source: Corbett and Anderson (1995), "Knowledge tracing: modeling the acquisition of procedural knowledge"; fitted by
expectation-maximization (Baum et al. 1970), with the bounds on guess and slip of Beck and Chang (2007),
"Identifiability: a fundamental problem of student modeling".
"""

import math
from itertools import pairwise

import numba as nb
import numpy as np
import numpy.typing as npt

from experiments.benchmarks.forecasts.peers.responses import (
    Answers,
    Fitted,
    Floats,
    Ints,
    Responses,
    fold_unseen,
    sort_sequences,
)

Parameters = npt.NDArray[np.float64]
"""Prior (known before the first response), learn (per response), guess and slip of a skill; several skills are rows."""

STARTS = np.array([(0.5, 0.1, 0.2, 0.1), (0.2, 0.3, 0.2, 0.1), (0.2, 0.03, 0.4, 0.2), (0.7, 0.03, 0.3, 0.3)])
"""Parameters that the fit of a skill starts from; the best end is kept."""

LOWEST = np.array([0.001, 0.0001, 0.001, 0.001])
HIGHEST = np.array([0.999, 0.9, 0.5, 0.5])
"""Guess and slip stay at or under one half, or knowing a skill could mean answering wrong."""

WEIGHT = 5.0
"""A parameter is drawn to that of all skills together as if by so many more cases."""

ITERATIONS, ENOUGH = 300, 1e-4
"""The fit ends after so many iterations, or when no parameter moves by more than this."""


def fit_bkt(train: Responses) -> Fitted:
    """Four parameters per skill; unseen skills have those of all skills together."""
    parameters = fit_parameters(train)

    def predict(test: Responses) -> Floats:
        sequences = sort_sequences(test, test.skill)
        skill = fold_unseen(test.skill, train.skills)[sequences.order]
        probability = np.empty(len(skill))
        probability[sequences.order] = _trace(test.correct[sequences.order], sequences.place, skill, parameters)
        return probability

    return predict


def fit_parameters(train: Responses) -> Parameters:
    """Returns one row per skill, and a last one of all skills together."""
    sequences = sort_sequences(train, train.skill)
    correct, skill = train.correct[sequences.order], train.skill[sequences.order]
    pooled = _fit_best(correct, sequences.place, STARTS, STARTS[0])
    starts = np.vstack([pooled, STARTS])
    bounds = np.searchsorted(skill, np.arange(train.skills + 1))
    parameters = np.tile(pooled, (train.skills + 1, 1))
    for code, (first, last) in enumerate(pairwise(bounds.tolist())):
        if last > first:
            parameters[code] = _fit_best(correct[first:last], sequences.place[first:last], starts, pooled)
    return parameters


@nb.njit(cache=True)
def _fit_best(correct: Answers, place: Ints, starts: Parameters, pooled: Parameters) -> Parameters:
    best, highest = pooled.copy(), -np.inf
    for start in starts:
        fitted = _fit_from(correct, place, start, pooled)
        likelihood = _weigh(correct, place, fitted, pooled)
        if likelihood > highest:
            best, highest = fitted, likelihood
    return best


@nb.njit(cache=True)
def _fit_from(correct: Answers, place: Ints, start: Parameters, pooled: Parameters) -> Parameters:
    """Expectation-maximization; smoothing runs backwards through each sequence from what was known at each response."""
    now = start.copy()
    known = np.empty(len(correct))  # probability after seeing the response, before learning from it
    for _ in range(ITERATIONS):
        prior, learn, guess, slip = now
        cases, hits = np.full(4, WEIGHT), pooled * WEIGHT
        for row in range(len(correct)):
            before = prior if place[row] == 0 else known[row - 1] + (1 - known[row - 1]) * learn
            if correct[row] == 1:
                known[row] = before * (1 - slip) / (before * (1 - slip) + (1 - before) * guess)
            else:
                known[row] = before * slip / (before * slip + (1 - before) * (1 - guess))
        after = 0.0  # probability of knowing at the response that follows, given the whole sequence
        for row in range(len(correct) - 1, -1, -1):
            smooth = known[row]
            if row + 1 < len(correct) and place[row + 1] > 0:
                ratio = after / (known[row] + (1 - known[row]) * learn)
                smooth = known[row] * ratio
                cases[1] += 1 - smooth
                hits[1] += (1 - known[row]) * learn * ratio
            if place[row] == 0:
                cases[0] += 1
                hits[0] += smooth
            cases[2] += 1 - smooth
            cases[3] += smooth
            if correct[row] == 1:
                hits[2] += 1 - smooth
            else:
                hits[3] += smooth
            after = smooth
        moved = np.minimum(np.maximum(hits / cases, LOWEST), HIGHEST)
        largest = np.abs(moved - now).max()
        now = moved
        if largest < ENOUGH:
            break
    return now


@nb.njit(cache=True)
def _weigh(correct: Answers, place: Ints, parameters: Parameters, pooled: Parameters) -> float:
    """Returns the log-likelihood plus the log-density of the prior that draws to the pooled parameters."""
    chance = _trace(correct, place, np.zeros(len(correct), np.int32), parameters.reshape(1, 4))
    total = float(np.sum(WEIGHT * (pooled * np.log(parameters) + (1 - pooled) * np.log(1 - parameters))))
    for row in range(len(correct)):
        total += math.log(chance[row] if correct[row] == 1 else 1 - chance[row])
    return total


@nb.njit(cache=True)
def _trace(correct: Answers, place: Ints, skill: npt.NDArray[np.int32], parameters: Parameters) -> Floats:
    """Returns the probability of a correct answer at each response, from what came before it in its sequence."""
    chance = np.empty(len(correct))
    known = 0.0
    for row in range(len(correct)):
        prior, learn, guess, slip = parameters[skill[row]]
        if place[row] == 0:
            known = prior
        chance[row] = known * (1 - slip) + (1 - known) * guess
        known *= (1 - slip) / chance[row] if correct[row] == 1 else slip / (1 - chance[row])
        known += (1 - known) * learn
    return chance
