"""What a training row may know: nothing of the student's own answers through statistics, nothing of the future."""

import numpy as np
import pandas as pd
import pytest

from features.profiles.kernel import COLUMNS
from training.config import MasteryRule, Split
from training.data.dataset import build_dataset
from training.data.splits import fold_of_students

EASE = COLUMNS.index("item_ease")


@pytest.fixture(scope="module")
def config(quick_config):
    """Three folds and a short rule, for a small log."""
    split = Split(train_share=0.6, calibration_share=0.2, gap_days=0.0, folds=3)
    return quick_config.model_copy(
        update={"mastery_rule": MasteryRule(streak=2, horizon=3, lapse_days=60), "split": split}
    )


@pytest.fixture(scope="module")
def log(events_of):
    """Twelve students answer two items in turn for ten days, in a fixed pattern of right and wrong."""
    names = [f"s{number}" for number in range(12)]
    return events_of(
        [
            (name, day + number / 100, ("plus", "times")[day % 2], (day * 7 + number * 5) % 3 > 0)
            for number, name in enumerate(names)
            for day in range(10)
        ]
    )


def flip(events, rows):
    flipped = events["correct"].where(~rows, ~events["correct"])
    return events.assign(correct=flipped, score=flipped.astype(float))


def ease_of(dataset, student):
    block = dataset.mastery["train"]
    return block.rows[block.student == dataset.timeline.students.get_loc(student), EASE]


def test_own_answers_do_not_move_the_ease_that_a_student_trains_on(log, tags, config):
    """Ease is counted on other folds of students: the student's own answers do not leak into it."""
    students = pd.Index(log["student_id"].unique())
    fold = fold_of_students(students, config.split.folds)
    me, others = students[0], students[fold != fold[0]]

    before = ease_of(build_dataset(log, tags, config), me)
    own_flipped = ease_of(build_dataset(flip(log, log["student_id"] == me), tags, config), me)
    others_flipped = ease_of(build_dataset(flip(log, log["student_id"].isin(others)), tags, config), me)

    np.testing.assert_array_equal(own_flipped, before)
    assert (others_flipped != before).all()


@pytest.mark.parametrize(("block", "unmoved"), [("calibration", ["train"]), ("holdout", ["train", "calibration"])])
def test_answers_of_a_later_block_change_nothing_before_it(log, tags, config, block, unmoved):
    """Neither rows nor targets of earlier blocks know how later answers turn out."""
    dataset = build_dataset(log, tags, config)
    begin = {"calibration": dataset.blocks.train_end, "holdout": dataset.blocks.calibration_end}[block]
    future = log["occurred_at"] >= pd.Timestamp(begin, unit="us", tz="UTC")

    other = build_dataset(flip(log, future), tags, config)

    for name in unmoved:
        for before, after in ((dataset.struggle, other.struggle), (dataset.mastery, other.mastery)):
            np.testing.assert_array_equal(after[name].rows, before[name].rows)
            np.testing.assert_array_equal(after[name].target, before[name].target)
    assert (other.mastery[block].target != dataset.mastery[block].target).all()


def test_row_order_of_the_log_changes_nothing(log, tags, config):
    """A shuffled file gives the same rows in the same order."""
    shuffled = log.sample(frac=1, random_state=1).reset_index(drop=True)

    one, other = build_dataset(log, tags, config), build_dataset(shuffled, tags, config)

    for name in ("train", "calibration", "holdout"):
        np.testing.assert_array_equal(one.struggle[name].rows, other.struggle[name].rows)
        np.testing.assert_array_equal(one.mastery[name].target, other.mastery[name].target)


def test_an_undecided_outcome_is_filled_in_and_never_a_negative(events_of, tags, config):
    """One student masters, one struggles, one goes on after the block: the last one's outcome is between them."""
    rows = [("masters", day, "plus", True) for day in (0, 1)] + [("struggles", day, "plus", False) for day in (0, 1, 2)]
    rows += [("goes on", day, "plus", False) for day in (0, 1, 8)] + [
        ("later", day, "times", True) for day in range(4, 10)
    ]

    dataset = build_dataset(events_of(rows), tags, config)

    train = dataset.struggle["train"]
    students = dataset.timeline.students[train.student]
    first = dict(zip(students[train.opportunity == 0], train.target[train.opportunity == 0].tolist(), strict=True))
    assert first == {"masters": 0, "struggles": 1, "goes on": 1}  # one answer ahead cannot make two in a row
    second = dict(zip(students[train.opportunity == 1], train.target[train.opportunity == 1].tolist(), strict=True))
    assert 0 < second["goes on"] < 1


def test_an_episode_is_on_the_skill_that_the_students_own_rows_name(log, tags, config):
    """Students in two conditions answer the same items under two tags: nobody has an episode under the other's."""
    even = log["student_id"].str[1:].astype(int) % 2 == 0
    conditions = log.assign(skills=np.where(even, "2 halves", "20 halves"))

    dataset = build_dataset(conditions, tags, config)

    vocabulary, timeline = dataset.statistics.vocabulary, dataset.timeline
    names = pd.DataFrame({"student": timeline.students[timeline.student], "skill": vocabulary.nodes[timeline.node]})
    assert len(names.drop_duplicates()) == log["student_id"].nunique()
    blocks = dataset.mastery.values()
    assert len(np.unique(np.concatenate([block.episode for block in blocks]))) == log["student_id"].nunique()
    assert dataset.mastery["train"].opportunity.max() > 3  # opportunities of both items count on the one skill


def test_the_holdout_of_the_same_statistics_is_the_holdout(school_dataset):
    """A champion with the challenger's own statistics is judged on the very same rows."""
    rows = school_dataset.holdout_rows(school_dataset.statistics)

    np.testing.assert_array_equal(rows["struggle"], school_dataset.struggle["holdout"].rows)
    np.testing.assert_array_equal(rows["mastery"], school_dataset.mastery["holdout"].rows)


def test_a_champion_with_other_statistics_sees_the_same_histories(school_dataset, school_log, quick_config):
    """Its items have other codes and other eases, but every student has done the same work."""
    events, item_skills = school_log
    older = events[events["occurred_at"] < events["occurred_at"].quantile(0.3)]
    few = item_skills[item_skills["item_id"].isin(older["item_id"])]
    champion = build_dataset(older, few, quick_config).statistics
    known = champion.extend(item_skills, events["item_id"])
    assert not known.vocabulary.items.equals(school_dataset.statistics.vocabulary.items)

    rows = school_dataset.holdout_rows(known)["mastery"]

    own = school_dataset.mastery["holdout"].rows
    for name in ("student_responses", "skill_opportunities", "skill_streak", "item_responses", "days_since_skill"):
        np.testing.assert_array_equal(rows[:, COLUMNS.index(name)], own[:, COLUMNS.index(name)])
    assert not np.array_equal(rows[:, EASE], own[:, EASE])
