"""How easy each item is once the strength of those who answered it is taken into account.

A share of correct answers mistakes an item that only strong students see for an easy one. The Rasch model does not:
the logit of a correct answer is the student's ability minus the item's difficulty. What is kept here is the logit for
a student of average ability, that is minus the difficulty: higher is easier. Little evidence pulls an item towards its
skill, a skill towards the whole log, and a student towards the average student.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt

ABILITY_VARIANCE = 1.0
"""Variance of students around the average student, in squared logits."""

ITEM_VARIANCE = 0.5
"""Variance of items around their skill, in squared logits."""

SKILL_VARIANCE = 1.0
"""Variance of skills around the whole log, in squared logits."""

PASSES = 20
"""Rounds of Newton's steps over students, items and skills.

Twenty more move the items of two public logs by .0004 on average, and none by .1.
"""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RaschModel:
    """The logit of a correct answer of a student of average ability: minus the difficulty.

    Attributes:
        item: One per item.
        node: One per skill node, which an unseen item of it gets.
        overall: What an unseen node gets.
    """

    item: Floats
    node: Floats
    overall: float


def fit_rasch(
    student: npt.NDArray[np.int64],
    item: npt.NDArray[np.int32],
    correct: npt.NDArray[np.bool_],
    node_of_item: npt.NDArray[np.int32],
    nodes: int,
    node_of_response: npt.NDArray[np.int32] | None = None,
) -> RaschModel:
    """Fits the Rasch model to first attempts by penalized maximum likelihood.

    Source: Rasch (1960), with normal priors as in De Boeck and Wilson (2004), "Explanatory item response models".

    Args:
        student: Code of each response's student, from 0.
        item: Code of each response's item.
        correct: Whether each response was correct.
        node_of_item: The skill node that each item mostly is about; its logit is on that node.
        nodes: Number of nodes.
        node_of_response: The skill node of each response; without it, its item's.

    Example:
        >>> correct = np.arange(100) % 4 > 0
        >>> fitted = fit_rasch(np.arange(100), np.zeros(100, np.int32), correct, np.zeros(1, np.int32), 1)
        >>> bool(fitted.item[0] > 0.9)
        True
    """
    items = len(node_of_item)
    share = (correct.sum() + 1) / (len(correct) + 2)
    ability = np.zeros(int(student.max(initial=-1)) + 1)
    node, deviation = np.zeros(nodes), np.zeros(items)
    of_response = node_of_item[item] if node_of_response is None else node_of_response
    overall = _fit(student, item, correct, of_response, ability, deviation, node, float(np.log(share / (1 - share))))
    return RaschModel(overall + node[node_of_item] + deviation, overall + node, overall)


@nb.njit(cache=True, error_model="numpy")
def _fit(
    student: npt.NDArray[np.int64],
    item: npt.NDArray[np.int32],
    correct: npt.NDArray[np.bool_],
    node_of_response: npt.NDArray[np.int32],
    ability: Floats,
    deviation: Floats,
    node: Floats,
    overall: float,
) -> float:
    for _ in range(PASSES):
        for part in range(3):
            size = len(ability) if part == 0 else (len(deviation) if part == 1 else len(node))
            pull = np.zeros(size)
            weight = np.zeros(size)
            for row in range(len(item)):
                code = item[row]
                logit = overall + node[node_of_response[row]] + deviation[code] + ability[student[row]]
                expected = 1.0 / (1.0 + np.exp(-logit))
                at = student[row] if part == 0 else (code if part == 1 else node_of_response[row])
                pull[at] += correct[row] - expected
                weight[at] += expected * (1.0 - expected)
            if part == 0:
                _step(ability, pull, weight, ABILITY_VARIANCE)
                mean = 0.0
                for value in ability:
                    mean += value / len(ability)
                ability -= mean
                overall += mean
            elif part == 1:
                _step(deviation, pull, weight, ITEM_VARIANCE)
            else:
                _step(node, pull, weight, SKILL_VARIANCE)
    return overall


@nb.njit(cache=True, error_model="numpy")
def _step(value: Floats, pull: Floats, weight: Floats, variance: float) -> None:
    """One Newton step of every value towards the mode of likelihood times normal prior, cut where it would leap."""
    for at in range(len(value)):
        step = (pull[at] - value[at] / variance) / (weight[at] + 1.0 / variance)
        value[at] += min(max(step, -1.0), 1.0)
