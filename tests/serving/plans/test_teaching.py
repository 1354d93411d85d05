"""What to teach a group: the items it misses most, what they share, and an exit check."""

import numpy as np
import pandas as pd
import pytest

from serving.models.answers import ItemAnswers
from serving.plans.need.teaching import MissedItem, plan_teaching

# The skills of each item, and the share of right answers to it.
ITEMS = {
    "a1": ("ratios", 0.6), "a2": ("ratios", 0.5), "a3": ("percent~ratios", 0.4), "a4": ("percent~ratios", 0.3),
    "b1": ("ratios", 0.7), "b2": ("ratios", 0.95), "b3": ("percent~ratios", 0.65), "z": ("percent", 0.1),
    "n": ("", 0.5),
}  # fmt: skip


@pytest.fixture
def answers():
    """Three students; the latest answers of each, True for right."""
    known = [
        {"a1": False, "a2": True, "a3": False, "a4": False, "z": False},
        {"a1": False, "a2": True, "a3": False, "n": False},
        {"a2": False, "a3": False, "b2": True},
    ]
    names = list(ITEMS)
    skills = sorted({skill for skill, _ in ITEMS.values()})
    return ItemAnswers(
        items=pd.Index(names, dtype="str"),
        node=np.array([skills.index(skill) for skill, _ in ITEMS.values()], np.int32),
        nodes=[tuple(skill.split("~")) if skill else () for skill in skills],
        share=np.array([share for _, share in ITEMS.values()]),
        position={"s": 0, "t": 1, "u": 2},
        start=np.cumsum([0, *map(len, known)]),
        item=np.array([names.index(item) for student in known for item in student], np.int32),
        right=np.array([right for student in known for right in student.values()]),
    )


def test_the_most_missed_items_come_first_with_what_they_share(answers):
    teaching = plan_teaching(answers, "ratios", ("s", "t", "u"))

    assert teaching.missed == (MissedItem("a3", 3), MissedItem("a1", 2), MissedItem("a4", 1), MissedItem("a2", 1))
    assert teaching.shared == (("percent", 2),)


def test_an_exit_check_has_items_that_nobody_has_seen_and_that_need_nothing_else(answers):
    """Of middling difficulty first; items that need another skill as well come last."""
    assert plan_teaching(answers, "ratios", ("s", "t")).exit_check == ("b1", "b2", "b3")
    assert plan_teaching(answers, "ratios", ("s", "t", "u")).exit_check == ("b1", "b3")


def test_a_group_that_has_answered_nothing_misses_nothing(answers):
    teaching = plan_teaching(answers, "ratios", ("unknown",))

    assert teaching.missed == ()
    assert len(teaching.exit_check) == 3
    assert plan_teaching(answers, "no such skill", ("s",)).exit_check == ()
