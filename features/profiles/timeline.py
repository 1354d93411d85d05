"""Events as the arrays that the kernel reads, by student and then by time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.difficulty import Pairs, Statistics, fit_statistics
from features.profiles.kernel import NO_TIME, find_pairs, find_transitions
from features.profiles.rasch import fit_rasch
from features.profiles.vocabulary import NO_SKILL, Vocabulary
from features.schema import Event

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]
Ids = npt.NDArray[np.object_]

NOBODY = np.empty(0, object)


@dataclass(frozen=True)
class Timeline:
    """Events of some students as arrays, by student and then by time.

    Attributes:
        students: Student ids, in the order of the offsets.
        start: Where each student's events begin; one longer than `students`.
        row: Position of each event in the table it came from.
        time: Microseconds since 1970 UTC; `NO_TIME` where null.
        item: Item code; -1 for activities.
        node: The skill node that the response practices; -1 for activities.
        correct: 1 or 0 for first attempts; -1 for retries and activities.
        hints: Hints asked for; NaN where not observed.
        duration: Seconds; NaN where not observed.
    """

    students: "pd.Index[str]"
    start: Offsets
    row: Offsets
    time: Offsets
    item: Codes
    node: Codes
    correct: npt.NDArray[np.int8]
    hints: Floats
    duration: Floats

    @property
    def student(self) -> Offsets:
        """Position of each event's student in `students`."""
        return np.repeat(np.arange(len(self.students)), np.diff(self.start))


def recode_items(timeline: Timeline, old: Vocabulary, new: Vocabulary) -> Timeline:
    """The same events with the codes of another vocabulary.

    Raises:
        KeyError: It lacks an item or the skills of a response; extend it first.
    """
    item, node = (
        np.append(codes, -1).astype(np.int32)
        for codes in (new.items.get_indexer(old.items), new.nodes.get_indexer(old.nodes))
    )
    recoded = replace(timeline, item=item[timeline.item], node=node[timeline.node])
    if ((recoded.item < 0) | (recoded.node < 0))[timeline.item >= 0].any():
        raise KeyError("an item or the skills of a response are not in the vocabulary")
    return recoded


def name_skills(timeline: Timeline, vocabulary: Vocabulary) -> "tuple[pd.Series[str], pd.Series[str]]":
    """The item and the skills of every response; null where nothing is known of its skills."""
    answered = timeline.item >= 0
    skills = pd.Series(vocabulary.nodes.take(timeline.node[answered]))
    return pd.Series(vocabulary.items.take(timeline.item[answered])), skills.mask(skills == NO_SKILL)


def count_responses(timeline: Timeline, vocabulary: Vocabulary, chosen: npt.NDArray[np.bool_]) -> Statistics:
    """The statistics of some first attempts and of the transitions between skills that they are part of.

    Args:
        timeline: Whole histories, which say what a response came after.
        vocabulary: The codes of the timeline.
        chosen: Which events count; all of them first attempts.
    """
    transition = np.empty(len(timeline.row), np.int64)
    find_transitions(timeline.start, timeline.time, timeline.item, timeline.correct, timeline.node, transition)
    return fit_statistics(vocabulary, timeline.item[chosen], timeline.correct[chosen] == 1, transition[chosen])


def fit_responses(timeline: Timeline, counts: Statistics, chosen: npt.NDArray[np.bool_]) -> Statistics:
    """The counts with the Rasch model fitted to the same first attempts, and its residuals by item pair.

    Args:
        timeline: Whole histories, which say what a response came after.
        counts: What `count_responses` returned for them, or the difference of two such counts.
        chosen: Which events were counted.
    """
    vocabulary, student = counts.vocabulary, np.unique(timeline.student[chosen], return_inverse=True)[1]
    rasch = fit_rasch(
        student, timeline.item[chosen], timeline.correct[chosen] == 1, vocabulary.node_of_item, len(vocabulary.nodes),
        timeline.node[chosen],
    )  # fmt: skip
    pair, residual = np.empty(len(timeline.row), np.int64), np.empty(len(timeline.row))
    find_pairs(timeline.start, timeline.time, timeline.item, timeline.correct, rasch.item, pair, residual)
    return replace(counts, rasch=rasch, pairs=Pairs.count(pair[chosen], residual[chosen]))


def sort_events(events: pd.DataFrame, statistics: Statistics, known: Ids = NOBODY) -> Timeline:
    """The events as the arrays that the kernel reads.

    Ties in time are ordered by the source's own order and then by content (score, attempt, hints, duration, how easy
    the item and its skills are, how many they are), so that neither the order of rows nor the spelling of ids decides
    anything.

    Args:
        events: Rows of `Events` in any order; items and skills must be in the statistics' vocabulary.
        statistics: Holds the codes of items and skills, and the item means that order ties.
        known: Students that come first, in this order, whether or not they have events.
    """
    codes, ids = pd.factorize(events["student_id"])
    ids, first = pd.Index(ids, dtype="str"), pd.Index(known, dtype="str")
    students = first.append(ids.difference(first, sort=True))
    student = students.get_indexer(ids)[codes]

    item = statistics.vocabulary.encode(events["item_id"])
    time = events["occurred_at"].astype("datetime64[us, UTC]").to_numpy("datetime64[us]").astype(np.int64)
    rows = _Rows(
        student=student,
        time=time,
        sequence=events["sequence"].to_numpy(dtype=np.float64, na_value=-1.0),
        item=item,
        node=statistics.vocabulary.encode_skills(events["skills"], item),
        answered=(events["kind"] == "response").to_numpy(),
        correct=events["correct"].to_numpy(dtype=np.float64, na_value=-1.0),
        attempt=events["attempt"].to_numpy(dtype=np.float64, na_value=0.0),
        score=events["score"].to_numpy(dtype=np.float64, na_value=-1.0),
        hints=events["hints"].to_numpy(dtype=np.float64, na_value=np.nan),
        duration=events["duration_s"].to_numpy(dtype=np.float64),
    )
    return _sort(rows, students, statistics)


def sort_few(events: Sequence[Event], statistics: Statistics, known: Ids = NOBODY) -> Timeline:
    """The same of a few events as plain values.

    Raises:
        KeyError: An item or the skills of a response are not in the vocabulary; extend it first.
    """
    students = [*known, *sorted({event.student_id for event in events}.difference(known))]
    position = {student: at for at, student in enumerate(students)}
    codes = [statistics.vocabulary.encode_response(event.item_id, event.skills) for event in events]

    def floats(values: Iterable[float | None], null: float) -> Floats:
        return np.array([null if value is None else value for value in values], np.float64)

    rows = _Rows(
        student=np.array([position[event.student_id] for event in events], np.int64),
        time=np.array([NO_TIME if event.occurred_at is None else event.occurred_at for event in events], np.int64),
        sequence=floats((event.sequence for event in events), -1.0),
        item=np.array([item for item, _ in codes], np.int32),
        node=np.array([node for _, node in codes], np.int32),
        answered=np.array([event.kind == "response" for event in events], bool),
        correct=floats((event.correct for event in events), -1.0),
        attempt=floats((event.attempt for event in events), 0.0),
        score=floats((event.score for event in events), -1.0),
        hints=floats((event.hints for event in events), np.nan),
        duration=floats((event.duration_s for event in events), np.nan),
    )
    return _sort(rows, pd.Index(students, dtype="str"), statistics)


@dataclass(frozen=True)
class _Rows:
    """Events in any order; -1 for a null, 0 for an attempt that is not said, and as in `Timeline`."""

    student: Offsets
    time: Offsets
    sequence: Floats
    item: Codes
    node: Codes
    answered: npt.NDArray[np.bool_]
    correct: Floats
    attempt: Floats
    score: Floats
    hints: Floats
    duration: Floats


def _sort(rows: _Rows, students: "pd.Index[str]", statistics: Statistics) -> Timeline:
    student, time, sequence, item = rows.student, rows.time, rows.sequence, rows.item
    order = np.lexsort((sequence, time, student))
    tied = np.zeros(len(order), bool)
    same = (np.diff(student[order]) == 0) & (np.diff(time[order]) == 0) & (np.diff(sequence[order]) == 0)
    tied[1:] |= same
    tied[:-1] |= same
    if tied.any():
        part = order[tied]
        node, asked = rows.node[part], item[part] >= 0
        ease = np.where(asked, statistics.item_mean[item[part]], 0.0)
        skill_ease = np.where(asked, statistics.node_mean[node], 0.0)
        skills = np.where(asked, np.diff(statistics.vocabulary.member_start)[node], 0)
        of_content = (
            node, item[part], skills, skill_ease, ease, np.nan_to_num(rows.duration[part], nan=-1),
            np.nan_to_num(rows.hints[part], nan=-1), rows.attempt[part], rows.score[part],
        )  # fmt: skip
        order[tied] = part[np.lexsort((*of_content, sequence[part], time[part], student[part]))]
    first = rows.answered & (rows.attempt <= 1.0)
    counts = np.bincount(student, minlength=len(students))
    return Timeline(
        students=students,
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        row=order,
        time=time[order],
        item=item[order],
        node=rows.node[order],
        correct=np.where(first, rows.correct, -1.0).astype(np.int8)[order],
        hints=rows.hints[order],
        duration=rows.duration[order],
    )
