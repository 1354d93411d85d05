"""Answers beside the forecasts that stood before them: what was observed minus what was forecast, answer by answer.

The forecast is the champion's own for the next answer, made from everything that the student had done until then. So
neither hard questions, nor students who find everything hard, nor what a group of them was chosen for, make a skill, a
block or a kind of session look bad.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.difficulty import Statistics
from features.profiles.fold import fold
from features.profiles.state import State
from features.profiles.timeline import sort_events

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NO_ITEM_SKILLS = pd.DataFrame({"item_id": [], "skill_id": []}, dtype="str")
"""Events name their skills themselves, or have those that the statistics know."""


class Predicts(Protocol):
    """Something that forecasts the next answer."""

    def predict(self, rows: npt.NDArray[np.float32], /) -> npt.NDArray[np.floating[Any]]:
        """Chance to be right for each row of the kernel's columns, 0-1."""


ARRAYS = ("student", "node", "item", "source", "moment", "forecast", "right", "ease")


@dataclass(frozen=True)
class Residuals:
    """First attempts of some students; one element of each array is an answer.

    Attributes:
        student: Position of the student in `students`.
        students: Ids of the students.
        node: Position in `nodes` of what the answer practices.
        nodes: Ids of the skills that are practiced together; empty where they are unknown.
        item: Position in `items` of the item.
        items: Ids of the items.
        source: The product that each answer comes from.
        moment: Microseconds since 1970 UTC; in order of time for each student.
        forecast: Chance to be right as forecast before the answer, 0-1; null for answers of earlier times.
        right: 1 or 0.
        ease: By how many logits the item is easier than its skill's usual one.
    """

    student: Ints
    students: "pd.Index[str]"
    node: Ints
    nodes: Sequence[tuple[str, ...]]
    item: Ints
    items: "pd.Index[str]"
    source: npt.NDArray[np.object_]
    moment: Ints
    forecast: Floats
    right: Floats
    ease: Floats

    def __len__(self) -> int:
        """Counts the answers."""
        return len(self.right)

    def between(self, since: int, until: int) -> "Residuals":
        """The answers from a moment on and before another, in microseconds since 1970 UTC."""
        return self.take((self.moment >= since) & (self.moment < until))

    def take(self, kept: npt.NDArray[np.bool_] | Ints) -> "Residuals":
        """Some of the answers, marked or by their positions."""
        return replace(self, **{name: getattr(self, name)[kept] for name in ARRAYS})

    def by_skill(self) -> dict[str, Ints]:
        """Positions of the answers that practice each skill; an answer counts for each of its skills."""
        found: dict[str, list[Ints]] = {}
        for node in np.unique(self.node).tolist():
            at = np.flatnonzero(self.node == node)
            for skill in self.nodes[node]:
                found.setdefault(skill, []).append(at)
        return {skill: np.sort(np.concatenate(parts)) for skill, parts in sorted(found.items())}


def measure_residuals(
    mastery: Predicts, statistics: Statistics, events: pd.DataFrame, since: int, until: int
) -> Residuals:
    """All answers up to a moment; those of the last stretch of time stand beside their forecasts.

    Args:
        mastery: Forecasts the next answer.
        statistics: How hard items are, as the profiles have it.
        events: Rows of `Events`: the whole history of the students.
        since: Beginning of the stretch, microseconds since 1970 UTC; earlier answers have no forecast.
        until: Its end; later answers do not count.
    """
    known = statistics.extend(NO_ITEM_SKILLS, events["item_id"], events["skills"])
    timeline = sort_events(events, known)
    rows, _ = fold(timeline, known, State.empty())
    kept = np.flatnonzero((timeline.correct >= 0) & (timeline.time < until))
    forecast, late = np.full(len(kept), np.nan), timeline.time[kept] >= since
    forecast[late] = mastery.predict(rows[kept[late]])
    node, item = timeline.node[kept].astype(np.int64), timeline.item[kept]
    return Residuals(
        student=timeline.student[kept].astype(np.int64),
        students=timeline.students,
        node=node,
        nodes=known.vocabulary.skills,
        item=item.astype(np.int64),
        items=known.vocabulary.items,
        source=events["source"].to_numpy(dtype=object)[timeline.row[kept]],
        moment=timeline.time[kept],
        forecast=forecast,
        right=(timeline.correct[kept] == 1).astype(np.float64),
        ease=known.rasch_item_logit[item] - known.rasch_node_logit[node],
    )
