"""What to teach in an adult-led session: the items its students miss most, what these share, and an exit check."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serving.models.answers import ItemAnswers

MOST_MISSED = 5
"""Missed items that are told: what an adult can go through in a session."""

EXIT_ITEMS = 3

EXIT_SHARE = 0.65
"""Share of right first attempts of items for an exit check: neither given away nor hopeless."""


@dataclass(frozen=True)
class MissedItem:
    """An item, and how many students of the session had it wrong at their latest attempt."""

    item: str
    students: int


@dataclass(frozen=True)
class Teaching:
    """What to teach in a session; ids of items only.

    Attributes:
        missed: Items of the skill that students of the session had wrong at their latest attempt, most students first.
        shared: Other skills that several of these items need as well, with the number of the items.
        exit_check: Items of the skill that no student of the session has seen, of about equal, middling difficulty.
    """

    missed: tuple[MissedItem, ...]
    shared: tuple[tuple[str, int], ...]
    exit_check: tuple[str, ...]


def plan_teaching(answers: ItemAnswers, skill: str, students: Sequence[str]) -> Teaching:
    """Returns what to teach a group on a skill, by what its students answered so far.

    Args:
        answers: Latest answers, live ones included.
        skill: The skill of the session.
        students: Those of the session.
    """
    items = answers.items_of(skill)
    wrong = np.zeros(len(answers.items), np.int32)
    seen = np.zeros(len(answers.items), bool)
    for student in students:
        item, right = answers.answered(student)
        seen[item] = True
        wrong[item[~right]] += 1
    missed = items[wrong[items] > 0]
    missed = missed[np.lexsort((missed, answers.share[missed], -wrong[missed]))][:MOST_MISSED]
    others = Counter(other for item in missed.tolist() for other in answers.skills_of(item) if other != skill)
    fresh = items[~seen[items]]
    alone = np.array([len(answers.skills_of(item)) == 1 for item in fresh.tolist()], bool)
    fresh = fresh[np.lexsort((fresh, np.abs(answers.share[fresh] - EXIT_SHARE).round(2), ~alone))][:EXIT_ITEMS]
    return Teaching(
        missed=tuple(MissedItem(str(answers.items[item]), int(wrong[item])) for item in missed.tolist()),
        shared=tuple((other, count) for other, count in others.most_common() if count > 1),
        exit_check=tuple(str(answers.items[item]) for item in fresh.tolist()),
    )
