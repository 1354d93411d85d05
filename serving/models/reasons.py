"""Why a forecast is what it is, in families of columns, checked against the answers that are told beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.profiles.columns import FAMILIES
from serving.models.status import OPPORTUNITIES, RECENT, SHARE, Rows, Thresholds

Floats = npt.NDArray[np.float64]

NAMES = tuple(FAMILIES)
"""The families in the order of their weights."""

REASON_FROM = 0.05
"""Logits from which a family is a reason; less moves no probability by more than .0125."""

ABOUT_ANSWERS = frozenset({"recent", "stint"})
"""Families that say no more than the latest answers do, so that they cannot explain what contradicts these."""


@dataclass(frozen=True)
class Reason:
    """One family of columns that moves a forecast; an association, not a cause.

    Attributes:
        family: A key of `features.profiles.columns.FAMILIES`.
        effect: `raises` or `lowers` the forecast.
        weight: How far it moves the forecast, in logits.
    """

    family: str
    effect: Literal["raises", "lowers"]
    weight: float


def find_contradictions(rows: Rows, risk: Floats, rule: Thresholds) -> npt.NDArray[np.bool_]:
    """Finds the struggle risks that are low beside nothing but wrong answers, or high beside nothing but right ones.

    Args:
        rows: The kernel's columns, one row per forecast.
        risk: Struggle risk of each row, 0-1.
        rule: What is low and what is high.
    """
    share = rows[:, SHARE]  # null before the first answer, which compares as false
    only_wrong, only_right = np.equal(share, 0.0), np.equal(share, 1.0)
    return np.asarray((only_wrong & (risk < rule.low_risk)) | (only_right & (risk > rule.high_risk)))


def choose_reasons(
    row: Sequence[float] | Rows, risk: float, weights: Floats, rule: Thresholds, most: int = 3
) -> tuple[Reason, ...] | None:
    """Chooses the reasons to tell beside a struggle risk, the strongest first, so that they agree with the facts.

    Where a low risk stands beside nothing but wrong answers, or a high one beside nothing but right ones, the families
    that are not about these answers have to move it to that side further than those that are move it at all, and the
    strongest of them is among the reasons. Where they do not, the forecast has to be withheld.

    Args:
        row: The kernel's columns.
        risk: The struggle risk, 0-1.
        weights: How far each family of `FAMILIES` moves it, in logits.
        rule: What is low and what is high.
        most: Reasons to tell.

    Returns:
        At most `most` reasons; None where the facts contradict the forecast and nothing explains it.

    Example:
        >>> rule = Thresholds(3, 10, 60.0, 2, 5, 3, 0.5, 0.2, 0.5)
        >>> row = np.zeros(99, np.float32)
        >>> row[[OPPORTUNITIES, SHARE]] = 3, 0.0  # three answers, all wrong
        >>> weights = np.zeros(len(NAMES))
        >>> weights[[NAMES.index("recent"), NAMES.index("overall")]] = 0.9, -1.5
        >>> [(reason.family, reason.effect) for reason in choose_reasons(row, 0.06, weights, rule, most=1)]
        [('overall', 'lowers')]
        >>> choose_reasons(row, 0.06, -weights, rule) is None
        True
    """
    ranked = [
        Reason(NAMES[at], "raises" if weights[at] > 0 else "lowers", round(float(weights[at]), 3))
        for at in np.argsort(-np.abs(weights), kind="stable")
        if abs(weights[at]) >= REASON_FROM
    ]
    facts = np.asarray(row, np.float32)
    if not find_contradictions(facts[None, :], np.array([risk]), rule)[0]:
        return tuple(ranked[:most])
    told = ABOUT_ANSWERS | {"skill"} if facts[OPPORTUNITIES] <= RECENT else ABOUT_ANSWERS
    is_told = np.isin(NAMES, list(told))
    effect, sign = ("lowers", -1.0) if facts[SHARE] == 0.0 else ("raises", 1.0)
    explains = [place for place, each in enumerate(ranked) if each.effect == effect and each.family not in told]
    if not explains or sign * weights[~is_told].sum() < abs(weights[is_told].sum()):
        return None
    return tuple(ranked[:most] if explains[0] < most else [*ranked[: most - 1], ranked[explains[0]]])
