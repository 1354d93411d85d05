"""A forecast beside the facts that people see."""

import numpy as np
import pytest

from training.data.dataset import Block
from training.evaluation.agreement import compare_with_facts


@pytest.fixture
def block():
    """Six students with two rows each: after three wrong answers, of which two thirds struggle; and after two right."""
    hard, size = np.arange(12) % 2 == 0, 12
    target = np.where(hard, np.arange(12) < 8, 0).astype(np.float32)
    opportunity, right = np.where(hard, 3, 2).astype(np.int32), np.where(hard, 0, 2).astype(np.int32)
    student = np.arange(size) // 2
    return Block(
        np.zeros((size, 0), np.float32), target, student, np.arange(size), opportunity, right,
        np.where(hard, -3, 2).astype(np.int32),
    )  # fmt: skip


def test_cells_hold_rows_with_the_same_facts(block):
    wrong, right = sorted(compare_with_facts(block, np.full(12, 0.1), 1), key=lambda cell: cell.run)

    assert (wrong.words, wrong.rows, wrong.observed) == (
        "3 attempts, none right, the last 3 wrong",
        6,
        pytest.approx(2 / 3),
    )
    assert (right.words, right.observed) == ("2 attempts, all right, the last 2 right", 0.0)
    assert wrong.gap == pytest.approx(0.1 - 2 / 3)
    assert right.is_outside(0.02)
    assert not right.is_outside(0.11)
    assert wrong.low < wrong.observed < wrong.high


def test_small_cells_say_nothing(block):
    assert compare_with_facts(block, np.full(12, 0.1), 7) == []
