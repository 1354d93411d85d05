"""Student and skill profiles as of a moment, and the state that continues them."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import history
from features.catalog import NO_SKILL, Catalog
from features.history import COLUMNS, NO_TIME, Item, Skill, Student
from features.statistics import Statistics

Rows = npt.NDArray[np.float32]
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


@dataclass(frozen=True)
class State:
    """What the kernel remembers of every student, and nothing else is needed to go on.

    Attributes:
        students: Student ids.
        student: One row per student, columns `history.Student`.
        skill_start: Where each student's skills begin; one longer than `students`.
        skill_node: Skill node of each row of `skill`.
        skill: One row per student and practised node, columns `history.Skill`.
        item_start: Where each student's items begin; one longer than `students`.
        item_code: Item of each row of `item`.
        item: One row per student and answered item, columns `history.Item`.
    """

    students: "pd.Index[str]"
    student: Floats
    skill_start: Offsets
    skill_node: Codes
    skill: Floats
    item_start: Offsets
    item_code: Codes
    item: Floats

    @classmethod
    def empty(cls) -> Self:
        """The state before the first event of the first student."""
        none, start = np.empty(0, np.int32), np.zeros(1, np.int64)
        rows = [np.empty((0, len(kind))) for kind in (Student, Skill, Item)]
        return cls(pd.Index([], dtype="str"), rows[0], start, none, rows[1], start, none, rows[2])

    def save(self, path: Path) -> None:
        """Writes the state as plain arrays; the codes in it mean what the statistics' catalog says."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "students"}
        np.savez(path, students=np.array(self.students, dtype="U"), **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The state that `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            arrays = {field.name: stored[field.name] for field in fields(cls) if field.name != "students"}
            return cls(students=pd.Index(stored["students"], dtype="str"), **arrays)


def recode_items(timeline: Timeline, now: Catalog, wanted: Catalog) -> Timeline:
    """The same events with the item codes of another catalog that knows every item."""
    code = wanted.items.get_indexer(now.items).astype(np.int32)
    return replace(timeline, item=np.where(timeline.item < 0, np.int32(-1), code[timeline.item]))


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


def fold(timeline: Timeline, statistics: Statistics, state: State, *, rows: bool = True) -> tuple[Rows, State]:
    """Goes through the events once.

    Args:
        timeline: Whose first students are those of `state`, in its order.
        statistics: What difficulties the columns compare with; the same for every part of one history.
        state: What is known so far; `State.empty()` at the start.
        rows: Whether to write a row of columns before each event.

    Returns:
        One row per event in the timeline's order with the columns of `history.COLUMNS`, all null for events that are
        no first attempt; and the state after the last event.

    Raises:
        ValueError: The timeline does not begin with the state's students.
    """
    if len(timeline.students) < len(state.students) or not timeline.students[: len(state.students)].equals(
        state.students
    ):
        raise ValueError("the timeline must begin with the students of the state")
    catalog, events = statistics.catalog, len(timeline.row)
    longest = max(1, int(np.diff(catalog.member_start).max(initial=1)))
    per_event = 1 + (longest if longest > 1 else 0)
    students = len(timeline.students)
    out = np.empty((events if rows else 0, len(COLUMNS)), np.float32)
    student = np.empty((students, len(Student)))
    skill_start, item_start = np.empty(students + 1, np.int64), np.empty(students + 1, np.int64)
    most = len(state.skill) + events * per_event
    skill_node, skill = np.empty(most, np.int32), np.empty((most, len(Skill)))
    most = len(state.item) + events
    item_code, item = np.empty(most, np.int32), np.empty((most, len(Item)))
    history.fold_events(
        timeline.start, timeline.time, timeline.item, timeline.correct, timeline.hints, timeline.duration,
        catalog.node_of_item, catalog.member_start, catalog.members, statistics.global_mean, statistics.node_mean,
        statistics.item_mean, _logit(statistics.item_mean), _logit(statistics.node_mean), statistics.node_responses > 0,
        state.student, state.skill_start, state.skill_node, state.skill,
        state.item_start, state.item_code, state.item,
        out, student, skill_start, skill_node, skill, item_start, item_code, item,
    )  # fmt: skip
    skills, items = int(skill_start[-1]), int(item_start[-1])
    after = State(
        timeline.students, student, skill_start, skill_node[:skills].copy(), skill[:skills].copy(),
        item_start, item_code[:items].copy(), item[:items].copy(),
    )  # fmt: skip
    return out, after


def read_profiles(state: State, statistics: Statistics, as_of: datetime | None) -> pd.DataFrame:
    """The skill profiles at a moment: one row per student and skill that the student has practised.

    Args:
        state: The fold of all events before the moment.
        statistics: The ones the state was folded with.
        as_of: The moment, in UTC; None for a log without a clock.

    Returns:
        `student_id`, `skill_id`, `last_practised` (UTC, null without a clock) and the columns of `history.COLUMNS` as
        they stand for an item of the skill's average difficulty. Combinations of skills are left out: their members
        have rows of their own.
    """
    catalog = statistics.catalog
    out = np.empty((len(state.skill), len(COLUMNS)), np.float32)
    now = NO_TIME if as_of is None else pd.Timestamp(as_of).value // 1000
    history.read_skills(
        now, state.student, state.skill_start, state.skill_node, state.skill, catalog.member_start, catalog.members,
        statistics.global_mean, statistics.node_mean, _logit(statistics.node_mean), statistics.node_responses > 0, out,
    )  # fmt: skip
    nodes = catalog.nodes
    single = ~catalog.is_combination & (nodes != NO_SKILL)
    keep = single[state.skill_node]
    owner = np.repeat(np.arange(len(state.students)), np.diff(state.skill_start))
    last = pd.to_datetime(state.skill[keep, Skill.LAST_TIME], unit="us", utc=True).astype("datetime64[us, UTC]")
    profiles = pd.DataFrame(out[keep], columns=list(COLUMNS))
    profiles.insert(0, "student_id", state.students[owner[keep]])
    profiles.insert(1, "skill_id", nodes[state.skill_node[keep]])
    profiles.insert(2, "last_practised", last)
    return profiles


def build_profiles(
    events: pd.DataFrame, statistics: Statistics, as_of: datetime | None, state: State | None = None
) -> tuple[pd.DataFrame, State]:
    """Folds the events before a moment and reads the profiles at it.

    Args:
        events: Rows of `Events`; those at or after the moment change nothing. Those without a clock all count.
        statistics: Fitted on training students, extended to every item here.
        as_of: The moment, in UTC.
        state: What earlier events left; None for a first fold.

    Returns:
        The skill profiles and the state that goes on from here.
    """
    state = State.empty() if state is None else state
    if as_of is not None:
        events = events[events["occurred_at"].isna() | (events["occurred_at"] < pd.Timestamp(as_of))]
    timeline = sort_events(events, statistics, state.students)
    _, state = fold(timeline, statistics, state, rows=False)
    return read_profiles(state, statistics, as_of), state


def _logit(share: Floats) -> Floats:
    return np.log(share / (1.0 - share))
