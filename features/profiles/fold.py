"""Student and skill profiles as of a moment, folded from events, and the state that continues them."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles import kernel
from features.profiles.columns import OF_STUDENTS, SKILL_PROFILES, STUDENT_PROFILES
from features.profiles.difficulty import Statistics, fit_statistics, to_logit
from features.profiles.kernel import COLUMNS, NO_TIME, Item, Skill, Student
from features.profiles.parts import join_parts
from features.profiles.state import Codes, State
from features.profiles.timeline import Offsets, Timeline, count_responses, fit_responses, sort_events
from features.profiles.vocabulary import build_vocabulary
from features.schema import Events, check_table

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

OF_STUDENT_POSITIONS = [COLUMNS.index(name) for name in OF_STUDENTS]


def fold(timeline: Timeline, statistics: Statistics, state: State, *, rows: bool = True) -> tuple[Rows, State]:
    """Folds the events into the state, in one pass.

    Args:
        timeline: Events; its first students are those of `state`, in the same order.
        statistics: Difficulties that the columns compare with; the same for every part of one history.
        state: What is known so far; `State.empty()` at the start.
        rows: Whether to write a row of columns before each event.

    Returns:
        One row per event in the timeline's order with the columns of `kernel.COLUMNS`, all null for events that are
        no first attempt; and the state after the last event.

    Raises:
        ValueError: The timeline does not begin with the state's students.
    """
    students = timeline.students.to_numpy(dtype=object)
    if not np.array_equal(students[: len(state.students)], state.students):
        raise ValueError("the timeline must begin with the students of the state")
    vocabulary, events = statistics.vocabulary, len(timeline.row)
    longest = max(1, int(np.diff(vocabulary.member_start).max(initial=1)))
    per_event = 1 + (longest if longest > 1 else 0)
    out = np.empty((events if rows else 0, len(COLUMNS)), np.float32)
    student = np.empty((len(students), len(Student)))
    skill_start, item_start = (np.empty(len(students) + 1, np.int64) for _ in range(2))
    most = len(state.skill) + events * per_event
    skill_node, skill = np.empty(most, np.int32), np.empty((most, len(Skill)))
    most = len(state.item) + events
    item_code, item = np.empty(most, np.int32), np.empty((most, len(Item)))
    kernel.fold_events(
        timeline.start, timeline.time, timeline.item, timeline.correct, timeline.hints, timeline.duration,
        timeline.node, vocabulary.member_start, vocabulary.members, statistics.global_mean,
        statistics.node_mean, to_logit(statistics.node_mean), statistics.node_responses > 0, statistics.item_level,
        *statistics.transition_table, statistics.pair_table, state.student, state.skill_start, state.skill_node,
        state.skill, state.item_start, state.item_code, state.item,
        out, student, skill_start, skill_node, skill, item_start, item_code, item,
    )  # fmt: skip
    skills, items = int(skill_start[-1]), int(item_start[-1])
    after = State(
        students, student, skill_start, skill_node[:skills], skill[:skills],
        item_start, item_code[:items], item[:items],
    )  # fmt: skip
    return out, after


def read_profiles(state: State, statistics: Statistics, as_of: datetime | None) -> pd.DataFrame:
    """The skill profiles at a moment: one row per student and skill that the student has practiced.

    Args:
        state: The fold of all events before the moment.
        statistics: The statistics that the state was folded with.
        as_of: The moment, in UTC; None for a log without a clock.

    Returns:
        `student_id`, `skill_id`, `last_practiced` (UTC, null without a clock) and the columns of `kernel.COLUMNS` as
        they stand for an item of the skill's average difficulty. Combinations of skills are left out: their members
        have rows of their own.
    """
    rows = read_skill_rows(state, statistics, as_of)
    profiles = pd.DataFrame(rows.columns, columns=list(COLUMNS))
    profiles.insert(0, "student_id", pd.Index(state.students[rows.student], dtype="str"))
    profiles.insert(1, "skill_id", statistics.vocabulary.nodes[rows.node])
    profiles.insert(2, "last_practiced", _moments(rows.last_practiced))
    return check_table(SKILL_PROFILES, profiles)


@dataclass(frozen=True)
class SkillRows:
    """The skill profiles as arrays, student by student.

    Attributes:
        student: Position of each row's student in the state.
        node: The skill's node.
        last_practiced: Microseconds since 1970 UTC; NaN without a clock.
        columns: `kernel.COLUMNS` of each row.
    """

    student: Offsets
    node: Codes
    last_practiced: Floats
    columns: Rows


def read_skill_rows(state: State, statistics: Statistics, as_of: datetime | None) -> SkillRows:
    """The skill profiles that `read_profiles` puts into a table."""
    vocabulary = statistics.vocabulary
    out = np.empty((len(state.skill), len(COLUMNS)), np.float32)
    kernel.read_skills(
        _now(as_of), state.student, state.skill_start, state.skill_node, state.skill,
        vocabulary.member_start, vocabulary.members, statistics.global_mean, statistics.node_mean,
        to_logit(statistics.node_mean), statistics.rasch_node_logit, statistics.node_responses > 0,
        *statistics.transition_table, out,
    )  # fmt: skip
    keep = vocabulary.is_skill[state.skill_node]
    owner = np.repeat(np.arange(len(state.students)), np.diff(state.skill_start))
    return SkillRows(owner[keep], state.skill_node[keep], state.skill[keep, Skill.LAST_TIME], out[keep])


def read_student_profiles(state: State, statistics: Statistics, as_of: datetime | None) -> pd.DataFrame:
    """The student profiles at a moment: one row per student, `features.profiles.columns.STUDENT_PROFILES`.

    The arguments are those of `read_profiles`.
    """
    profiles = pd.DataFrame(read_student_rows(state, statistics, as_of), columns=list(OF_STUDENTS))
    profiles.insert(0, "student_id", pd.Index(state.students, dtype="str"))
    profiles.insert(1, "last_active", _moments(state.student[:, Student.LAST_TIME]))
    return check_table(STUDENT_PROFILES, profiles)


def read_student_rows(state: State, statistics: Statistics, as_of: datetime | None) -> Rows:
    """The columns of `OF_STUDENTS` for each student of a state, at a moment."""
    out = np.empty((len(state.students), len(COLUMNS)), np.float32)
    kernel.read_students(_now(as_of), state.student, statistics.global_mean, out)
    return out[:, OF_STUDENT_POSITIONS]


def build_profiles(
    events: pd.DataFrame, statistics: Statistics, as_of: datetime | None, state: State | None = None
) -> tuple[pd.DataFrame, State]:
    """Folds the events before a moment and reads the profiles at it.

    Args:
        events: Rows of `Events`; those at or after the moment change nothing. Those without a clock all count.
        statistics: Fitted on training students, extended to every item and skill here.
        as_of: The moment, in UTC.
        state: The fold of earlier events; None for a first fold.

    Returns:
        The skill profiles, and the state to fold later events into.
    """
    state = State.empty() if state is None else state
    if as_of is not None:
        events = events[events["occurred_at"].isna() | (events["occurred_at"] < pd.Timestamp(as_of))]
    timeline = sort_events(events, statistics, state.students)
    _, state = fold(timeline, statistics, state, rows=False)
    return read_profiles(state, statistics, as_of), state


def compile_profiles() -> None:
    """Compiles everything between events and profiles, or reads it from numba's cache."""
    vocabulary = build_vocabulary(pd.DataFrame({"item_id": ["i"], "skill_id": ["k"]}, dtype="str"))
    event = {"kind": "response", "occurred_at": pd.Timestamp(0, tz="UTC"), "score": 1.0, "correct": True, "attempt": 1}
    event |= {"event_id": "e", "student_id": "s", "sequence": 1, "item_id": "i", "hints": 0, "duration_s": 1.0}
    event |= {"source": "tiny", "skills": "k"}
    events = check_table(Events, pd.DataFrame([event])[list(Events.to_schema().columns)])
    every = np.ones(1, bool)
    timeline = sort_events(events, fit_statistics(vocabulary, np.zeros(1, np.int32), every))
    statistics = fit_responses(timeline, count_responses(timeline, vocabulary, every), every)
    _, state = build_profiles(events, statistics, None)
    join_parts([state, state])
    read_student_rows(state, statistics, None)


def _now(as_of: datetime | None) -> int:
    return NO_TIME if as_of is None else pd.Timestamp(as_of).value // 1000


def _moments(microseconds: Floats) -> "pd.Index[pd.Timestamp]":
    return pd.to_datetime(microseconds, unit="us", utc=True).astype("datetime64[us, UTC]")
