"""The rows that models learn from: the state before each response, with statistics that have not seen the student."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.difficulty import Statistics, fit_statistics
from features.profiles.fold import Rows, fold
from features.profiles.kernel import COLUMNS
from features.profiles.state import State
from features.profiles.timeline import Timeline, count_responses, fit_responses, recode_items, sort_events
from features.profiles.vocabulary import Vocabulary, build_vocabulary
from training.config import MasteryRule, TrainingConfig
from training.data.labels import Outcomes, label_outcomes
from training.data.splits import TimeBlocks, fold_of_students, split_time
from training.data.targets import find_targets, fit_next_answer


@dataclass(frozen=True)
class Block:
    """The rows of one block for one model; every array has one entry per row.

    Attributes:
        rows: The columns of `features.profiles.kernel.COLUMNS`, the state before the response.
        target: 1 or 0: struggling against mastered, or correct against not; between them, the chance of struggling
            where the outcome is undecided.
        student: Code of the row's student, for resampling by student.
        episode: Code of the row's student and skill.
        opportunity: First attempts on the skill before this one.
        right: How many of those were correct.
        run: Correct answers in a row on the skill just before this one, or minus the wrong ones in a row.
    """

    rows: Rows
    target: npt.NDArray[np.float32]
    student: npt.NDArray[np.int64]
    episode: npt.NDArray[np.int64]
    opportunity: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    run: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """Counts the rows."""
        return len(self.target)

    @property
    def decided(self) -> npt.NDArray[np.bool_]:
        """Marks the rows whose outcome was seen, or is certain from what was seen."""
        seen: npt.NDArray[np.bool_] = (self.target == 0) | (self.target == 1)
        return seen

    def take(self, keep: npt.NDArray[np.bool_]) -> "Block":
        """Returns the rows that `keep` marks."""
        return Block(**{name: values[keep] for name, values in vars(self).items()})


@dataclass(frozen=True)
class Dataset:
    """Everything a training run reads, by block.

    Attributes:
        struggle: First attempts at which a forecast of struggle is due, by block name.
        mastery: First attempts, by block name.
        statistics: Counted on the training block; what the models are deployed with.
        timeline: Every event; the student codes in blocks are positions in its students.
        blocks: Where the blocks lie in time.
        due: Marks the events of the timeline that are the holdout's rows, by forecast.
    """

    struggle: dict[str, Block]
    mastery: dict[str, Block]
    statistics: Statistics
    timeline: Timeline
    blocks: TimeBlocks
    due: dict[str, npt.NDArray[np.bool_]]

    def keep_holdout(self) -> "Dataset":
        """The same without the blocks that were learned from, which take most of the memory."""
        struggle, mastery = ({"holdout": blocks["holdout"]} for blocks in (self.struggle, self.mastery))
        return replace(self, struggle=struggle, mastery=mastery)

    def holdout_rows(self, statistics: Statistics) -> dict[str, Rows]:
        """Returns the holdout's rows as a model with other statistics sees them, by forecast.

        Args:
            statistics: The other model's, extended to every item and skill of the log.
        """
        timeline = recode_items(self.timeline, self.statistics.vocabulary, statistics.vocabulary)
        rows, _ = fold(timeline, statistics, State.empty())
        return {name: rows[due] for name, due in self.due.items()}


def build_dataset(
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
    config: TrainingConfig,
    judge: MasteryRule | None = None,
    until: str = "train",
) -> Dataset:
    """Turns the event log into rows to train, calibrate and evaluate with.

    Training rows of a student see statistics counted on the other folds of students, before the block's end. Later
    rows see statistics of the whole training block, as they would once deployed.

    Args:
        events: Rows of `Events` before the moment of training.
        item_skills: Rows of `ItemSkills`.
        config: Mastery rule, split and folds.
        judge: The mastery rule of the calibration block and the holdout; without it, that of `config`.
        until: The last block of the split that is learned from; those before the next one are then empty.

    Raises:
        DataGateError: The events cannot be split by time.
    """
    judge = judge or config.mastery_rule
    vocabulary, timeline, _ = read_log(events, item_skills)
    sequence = events["sequence"].to_numpy(dtype=np.float64, na_value=np.nan)[timeline.row]
    answered = (timeline.correct >= 0) & (timeline.item >= 0)
    is_due = answered & label_outcomes(timeline, vocabulary, judge).open
    episode = np.where(is_due, timeline.student * len(vocabulary.nodes) + timeline.node, -1)
    blocks = split_time(timeline, sequence, config.split, episode, config.gate.min_later_episodes).learn_until(until)

    past = answered & blocks.block("train", gap=False)
    statistics = fit_responses(timeline, count_responses(timeline, vocabulary, past), past)
    rows = fold_out_of_fold(timeline, past, statistics, config.split.folds)

    next_answer = fit_next_answer(rows[past], timeline.correct[past], timeline.student[past], config.boosting)
    struggle, mastery = {}, {}
    for name in ("train", "calibration", "holdout"):
        if name == "calibration":
            del rows  # before others as large are made
            rows, _ = fold(timeline, statistics, State.empty())
        rule = config.mastery_rule if name == "train" else judge
        outcomes = label_outcomes(timeline, vocabulary, rule, blocks.seen(name))
        due = answered & blocks.block(name, gap=False)
        target = find_targets(next_answer, rows, due, timeline, outcomes, rule)
        is_open = outcomes.open & blocks.block(name, gap=True)
        struggle[name] = make_block(rows, target, is_open, timeline, vocabulary, outcomes)
        mastery[name] = make_block(rows, timeline.correct, due, timeline, vocabulary, outcomes)
        held = {"struggle": is_open, "mastery": due}
    return Dataset(struggle, mastery, statistics, timeline, blocks, held)


def make_block(
    rows: Rows,
    target: npt.NDArray[np.number[Any]],
    keep: npt.NDArray[np.bool_],
    timeline: Timeline,
    vocabulary: Vocabulary,
    outcomes: Outcomes,
) -> Block:
    """Gathers the events that `keep` marks, which are first attempts, with a target for each event of the timeline."""
    student = timeline.student[keep]
    episode = student * len(vocabulary.nodes) + timeline.node[keep]
    counts = (outcomes.opportunity[keep], outcomes.right[keep], outcomes.run[keep])
    return Block(rows[keep], target[keep].astype(np.float32), student, episode, *counts)


def read_log(events: pd.DataFrame, item_skills: pd.DataFrame) -> tuple[Vocabulary, Timeline, Statistics]:
    """Returns the log as the kernel reads it, and statistics of its items that have counted nothing."""
    vocabulary = build_vocabulary(item_skills, events["item_id"].dropna().unique(), responses=events)
    nothing = fit_statistics(vocabulary, np.empty(0, np.int32), np.empty(0, bool))
    return vocabulary, sort_events(events, nothing), nothing


def fold_out_of_fold(timeline: Timeline, past: npt.NDArray[np.bool_], statistics: Statistics, folds: int) -> Rows:
    """Returns one row per event, with statistics that were counted without the fold of the event's student."""
    rows = np.full((len(timeline.row), len(COLUMNS)), np.nan, np.float32)
    fold_of = fold_of_students(timeline.students, folds)
    fold_of_event = np.repeat(fold_of, np.diff(timeline.start))
    for number in range(folds):
        inside = fold_of_event == number
        others = fit_responses(
            timeline, statistics - count_responses(timeline, statistics.vocabulary, past & inside), past & ~inside
        )
        part = keep_students(timeline, fold_of == number, inside)
        rows[inside], _ = fold(part, others, State.empty())
    return rows


def keep_students(timeline: Timeline, chosen: npt.NDArray[np.bool_], events: npt.NDArray[np.bool_]) -> Timeline:
    """Returns the timeline of the chosen students, whose events `events` marks."""
    counts = np.diff(timeline.start)[chosen]
    return Timeline(
        students=timeline.students[chosen],
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        row=timeline.row[events],
        time=timeline.time[events],
        item=timeline.item[events],
        node=timeline.node[events],
        correct=timeline.correct[events],
        hints=timeline.hints[events],
        duration=timeline.duration[events],
    )
