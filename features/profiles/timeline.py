"""Events as the kernel wants them: arrays, by student and then by time."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles import kernel as history
from features.profiles.difficulty import Statistics, fit_statistics
from features.profiles.rasch import fit_easiness
from features.profiles.vocabulary import Catalog

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """Events of some students as arrays, by student and then by time.

    Attributes:
        students: Student ids, in the order of the offsets.
        start: Where each student's events begin; one longer than `students`.
        row: Position of each event in the table it came from.
        time: Microseconds since 1970 UTC; `NO_TIME` where null.
        item: Item code; -1 for activities.
        correct: 1 or 0 for first attempts; -1 for retries and activities.
        hints: Hints asked for; NaN where not observed.
        duration: Seconds; NaN where not observed.
    """

    students: "pd.Index[str]"
    start: Offsets
    row: Offsets
    time: Offsets
    item: Codes
    correct: npt.NDArray[np.int8]
    hints: Floats
    duration: Floats

    @property
    def student(self) -> Offsets:
        """Position of each event's student in `students`."""
        return np.repeat(np.arange(len(self.students)), np.diff(self.start))


def recode_items(timeline: Timeline, now: Catalog, wanted: Catalog) -> Timeline:
    """The same events with the item codes of another catalog that knows every item."""
    code = wanted.items.get_indexer(now.items).astype(np.int32)
    return replace(timeline, item=np.where(timeline.item < 0, np.int32(-1), code[timeline.item]))


def count_responses(timeline: Timeline, catalog: Catalog, chosen: npt.NDArray[np.bool_]) -> Statistics:
    """The statistics of some first attempts, each with the transition between skills that it was part of.

    Args:
        timeline: Whole histories: what a response came after is read from them.
        catalog: Whose item codes the timeline has.
        chosen: Which events count; all of them first attempts.
    """
    transition = np.empty(len(timeline.row), np.int64)
    history.find_transitions(
        timeline.start, timeline.time, timeline.item, timeline.correct, catalog.node_of_item, transition
    )
    return fit_statistics(catalog, timeline.item[chosen], timeline.correct[chosen] == 1, transition[chosen])


def fit_responses(timeline: Timeline, counts: Statistics, chosen: npt.NDArray[np.bool_]) -> Statistics:
    """The counts with the easiness of items fitted on the same first attempts.

    Args:
        timeline: Holds the responses.
        counts: What `count_responses` made of them, or what was left when others were taken away.
        chosen: Which events the counts are of.
    """
    catalog, student = counts.catalog, np.unique(timeline.student[chosen], return_inverse=True)[1]
    easiness = fit_easiness(
        student, timeline.item[chosen], timeline.correct[chosen] == 1, catalog.node_of_item, len(catalog.nodes)
    )
    return replace(counts, easiness=easiness)


def sort_events(events: pd.DataFrame, statistics: Statistics, known: "pd.Index[str] | None" = None) -> Timeline:
    """The events as the kernel wants them.

    Ties in time are ordered by the source's own order and then by content (score, attempt, hints, duration, how easy
    the item is), so that neither the order of rows nor the spelling of ids decides anything.

    Args:
        events: Rows of `Events` in any order; items must be in the statistics' catalog.
        statistics: Whose catalog codes the items, and whose item means order ties.
        known: Students that come first, in this order, whether or not they have events.
    """
    known = pd.Index([], dtype="str") if known is None else known
    ids = pd.Index(events["student_id"])
    new = ids.unique().difference(known, sort=True)
    students = known.append(new)
    student = students.get_indexer(ids)

    item = statistics.catalog.item_codes(events["item_id"])
    time = events["occurred_at"].astype("datetime64[us, UTC]").to_numpy("datetime64[us]").astype(np.int64)
    sequence = events["sequence"].to_numpy(dtype=np.float64, na_value=-1.0)
    first = (events["kind"] == "response").to_numpy() & (
        events["attempt"].to_numpy(dtype=np.float64, na_value=1.0) == 1.0
    )
    answer = events["correct"].to_numpy(dtype=np.float64, na_value=-1.0)
    correct = np.where(first, answer, -1.0).astype(np.int8)
    hints = events["hints"].to_numpy(dtype=np.float64, na_value=np.nan)
    duration = events["duration_s"].to_numpy(dtype=np.float64)

    order = np.lexsort((sequence, time, student))
    tied = np.zeros(len(order), bool)
    same = (np.diff(student[order]) == 0) & (np.diff(time[order]) == 0) & (np.diff(sequence[order]) == 0)
    tied[1:] |= same
    tied[:-1] |= same
    if tied.any():
        rows = order[tied]
        part = events.iloc[rows]
        ease = np.where(item[rows] < 0, 0.0, statistics.item_mean[item[rows]])
        attempt = part["attempt"].to_numpy(dtype=np.float64, na_value=0.0)
        score = part["score"].to_numpy(dtype=np.float64, na_value=-1.0)
        keys = (item[rows], ease, np.nan_to_num(duration[rows], nan=-1), np.nan_to_num(hints[rows], nan=-1))
        order[tied] = rows[np.lexsort((*keys, attempt, score, sequence[rows], time[rows], student[rows]))]

    counts = np.bincount(student, minlength=len(students))
    return Timeline(
        students=students,
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        row=order,
        time=time[order],
        item=item[order],
        correct=correct[order],
        hints=hints[order],
        duration=duration[order],
    )
