"""Blocks of time that do not see each other, and folds of students that stay."""

import numpy as np
import pandas as pd
import pytest

from features.profiles.difficulty import fit_statistics
from features.profiles.timeline import sort_events
from features.profiles.vocabulary import build_vocabulary
from training.config import Split
from training.data.splits import DAY, fold_of_students, split_time
from training.errors import DataGateError

SHARES = Split(train_share=0.6, calibration_share=0.2, gap_days=2.0, folds=3)


@pytest.fixture
def split(events_of, tags):
    """Splits a log of one student."""
    nothing = fit_statistics(build_vocabulary(tags), np.empty(0, np.int32), np.empty(0, bool))

    def _split(days, settings=SHARES, *, clock=True):
        events = events_of([("s", day, "plus", True) for day in days], clock=clock)
        timeline = sort_events(events, nothing)
        return split_time(timeline, events["sequence"].to_numpy(float)[timeline.row], settings)

    return _split


def places(blocks, name, *, gap):
    return np.flatnonzero(blocks.block(name, gap=gap)).tolist()


def test_every_event_is_in_one_block_in_time_order(split):
    """Of 100 days, 59 train, 20 calibrate and the rest judge."""
    blocks = split(range(100))

    inside = [places(blocks, name, gap=False) for name in ("train", "calibration", "holdout")]

    assert inside == [list(range(59)), list(range(59, 79)), list(range(79, 100))]


def test_rows_near_the_end_of_a_block_are_left_out(split):
    """A gap of two days leaves out the last two days of every block."""
    blocks = split(range(100))

    inside = [places(blocks, name, gap=True) for name in ("train", "calibration", "holdout")]

    assert blocks.gap == 2 * DAY
    assert inside == [list(range(57)), list(range(59, 77)), list(range(79, 98))]


def test_an_outcome_is_read_from_no_later_block(split):
    """The gap's events may still settle an outcome; the next block's may not."""
    blocks = split(range(100))

    assert [int(blocks.seen(name).sum()) for name in ("train", "calibration", "holdout")] == [59, 79, 100]


def test_the_gap_is_never_more_than_a_quarter_of_a_block(split):
    """A short log keeps rows, however long a gap is asked for."""
    blocks = split(range(100), SHARES.model_copy(update={"gap_days": 365.0}))

    assert blocks.gap == pytest.approx(20 * DAY / 4, rel=0.01)
    assert len(places(blocks, "calibration", gap=True)) == 15


def test_a_log_without_a_clock_is_split_by_its_order(split):
    """The source's own order stands in for time, with a gap of a quarter of the shortest block."""
    blocks = split(range(100), clock=False)

    assert places(blocks, "train", gap=False) == list(range(59))
    assert places(blocks, "calibration", gap=True) == list(range(59, 74))


def test_an_event_without_a_time_in_a_log_with_a_clock_is_history_only(events_of, tags):
    """It lies before every block, so that it neither trains nor judges."""
    nothing = fit_statistics(build_vocabulary(tags), np.empty(0, np.int32), np.empty(0, bool))
    events = events_of([("s", day, "plus", True) for day in range(10)])
    events.loc[4, "occurred_at"] = pd.NaT
    timeline = sort_events(events, nothing)

    blocks = split_time(timeline, np.arange(10.0), SHARES)

    timeless = np.flatnonzero(timeline.row == 4)
    assert not any(blocks.block(name, gap=False)[timeless] for name in ("train", "calibration", "holdout"))
    assert blocks.seen("train")[timeless]


@pytest.mark.parametrize("days", [[], [3], [3, 3, 3]])
def test_a_log_of_one_moment_cannot_be_split(split, days):
    """Without a before and an after there is nothing to hold out."""
    with pytest.raises(DataGateError, match="every event is of the same moment"):
        split(days)


def test_a_student_stays_in_a_fold_whoever_else_is_there():
    """Folds are even, and known from the id alone."""
    students = pd.Index([f"s{number}" for number in range(300)])

    folds = fold_of_students(students, 3)

    assert fold_of_students(students[::-7], 3).tolist() == folds[::-7].tolist()
    assert np.bincount(folds).min() > 70


def test_folds_of_another_salt_cut_through_these():
    """Students held out under one salt come from every fold of another, about evenly."""
    students = pd.Index([f"s{number}" for number in range(1000)])

    held_out = students[fold_of_students(students, 5, "test") == 0]

    assert np.bincount(fold_of_students(held_out, 5), minlength=5).min() > 20


def test_later_blocks_are_widened_where_they_hold_too_little(events_of, tags):
    """Ten students begin a skill on each of 20 days: three days hold 30, a quarter of the days holds 50."""
    events = events_of([(f"s{day}-{number}", day, "plus", True) for day in range(20) for number in range(10)])
    nothing = fit_statistics(build_vocabulary(tags), np.empty(0, np.int32), np.empty(0, bool))
    timeline = sort_events(events, nothing)
    usual = Split(train_share=0.7, calibration_share=0.15, gap_days=0.0, folds=3)

    def later(least):
        blocks = split_time(timeline, np.zeros(200), usual, timeline.student, least)
        return [blocks.count(name, timeline.student) for name in ("calibration", "holdout")]

    assert later(20) == [30, 40]
    assert later(35) == [40, 50]
    assert later(45) == later(1000) == [50, 60]
