"""The state of one student bucket, folded from files of the event log: from the start, or onto what was published.

Buckets know nothing of each other, so they can be folded in any order, in other processes, and on other machines that
see the same disk. Doing one again writes the same bytes under the same name.
"""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.events.log.files import list_students, read_files
from features.profiles.difficulty import Statistics
from features.profiles.fold import fold
from features.profiles.kernel import Student
from features.profiles.parts import Known, find_changes, join_parts, read_part, write_part
from features.profiles.state import State
from features.profiles.timeline import Timeline, sort_events
from features.publications.reading import link_file, name_part

READ = (
    "student_id",
    "kind",
    "occurred_at",
    "sequence",
    "item_id",
    "score",
    "correct",
    "attempt",
    "hints",
    "duration_s",
)
COLUMNS = (*READ, "skills")
"""Columns of an event that a state depends on."""

AT_ONCE = 2**28
"""Bytes of a bucket's files that are folded at once, some eight million events; of more, some students after others."""

GROWN = 0.5
"""Changes of as many bytes as this share of the whole state are put together with it, so that reading stays cheap."""


@dataclass(frozen=True)
class Job:
    """What is to be done with one bucket.

    Attributes:
        bucket: Its number, in two digits.
        files: The files with all of its events.
        later: Those of them that came since its parts were written; all, where there are no parts.
        parts: The files of the publication before: the whole state and the changes since, in their order.
    """

    bucket: str
    files: tuple[str, ...]
    later: tuple[str, ...]
    parts: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Folded:
    """What became of one bucket.

    Attributes:
        bucket: Its number.
        parts: Names of its files.
        students: How many it has.
        held: Its events at or after the moment, which a later night has yet to fold.
        anew: Whether it was folded from the start.
    """

    bucket: str
    parts: tuple[str, ...]
    students: int
    held: int
    anew: bool


def fold_bucket(job: Job, statistics: Statistics, known: Known, as_of: datetime | None, draft: Path) -> Folded:
    """Folds a bucket's later events onto its parts or, where one is not later than what was folded, all of them anew.

    Args:
        job: Which files there are.
        statistics: What the columns compare with, over all items and skills of the events.
        known: What all parts number alike.
        as_of: The moment before which events count, UTC; None for a log without a clock.
        draft: The folder that the parts are written to.

    Raises:
        UnavailableError: A file of the event log cannot be read.
    """
    if job.parts:
        state = join_parts([read_part(path, statistics.vocabulary, items=False) for path in job.parts])
        if not job.later:
            return Folded(job.bucket, _link(job.parts, draft), len(state.students), 0, anew=False)
        events, held = _read(job.later, as_of)
        active = state.take(np.flatnonzero(pd.Index(state.students).isin(events["student_id"].unique())))
        timeline = sort_events(events, statistics, active.students)
        if _are_later(timeline, active):
            changes = find_changes(active, fold(timeline, statistics, active, rows=False)[1])
            students = len(state.students) + len(changes.students) - len(active.students)
            content = write_part(changes, statistics.vocabulary, known)
            whole, *earlier = (path.stat().st_size for path in job.parts)
            if sum(earlier) + len(content) <= GROWN * whole:
                names = (*_link(job.parts, draft), _write(job.bucket, content, draft))
            else:
                old = [read_part(path, statistics.vocabulary) for path in job.parts]
                content = write_part(join_parts([*old, changes]), statistics.vocabulary, known)
                names = (_write(job.bucket, content, draft),)
            return Folded(job.bucket, names, students, held, anew=False)
    state, held = _fold_all(job.files, statistics, as_of)
    content = write_part(state, statistics.vocabulary, known)
    return Folded(job.bucket, (_write(job.bucket, content, draft),), len(state.students), held, anew=True)


def _are_later(timeline: Timeline, state: State) -> bool:
    """Whether all events come after those that the state was folded from; without a clock, none does.

    Events of one moment were submitted together and see nothing of each other, so the same moment is not later.
    """
    begin = timeline.time[timeline.start[: len(state.students)]]
    return bool((begin > state.student[:, Student.LAST_TIME]).all())  # NaN compares as false


def _fold_all(files: Sequence[str], statistics: Statistics, as_of: datetime | None) -> tuple[State, int]:
    runs = math.ceil(sum(Path(path).stat().st_size for path in files) / AT_ONCE)
    groups: list[Sequence[str] | None] = [None] if runs <= 1 else _split(list_students(files), runs)
    states, held = [], 0
    for students in groups:
        events, after = _read(files, as_of, students)
        states.append(fold(sort_events(events, statistics), statistics, State.empty(), rows=False)[1])
        held += after
    return State.join(states), held


def _split(students: Sequence[str], runs: int) -> list[Sequence[str] | None]:
    most = math.ceil(len(students) / runs)
    return [students[begin : begin + most] for begin in range(0, len(students), most)]


def _read(
    files: Sequence[str], as_of: datetime | None, students: Sequence[str] | None = None
) -> tuple[pd.DataFrame, int]:
    """The events before a moment, and how many there are at or after it."""
    events = read_files(files, COLUMNS, students=students)
    if as_of is None:
        return events, 0
    after = events["occurred_at"] >= pd.Timestamp(as_of)
    held = int(after.sum())
    return (events[~after] if held else events), held


def _link(parts: Sequence[Path], draft: Path) -> tuple[str, ...]:
    for path in parts:
        if not (draft / path.name).exists():  # else a process that was killed has done it
            link_file(path, draft / path.name)
    return tuple(path.name for path in parts)


def _write(bucket: str, content: bytes, draft: Path) -> str:
    name = name_part(bucket, content)
    unfinished = draft / f".{secrets.token_hex(8)}"
    unfinished.write_bytes(content)
    unfinished.replace(draft / name)
    return name
