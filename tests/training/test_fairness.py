"""What an audit shows of each group, and what it keeps to itself."""

import numpy as np
import pandas as pd
import pytest

from features.history import COLUMNS
from training.dataset import Block
from training.fairness import MIN_STUDENTS, audit_groups
from training.models import FORECASTS


@pytest.fixture
def students():
    """Twenty-five students: twelve speak Spanish, nine Polish, of four nothing is known."""
    return pd.Index([f"s{number:02d}" for number in range(25)])


@pytest.fixture
def audit(students):
    languages = ["es"] * 12 + ["pl"] * 9
    return pd.DataFrame({"student_id": students[:21], "column": "language", "value": languages})


def make_block(target, student):
    zeros = np.zeros(len(target), np.int64)
    return Block(
        np.zeros((len(target), 1), np.float32), np.array(target, np.int8), student, zeros.astype(np.int32), zeros
    )


def test_a_group_of_few_students_is_not_reported(students, audit):
    """Nine students are too few for a figure, however many rows they have."""
    block = make_block([0, 1] * 125, np.repeat(np.arange(25), 10))

    (only,) = audit_groups(block, np.full(250, 0.5), students, audit, 0.2)

    assert (only.group, only.students, only.rows) == ("es", 12, 120)
    assert MIN_STUDENTS == 10


def test_a_group_that_is_underestimated_shows(students, audit):
    """All twelve struggle and the forecast says .1: a gap of .9, and nobody of them gets a place."""
    struggling = np.arange(25) < 12
    forecast = np.where(struggling, 0.1, 0.9)

    (group,) = audit_groups(make_block(struggling, np.arange(25)), forecast, students, audit, 0.2)

    assert (group.base_rate, group.mean_forecast, group.ece) == pytest.approx((1.0, 0.1, 0.9))
    assert group.missed_share == 1.0
    assert group.auc is None


def test_figures_of_a_group_are_its_own(students, audit):
    """Half of the twelve struggle and the forecast knows who."""
    struggling = np.arange(25) % 2 == 1
    forecast = np.where(struggling, 0.9, 0.1)

    (group,) = audit_groups(make_block(struggling, np.arange(25)), forecast, students, audit, 0.4)

    assert (group.base_rate, group.missed_share, group.auc) == (0.5, 0.0, 1.0)


def test_no_audit_facts_no_figures(students, audit):
    """A school that tells nothing gets no table."""
    block = make_block([0, 1], np.array([0, 1]))

    assert audit_groups(block, np.array([0.2, 0.8]), students, audit.head(0), 0.2) == []


def test_no_column_of_a_model_is_about_who_a_student_is(simulated_school):
    """The audit's columns are not among the features, which all come from the event log."""
    audited = set(pd.read_csv(simulated_school.folder / "roster" / "demographics.csv")["column"])

    assert audited
    assert all(not audited & {*COLUMNS, *each.columns} for each in FORECASTS)
