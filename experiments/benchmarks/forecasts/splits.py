"""Rows split by student, as published benchmarks are, and the rows of a school's first day."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.difficulty import Statistics
from features.profiles.fold import fold
from features.profiles.state import State
from features.profiles.timeline import Timeline, count_responses, fit_responses
from training.config import TrainingConfig
from training.data.dataset import Block, fold_out_of_fold, keep_students, read_log
from training.data.labels import label_episodes


@dataclass(frozen=True)
class StudentSplit:
    """Rows of students to learn from and of other students to be evaluated on: what published benchmarks ask for.

    Attributes:
        mastery: First attempts of `train` and `test` students, in the timeline's order.
        struggle: Open episodes with a known outcome, of both.
        indeterminate: Open rows whose outcome is not known, of both; their targets are -1.
        positions: Which event of the timeline each mastery row is.
        statistics: Counted on the training students.
        timeline: Every event.
    """

    mastery: dict[str, Block]
    struggle: dict[str, Block]
    indeterminate: dict[str, Block]
    positions: dict[str, npt.NDArray[np.int64]]
    statistics: Statistics
    timeline: Timeline


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

    node = np.where(answered, timeline.node, -1)
    episode = student * len(vocabulary.nodes) + node
    episodes = label_episodes(timeline, vocabulary, config.mastery_rule)

    def block(keep: npt.NDArray[np.bool_], target: npt.NDArray[np.int8]) -> Block:
        return Block(rows[keep], target[keep], student[keep], episodes.opportunity[keep], episode[keep])

    known = episodes.open & (episodes.outcome >= 0)
    return StudentSplit(
        mastery={name: block(answered & mine, timeline.correct) for name, mine in parts.items()},
        struggle={name: block(known & mine, episodes.outcome) for name, mine in parts.items()},
        indeterminate={name: block(episodes.open & ~known & mine, episodes.outcome) for name, mine in parts.items()},
        positions={name: np.flatnonzero(answered & mine) for name, mine in parts.items()},
        statistics=statistics,
        timeline=timeline,
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
    episodes = label_episodes(timeline, vocabulary, config.mastery_rule)
    student = timeline.student
    episode = student * len(vocabulary.nodes) + np.where(answered, timeline.node, -1)
    everything = Block(rows, timeline.correct, student, episodes.opportunity, episode)
    outcomes = Block(rows, episodes.outcome, student, episodes.opportunity, episode)
    return {"mastery": everything.take(answered), "struggle": outcomes.take(episodes.open & (episodes.outcome >= 0))}
