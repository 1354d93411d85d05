"""Who did not reach the mastery rule after all, when that was certain, and what students answered after a moment."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.benchmarks.replay.mornings import Pair
from training.config import MasteryRule
from training.data.dataset import read_log
from training.data.labels import STRUGGLING, label_outcomes

Ints = npt.NDArray[np.int64]

NEXT = 3
"""Answers after a seat by which it is judged whether the student fails the skill."""


@dataclass(frozen=True)
class Practice:
    """First attempts of one student on one skill over the whole log.

    Attributes:
        times: Microseconds since 1970, in order.
        right: Whether each was right.
    """

    times: Ints
    right: npt.NDArray[np.bool_]

    def count_between(self, moment: int, limit: int) -> int:
        """Counts the attempts since a moment, up to that of the limit and with it."""
        return int(np.searchsorted(self.times, limit, "right") - np.searchsorted(self.times, moment))

    def fails_after(self, moment: int) -> bool | None:
        """Says whether less than half of the next `NEXT` attempts are right; null where there is none."""
        first = int(np.searchsorted(self.times, moment))
        following = self.right[first : first + NEXT]
        return bool(following.mean() < 0.5) if len(following) else None  # noqa: PLR2004 - half


@dataclass(frozen=True)
class Struggler:
    """A student who goes on practicing a skill for a whole horizon and does not reach the mastery rule.

    Attributes:
        pair: Student and skill.
        begun: The first attempt of the horizon, in microseconds since 1970.
        limit: Its last attempt, with which it was certain.
    """

    pair: Pair
    begun: int
    limit: int


def find_strugglers(
    events: pd.DataFrame, item_skills: pd.DataFrame, rule: MasteryRule, first: int, last: int
) -> tuple[list[Struggler], Mapping[Pair, Practice]]:
    """Returns who came to struggle within a time, and all practice of everybody.

    Of each student and skill it is the first horizon (`training.data.labels`) that ends in that time, whenever it
    began.

    Args:
        events: Rows of `Events` of the whole log, each on one skill.
        item_skills: Rows of `ItemSkills`.
        rule: What counts as mastered, and how far the horizon reaches.
        first: When the time begins, in microseconds since 1970.
        last: When it ends.
    """
    vocabulary, timeline, _ = read_log(events, item_skills)
    outcomes = label_outcomes(timeline, vocabulary, rule)
    begin = np.flatnonzero(outcomes.open & (outcomes.outcome == STRUGGLING))
    end = begin
    for _ in range(rule.horizon - 1):
        end = outcomes.next[end]
    skills = vocabulary.nodes.to_numpy(dtype=object)
    found: dict[Pair, Struggler] = {}
    for at, until in zip(begin.tolist(), end.tolist(), strict=True):  # in each student's order of time
        pair = str(timeline.students[timeline.student[at]]), str(skills[timeline.node[at]])
        begun, limit = int(timeline.time[at]), int(timeline.time[until])
        if pair not in found and first < limit <= last:
            found[pair] = Struggler(pair, begun, limit)
    return list(found.values()), _read_practice(events)


def _read_practice(events: pd.DataFrame) -> dict[Pair, Practice]:
    ordered = events.sort_values(["student_id", "skills", "occurred_at", "sequence"], kind="stable")
    times = to_microseconds(ordered["occurred_at"])
    right = ordered["correct"].to_numpy(dtype=bool)
    pairs = pd.MultiIndex.from_frame(ordered[["student_id", "skills"]])
    starts = np.flatnonzero(~pairs.duplicated())
    parts = zip(pairs[starts], np.split(times, starts[1:]), np.split(right, starts[1:]), strict=True)
    return {(str(student), str(skill)): Practice(*answers) for (student, skill), *answers in parts}


def to_microseconds(times: "pd.Series[pd.Timestamp]") -> Ints:
    """Returns moments as microseconds since 1970."""
    return times.astype("datetime64[us, UTC]").to_numpy("datetime64[us]").astype(np.int64)
