"""Where students do worse than expected: funnel comparisons of skills, units, items, blocks, products and sessions.

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

from serving.models.insight.residuals import Ints, Residuals

Floats = npt.NDArray[np.float64]

LEAST_STUDENTS = 20
"""Students of whom anything is compared, at least: of fewer one could be known, and chance says more than the skill."""

WARN, NAMED, ALARM = 1.96, 2.4, 3.09
"""Standard errors of the limits within which 95 %, 98.4 % and 99.8 % lie by chance.

Skills of a school are named beyond the middle one: of some 28 that are looked at every week, chance then names two
in three months (`benchmark insight`).
"""

WINSORIZED = 0.1
"""Share of the groups at each end that do not tell how much groups differ anyway."""

SURE = 0.95
"""How unlikely by chance it has to be that groups differ as they do, before the limits are widened."""

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
class Group:
    """What the answers of one group say.

    Attributes:
        students: How many there are.
        answers: How many of their answers.
        shift: By how many logits they answer better than expected.
        information: What is known of that, as an inverse variance.
        evenness: Sum of the variances of the answers; a logit is so many more right ones.
    """

    students: int
    answers: int
    shift: float
    information: float
    evenness: float


def draw_funnel(answers: Residuals, groups: Mapping[str, Ints], usual: Funnel | None = None) -> Funnel:
    """The funnel of some groups of answers beside their forecasts.

    A group's difference is the shift in logits that explains best how its answers differ from their forecasts; its
    standard error is by how much students differ in that.

    Args:
        answers: Beside their forecasts.
        groups: Positions of each group's answers.
        usual: A funnel with the center and inflation to take, for groups that are too few to tell; null: their own.
    """
    summed = {key: _sum_up(answers, at) for key, at in groups.items() if _count(answers.student[at]) >= LEAST_STUDENTS}
    spread = sum(spread for _, spread in summed.values())
    noise = max(1.0, spread / sum(each.information for each, _ in summed.values())) if summed else 1.0
    found = {key: replace(each, information=each.information / noise) for key, (each, _) in summed.items()}
    return place(found, len(groups) - len(found), usual)


def place(found: Mapping[str, Group], few: int, usual: Funnel | None = None) -> Funnel:
    """Puts groups beside each other.

    Args:
        found: What each says.
        few: Groups left out, for too few students.
        usual: A funnel with the center and inflation to take; null: their own.
    """
    if not found:
        return Funnel(too_few=few)
    shift = np.array([each.shift for each in found.values()])
    information = np.array([each.information for each in found.values()])
    center = _median(shift, information) if usual is None else usual.center
    scores = (shift - center) * np.sqrt(information)
    inflation = _inflate(scores) if usual is None else usual.inflation
    shrunk = (shift - center) / (1 + inflation**2 / information / PRIOR_SD**2)
    compared = [
        Comparison(
            key,
            each.students,
            each.answers,
            each.information,
            difference=float(shift[at] - center),
            points=float(100 * shrunk[at] * each.evenness / each.answers),
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


def _sum_up(answers: Residuals, at: Ints) -> tuple[Group, float]:
    """A group as if all students differed from forecasts alike, and the squared differences that its shift leaves."""
    student, forecast = answers.student[at], answers.forecast[at]
    score = np.bincount(student, answers.right[at] - forecast, len(answers.students))
    information = np.bincount(student, forecast * (1 - forecast), len(answers.students))
    known = float(information.sum())
    shift = float(score.sum()) / known
    return Group(_count(student), len(at), shift, known, known), float(((score - shift * information) ** 2).sum())


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
