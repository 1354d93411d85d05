"""Audit groups of the challenger beside the champion."""

import numpy as np
import pandas as pd
import pytest

from training.data.dataset import Block
from training.evaluation.comparison import find_slices

STUDENTS = pd.Index([f"s{number}" for number in range(60)])
AUDIT = pd.DataFrame({"student_id": STUDENTS, "column": "language", "value": ["en"] * 40 + ["es"] * 20})


def make_block(student):
    """One row that ended well for each student named."""
    student, zero = np.asarray(student), np.zeros(len(student), np.int32)
    return Block(np.zeros((len(student), 1), np.float32), zero.astype(np.float32), student, student, zero, zero, zero)


def slices(holdout, ours, theirs, least=20):
    return find_slices(AUDIT, STUDENTS, make_block(range(60)), make_block(holdout), ours, theirs, least)


def test_each_group_has_its_own_difference():
    """Spanish speakers get a forecast that is worse, the others the same one."""
    ours = np.where(np.arange(60) < 40, 0.1, 0.5)

    found = slices(range(60), ours, np.full(60, 0.1))

    assert [(each.column, each.group, each.students, each.rows) for each in found] == [
        ("language", "en", 40, 40),
        ("language", "es", 20, 20),
    ]
    assert [each.worse for each in found] == pytest.approx([0.0, np.log(0.9 / 0.5)])
    assert not any(each.missing for each in found)


def test_a_group_that_was_learned_from_and_is_not_there_is_missing():
    """Two of its students are next to nobody; a group that was hardly learned from is not missed."""
    few = [*range(40), *range(40, 42)]

    found = slices(few, np.full(42, 0.1), None)
    without = slices(few, np.full(42, 0.1), None, least=21)

    assert {each.group: (each.missing, each.worse) for each in found} == {"en": (False, None), "es": (True, None)}
    assert [each.group for each in without] == ["en"]
