"""Rows split by student, as published benchmarks are, and the rows of a school's first day."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.difficulty import Statistics
from features.profiles.fold import fold
from features.profiles.state import State
from features.profiles.timeline import Timeline, count_responses, fit_responses
from features.profiles.vocabulary import Vocabulary
from training.config import TrainingConfig
from training.data.dataset import Block, fold_out_of_fold, keep_students, make_block, read_log
from training.data.labels import UNDECIDED, label_outcomes
from training.data.targets import find_targets, fit_next_answer


@dataclass(frozen=True)
class StudentSplit:
    """Rows of students to learn from and of other students to be evaluated on: what published benchmarks ask for.

    Attributes:
        mastery: First attempts of `train` and `test` students, in the timeline's order.
        positions: Which event of the timeline each of these rows is.
        statistics: Counted on the training students.
        timeline: Every event.
        config: Mastery rule, and how trees learn.
    """

    mastery: dict[str, Block]
    positions: dict[str, npt.NDArray[np.int64]]
    statistics: Statistics
    timeline: Timeline
    config: TrainingConfig

    @cached_property
    def struggle(self) -> dict[str, Block]:
        """First attempts at which a forecast of struggle is due, of both.

        Undecided outcomes are filled in, those of each by a model of the answers of the same students: no forecast
        that is judged has a say in what it is judged by.
        """
        return {name: self.fill(name) for name in self.mastery}

    def fill(self, name: str) -> Block:
        """Returns these rows of `train` or `test` alone."""
        at, vocabulary = self.positions[name], self.statistics.vocabulary
        return fill_outcomes(self.mastery[name], self.timeline, at, vocabulary, self.config)

    def first_outcomes(self, name: str) -> Block:
        """Returns the rows of `train` or `test` whose first `horizon` opportunities on the skill were decided.

        That is the older question: it is asked until the rule was met once or the limit is reached, and undecided
        episodes are left out.
        """
        outcomes = label_outcomes(self.timeline, self.statistics.vocabulary, self.config.mastery_rule, from_start=True)
        at = self.positions[name]
        known = outcomes.open[at] & (outcomes.outcome[at] != UNDECIDED)
        target = outcomes.outcome[at][known].astype(np.float32)
        return replace(self.mastery[name].take(known), target=target)


def fill_outcomes(
    answers: Block, timeline: Timeline, at: npt.NDArray[np.int64], vocabulary: Vocabulary, config: TrainingConfig
) -> Block:
    """Returns the rows at which a forecast of struggle is due, with undecided outcomes filled in.

    Args:
        answers: Every first attempt of some students.
        timeline: Every event.
        at: Which event each row is.
        vocabulary: Whose codes the timeline has.
        config: Mastery rule, and how trees learn.
    """
    outcomes = label_outcomes(timeline, vocabulary, config.mastery_rule)
    rows = np.full((len(timeline.row), answers.rows.shape[1]), np.nan, np.float32)
    rows[at] = answers.rows
    due = np.zeros(len(timeline.row), np.bool_)
    due[at] = True
    correct = timeline.correct[at]
    next_answer = fit_next_answer(answers.rows, correct, answers.student, config.boosting)
    target = find_targets(next_answer, rows, due, timeline, outcomes, config.mastery_rule)
    is_open = outcomes.open[at]
    return replace(answers.take(is_open), target=target[at][is_open])


def build_student_split(
    events: pd.DataFrame, item_skills: pd.DataFrame, test_students: "pd.Index[str]", config: TrainingConfig
) -> StudentSplit:
    """Turns a log into rows to train and evaluate with, split by student instead of by time.

    Rows of a training student see statistics counted on the other folds of training students; rows of a test student
    those of all training students. Nothing is learned from the test students, who are named by their ids.
    """
    vocabulary, timeline, _ = read_log(events, item_skills)
    answered = (timeline.correct >= 0) & (timeline.item >= 0)
    student = timeline.student
    test = timeline.students.isin(test_students)
    parts = {"train": ~test[student], "test": test[student]}
    past = answered & parts["train"]
    statistics = fit_responses(timeline, count_responses(timeline, vocabulary, past), past)
    rows = fold_out_of_fold(timeline, past, statistics, config.split.folds)
    rows[parts["test"]], _ = fold(keep_students(timeline, test, parts["test"]), statistics, State.empty())

    outcomes = label_outcomes(timeline, vocabulary, config.mastery_rule)
    due = {name: answered & mine for name, mine in parts.items()}
    return StudentSplit(
        mastery={
            name: make_block(rows, timeline.correct, mine, timeline, vocabulary, outcomes) for name, mine in due.items()
        },
        positions={name: np.flatnonzero(mine) for name, mine in due.items()},
        statistics=statistics,
        timeline=timeline,
        config=config,
    )


def build_first_day(
    events: pd.DataFrame, item_skills: pd.DataFrame, students: "pd.Index[str]", config: TrainingConfig
) -> dict[str, Block]:
    """Returns the rows of some students as a school without history sees them: items and skills are unknown.

    `mastery` and `struggle` are as in `StudentSplit`.
    """
    vocabulary, timeline, nothing = read_log(events[events["student_id"].isin(students)], item_skills)
    rows, _ = fold(timeline, nothing, State.empty())
    answered = (timeline.correct >= 0) & (timeline.item >= 0)
    outcomes = label_outcomes(timeline, vocabulary, config.mastery_rule)
    mastery = make_block(rows, timeline.correct, answered, timeline, vocabulary, outcomes)
    struggle = fill_outcomes(mastery, timeline, np.flatnonzero(answered), vocabulary, config)
    return {"mastery": mastery, "struggle": struggle}
