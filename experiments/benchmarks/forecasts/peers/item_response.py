"""The one-parameter item response model (Rasch): log-odds of a correct answer = item logit + ability.

Easiness is the skill's plus what sets the item apart from its skill. Skills, items and students have normal priors,
whose variances are fitted too (empirical Bayes), so that rare items stay close to their skill.

Source: Rasch (1960), "Probabilistic models for some intelligence and attainment tests"; for unseen students, Gervet et
al. (2020), "When is deep learning the best approach to knowledge tracing?"; for the running posterior, Bock and
Mislevy (1982), "Adaptive EAP estimation of ability in a microcomputer environment".
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from experiments.benchmarks.forecasts.peers.responses import Answers, Fitted, Floats, Ints, Responses, fold_unseen

SWEEPS, ENOUGH = 100, 1e-3
"""The fit ends after so many sweeps, or when no effect moves by more than this in log-odds."""

POINTS, REACH = 81, 4.0
"""Abilities that the running posterior is kept at, and how many standard deviations they reach."""


@dataclass(frozen=True)
class Scale:
    """Fitted parameters in log-odds.

    Attributes:
        skill: Easiness of each skill; the last entry is for unseen skills.
        item: Easiness of each item beyond its skill's; the last entry, for unseen items, is 0.
        ability_sd: Spread of the students' abilities around 0.
    """

    skill: Floats
    item: Floats
    ability_sd: float

    def item_logit(self, responses: Responses) -> Floats:
        """Returns the log-odds that a student of ability 0 answers correctly."""
        skill, item = fold_unseen(responses.skill, len(self.skill) - 1), fold_unseen(responses.item, len(self.item) - 1)
        return self.skill[skill] + self.item[item]


def fit_item_response(train: Responses) -> Fitted:
    """Fits item logits alone: every student sits at the prior mean, as students unseen in training do."""
    scale = fit_scale(train)
    return lambda test: expit(scale.item_logit(test))


def fit_item_response_online(train: Responses) -> Fitted:
    """Fits a model whose posterior of the student's ability moves with each response, and averages over it."""
    scale = fit_scale(train)
    points = np.linspace(-REACH, REACH, POINTS)
    prior = np.exp(-(points**2) / 2)

    def predict(test: Responses) -> Floats:
        item_logit = scale.item_logit(test)
        return _follow(test.student, test.correct, item_logit, points * scale.ability_sd, prior / prior.sum())

    return predict


def fit_scale(train: Responses) -> Scale:
    """Posterior modes of all effects together, by Newton steps for one kind of effect after the other.

    Effects of a kind sum to zero where the fit ends, so what they have in common goes to the intercept at once. A
    variance is the mean of squared effect plus posterior variance, as in EM, with the kinds taken as independent.
    """
    _, student = np.unique(train.student, return_inverse=True)
    kinds: list[npt.NDArray[np.integer]] = [train.skill, train.item, student]
    sizes = [train.skills + 1, train.items + 1, int(student.max()) + 1]
    effects, variances = [np.zeros(size) for size in sizes], [1.0] * len(kinds)
    intercept = float(logit(train.correct.mean()))
    log_odds = np.full(len(student), intercept)
    for _ in range(SWEEPS):
        largest = 0.0
        for kind, (codes, size) in enumerate(zip(kinds, sizes, strict=True)):
            effect, chance = effects[kind], expit(log_odds)
            curve = np.bincount(codes, chance * (1 - chance), size)
            seen, certainty = curve > 0, curve + 1 / variances[kind]
            step = (np.bincount(codes, train.correct - chance, size) - effect / variances[kind]) / certainty
            log_odds += step[codes]
            effect += step
            common = float(effect[seen].mean())
            effect[seen] -= common
            intercept += common
            variances[kind] = float(np.mean((effect**2 + 1 / certainty)[seen]))
            largest = max(largest, float(np.abs(step).max()))
        if largest < ENOUGH:
            break
    skill, item, _ = effects
    return Scale(intercept + skill, item, variances[-1] ** 0.5)


@nb.njit(cache=True)
def _follow(student: Ints, correct: Answers, item_logit: Floats, points: Floats, prior: Floats) -> Floats:
    odds_against = np.exp(-points)
    belief = prior.copy()
    chance = np.empty(len(points))
    probability = np.empty(len(student))
    for row in range(len(student)):
        if row == 0 or student[row] != student[row - 1]:
            belief[:] = prior
        against = np.exp(-item_logit[row])
        expected = 0.0
        for point in range(len(points)):
            chance[point] = 1 / (1 + against * odds_against[point])
            expected += belief[point] * chance[point]
        probability[row] = expected
        for point in range(len(points)):
            belief[point] *= chance[point] if correct[row] == 1 else 1 - chance[point]
        belief /= belief.sum()  # dividing by what was expected instead lets rounding grow with every surprise
    return probability
