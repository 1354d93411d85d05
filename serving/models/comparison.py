"""Where students do worse than forecast: funnel comparisons of skills, units, items, blocks, products and sessions.

Adults are never compared: what they do is assigned by need.

Source: Spiegelhalter 2005, Funnel plots for comparing institutional performance, doi 10.1002/sim.1970, with his
multiplicative correction where groups differ by more than chance, tested first.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import chi2

from serving.models.residuals import Ints, Residuals

Floats = npt.NDArray[np.float64]

LEAST_STUDENTS = 20
"""Students of whom anything is compared, at least: of fewer one could be known, and chance says more than the skill."""

WARN, NAMED, ALARM = 1.96, 2.58, 3.09
"""Standard errors of the limits within which 95 %, 99 % and 99.8 % lie by chance.

Skills of a school are named beyond the middle one: of some 25 that are looked at every week, chance then names one or
two a month (`benchmark insight`).
"""

WINSORIZED = 0.1
"""Share of the groups at each end that do not tell how much groups differ anyway."""

SURE = 0.95
"""How unlikely by chance it has to be that groups differ as they do, before the limits are widened."""

BIAS_SD = 0.1
"""By how much forecasts on a skill are off for months, in logits; the weeks before tell, and it is taken off."""

PRIOR_SD = 0.3
"""How much skills change beyond forecasts, in logits: what is shown is shrunk by it."""


@dataclass(frozen=True)
class Comparison:
    """One skill, unit, item, block, product or kind of session.

    Attributes:
        key: Its id or name.
        students: How many students count.
        answers: How many of their answers.
        information: What these say, as an inverse variance in logits.
        difference: By how many logits students answer better than forecast, above the center.
        points: The same as right answers of 100, shrunk towards none by how little is known.
        deviations: The difference in standard errors.
    """

    key: str
    students: int
    answers: int
    information: float
    difference: float
    points: float
    deviations: float


@dataclass(frozen=True)
class Funnel:
    """Groups of answers beside each other.

    Attributes:
        compared: Those with enough students, the one furthest behind first.
        center: The median difference of the groups in logits, from which they are measured.
        inflation: By how much more groups differ than by chance, as a factor of standard errors, 1 or more.
        too_few: Groups that too few students are in.
    """

    compared: tuple[Comparison, ...] = ()
    center: float = 0.0
    inflation: float = 1.0
    too_few: int = 0

    def limit(self, information: float, deviations: float) -> float:
        """The difference from the center at so many standard errors, in logits."""
        return deviations * self.inflation / math.sqrt(information)


@dataclass(frozen=True)
class _Group:
    """What the answers of one group say: sums over its students.

    Attributes:
        students: How many there are.
        answers: How many of their answers.
        score: Right answers less the forecast ones.
        information: Sum of the forecasts' variances.
        spread: Sum over students of the squared differences that the group's shift leaves.
    """

    students: int
    answers: int
    score: float
    information: float
    spread: float


def compare_skills(recent: Residuals, earlier: Residuals) -> Funnel:
    """The funnel of skills: how answers differ from forecasts lately, and not only as they did before.

    Args:
        recent: The answers of the weeks in question.
        earlier: Those of the weeks before.
    """
    return draw_funnel(recent, recent.by_skill(), before=(earlier, earlier.by_skill()))


def draw_funnel(
    answers: Residuals,
    groups: Mapping[str, Ints],
    usual: Funnel | None = None,
    before: tuple[Residuals, Mapping[str, Ints]] | None = None,
) -> Funnel:
    """The funnel of some groups of answers.

    A group's difference is the shift in logits that explains best how its answers differ from their forecasts; its
    standard error is by how much students differ in that.

    Args:
        answers: Beside their forecasts.
        groups: Positions of each group's answers.
        usual: A funnel with the center and inflation to take, for groups that are too few to tell; null: their own.
        before: The same groups in the weeks before, whose bias is taken off; null: none is.
    """
    found = {key: _sum_up(answers, at) for key, at in groups.items() if _count(answers.student[at]) >= LEAST_STUDENTS}
    few = len(groups) - len(found)
    if not found:
        return Funnel(too_few=few)
    noise = max(1.0, sum(each.spread for each in found.values()) / sum(each.information for each in found.values()))
    shift = np.array([each.score / each.information for each in found.values()])
    variance = noise / np.array([each.information for each in found.values()])
    if before is not None:
        bias, doubt = _find_bias([before[1].get(key) for key in found], before[0], noise)
        shift, variance = shift - bias, variance + doubt
    center = _median(shift, 1 / variance) if usual is None else usual.center
    scores = (shift - center) / np.sqrt(variance)
    inflation = _inflate(scores) if usual is None else usual.inflation
    shrunk = (shift - center) / (1 + variance * inflation**2 / PRIOR_SD**2)
    compared = [
        Comparison(
            key,
            each.students,
            each.answers,
            information=float(1 / variance[at]),
            difference=float(shift[at] - center),
            points=float(100 * shrunk[at] * each.information / each.answers),
            deviations=float(scores[at] / inflation),
        )
        for at, (key, each) in enumerate(found.items())
    ]
    return Funnel(tuple(sorted(compared, key=lambda each: each.deviations)), center, inflation, few)


def compare_items(answers: Residuals) -> Funnel:
    """The funnel of items, each student's first answer to each, beside what usual items of the same skills would get.

    Far behind lies an item that is harder than its skill, or that misleads.
    """
    pair = answers.student * len(answers.items) + answers.item
    once = answers.take(np.sort(np.unique(pair, return_index=True)[1]))
    usual = expit(logit(np.clip(once.forecast, 1e-6, 1 - 1e-6)) - once.ease)
    order = np.argsort(once.item, kind="stable")
    codes, begin = np.unique(once.item[order], return_index=True)
    groups = dict(zip(once.items[codes].tolist(), np.split(order, begin[1:]), strict=True))
    return draw_funnel(replace(once, forecast=usual), groups)


def group_by(names: list[str]) -> dict[str, Ints]:
    """Positions of each name.

    Example:
        >>> {name: at.tolist() for name, at in group_by(["b", "a", "b"]).items()}
        {'a': [1], 'b': [0, 2]}
    """
    named = np.array(names, object)
    return {name: np.flatnonzero(named == name) for name in sorted(set(names))}


def _count(students: Ints) -> int:
    return len(np.unique(students))


def _sum_up(answers: Residuals, at: Ints) -> _Group:
    student, forecast = answers.student[at], answers.forecast[at]
    score = np.bincount(student, answers.right[at] - forecast, len(answers.students))
    information = np.bincount(student, forecast * (1 - forecast), len(answers.students))
    shift = score.sum() / information.sum()
    spread = float(((score - shift * information) ** 2).sum())
    return _Group(len(np.unique(student)), len(at), float(score.sum()), float(information.sum()), spread)


def _find_bias(groups: list[Ints | None], earlier: Residuals, noise: float) -> tuple[Floats, Floats]:
    """By how much the forecasts of each group were off in the weeks before, in logits, and the variance of that."""
    bias, doubt = np.zeros(len(groups)), np.full(len(groups), BIAS_SD**2)
    for number, at in enumerate(groups):
        if at is not None:
            each = _sum_up(earlier, at)
            doubt[number] = 1 / (each.information / noise + 1 / BIAS_SD**2)
            bias[number] = doubt[number] * each.score / noise
    return bias, doubt


def _median(values: Floats, weights: Floats) -> float:
    """The weighted median, which a single group far off does not move."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(weights.sum() / 2, reached, values[order]))


def _inflate(scores: Floats) -> float:
    """The factor by which groups differ more than by chance; 1 where chance may explain it."""
    low, high = np.quantile(scores, [WINSORIZED, 1 - WINSORIZED])
    dispersion = float(np.mean(np.clip(scores, low, high) ** 2))
    return math.sqrt(dispersion) if dispersion > chi2.ppf(SURE, len(scores)) / len(scores) else 1.0
