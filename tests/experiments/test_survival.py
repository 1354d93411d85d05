"""The struggle forecast as a survival model: what a step counts for, and what follows from the rule alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.benchmarks.benchmark_log import BenchmarkLog, split_training_students
from experiments.benchmarks.hazard import STREAK, expand_steps, fit_survival
from experiments.benchmarks.survival import compare_forms
from features.events.store import read_events, read_item_skills
from features.home import Home
from features.profiles.kernel import COLUMNS
from training.config import MasteryRule, load_config
from training.data.dataset import Block
from training.data.splits import fold_of_students


@pytest.fixture(scope="module")
def quick():
    """Few trees and resamples."""
    config = load_config()
    boosting = config.boosting.model_copy(update={"rounds": 20, "min_rows_per_leaf": 20, "threads": 1})
    return config.model_copy(
        update={"boosting": boosting, "evaluation": config.evaluation.model_copy(update={"bootstrap": 20})}
    )


@pytest.fixture(scope="module")
def log(simulated_school):
    home = Home(simulated_school.home)
    events = read_events(home).reset_index(drop=True)
    judged = pd.Index(sorted(simulated_school.student_ids)[::3], dtype="str")
    return BenchmarkLog("simulated", events, read_item_skills(home), judged, np.zeros(len(events), bool))


def make_rows(*rows):
    """Open rows of (student, opportunity, streak, outcome), one episode per student."""
    student, opportunity, streak, outcome = (np.array(each) for each in zip(*rows, strict=True))
    table = np.zeros((len(rows), len(COLUMNS)), np.float32)
    table[:, [STREAK, COLUMNS.index("skill_opportunities")]] = np.column_stack([streak, opportunity])
    return Block(table, outcome.astype(np.int8), student.astype(np.int64), opportunity.astype(np.int32), student)


def test_students_to_choose_by_are_left_where_the_log_s_own_test_is_by_the_same_hash(log, quick):
    """The first of five folds is the test; the second stands in for it among the others."""
    ids = pd.Index(log.events["student_id"].unique(), dtype="str")
    first = ids[fold_of_students(ids, 5) == 0]

    split = split_training_students(replace(log, test_students=first), quick)

    chosen = split.timeline.students[np.unique(split.mastery["test"].student)]
    assert set(chosen) <= set(ids[fold_of_students(ids, 5) == 1])
    assert len(chosen) > 0


def test_an_open_row_counts_at_each_step_that_was_seen_and_could_have_mastered():
    """Two in a row within four: who mastered at the third answer, who stopped after two, and who never could."""
    mastered = [(1, 0, 0, 0), (1, 1, 0, 0), (1, 2, 1, 0)]
    stopped = [(2, 0, 0, -1), (2, 1, 1, -1)]
    too_late = [(3, 3, 0, 1)]

    steps = expand_steps(make_rows(*mastered, *stopped, *too_late), MasteryRule(streak=2, limit=4))

    told = list(
        zip(
            *(each.tolist() for each in (steps.student, steps.opportunity, steps.rows[:, -1], steps.target)),
            strict=True,
        )
    )
    assert told == [(1, 0, 2, 0), (1, 0, 3, 1), (1, 1, 2, 1), (1, 2, 1, 1), (2, 0, 2, 0), (2, 1, 1, 0)]


def test_the_risk_is_one_where_mastery_is_out_of_reach_and_lower_elsewhere(quick):
    """Half of the students master at their third answer; nobody can who has one answer left and no streak."""
    rng = np.random.default_rng(0)
    lucky = rng.random(400) < 0.5
    rows = [(who, k, k, 0) for who in np.flatnonzero(lucky) for k in range(3)]
    rows += [(who, k, 0, 1) for who in np.flatnonzero(~lucky) for k in range(10)]

    survival, _ = fit_survival(make_rows(*rows), quick.mastery_rule, quick.boosting)

    first, last = survival.predict(make_rows((0, 0, 0, 0), (1, 9, 0, 1)))
    assert last == 1
    assert first == pytest.approx(0.5, abs=0.15)


def test_the_forms_are_compared_with_the_direct_one(log, quick):
    """Each form has a row for each number of opportunities; to calibrate again moves no rank."""
    judged = compare_forms(log, quick)

    assert [each.after for each in judged] == [None] * 4 + [2] * 4 + [3] * 4 + [5] * 4
    assert [each.difference for each in judged[::4]] == [0] * 4
    assert all(each.auc > 0.6 for each in judged[:4])
    assert judged[3].auc == pytest.approx(judged[2].auc)
