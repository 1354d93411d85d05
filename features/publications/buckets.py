"""The state of student buckets, folded from files of the event log: from the start, or onto what was published.

Buckets know nothing of each other, so they can be folded in any order, together or apart, in other processes, and on
other machines that see the same disk. Doing one again writes the same bytes under the same name.
"""

import math
import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.events.log.files import read_files, read_split, split_files
from features.profiles.difficulty import Statistics
from features.profiles.fold import fold
from features.profiles.kernel import Student
from features.profiles.parts import Known, find_changes, join_parts, read_part, write_part
from features.profiles.state import State
from features.profiles.timeline import Timeline, sort_events
from features.profiles.vocabulary import Vocabulary
from features.publications.reading import link_file, name_part
from features.schema import bucket_of

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

AT_ONCE = 2**25
"""Bytes of a bucket's files that are folded at once, about a million events; of more, some students after others."""

TOGETHER = 2**24
"""Buckets whose files to fold have no more bytes than this are folded at once, half a million events."""

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


def measure_files(files: Collection[str]) -> int:
    """The bytes of some files."""
    return sum(Path(path).stat().st_size for path in files)


def group_jobs(jobs: Sequence[Job]) -> list[list[Job]]:
    """Buckets that are folded together, since a day is little work for each: in their order, up to `TOGETHER` bytes."""
    groups: list[list[Job]] = []
    size = 0
    for job in jobs:
        own = measure_files(job.later)
        if not groups or size + own > TOGETHER:
            groups.append([])
            size = 0
        groups[-1].append(job)
        size += own
    return groups


def fold_buckets(
    jobs: Sequence[Job], statistics: Statistics, known: Known, as_of: datetime | None, draft: Path
) -> list[Folded]:
    """Folds later events of some buckets onto their parts; where one is not later than what was folded, all of them.

    Args:
        jobs: Which files there are, as `group_jobs` puts them together.
        statistics: What the columns compare with, over all items and skills of the events.
        known: What all parts number alike.
        as_of: The moment before which events count, UTC; None for a log without a clock.
        draft: The folder that the parts are written to.

    Raises:
        UnavailableError: A file of the event log cannot be read.
    """
    files = [path for job in jobs for path in job.later]
    if len(jobs) == 1 and not jobs[0].parts and measure_files(files) > AT_ONCE:
        return [_fold_in_turn(jobs[0], statistics, known, as_of, draft)]
    events, held = _keep_before(read_files(files, COLUMNS), as_of)
    answered = set(events["student_id"].unique())
    sizes, states = [], []
    for job in jobs:
        parts = [read_part(path, statistics.vocabulary, items=False) for path in job.parts]
        state = join_parts(parts or [State.empty()])
        sizes.append(len(state.students))
        states.append(state.take(np.flatnonzero([student in answered for student in state.students])))
    active = State.join(states)
    timeline = sort_events(events, statistics, active.students)
    bucket = bucket_of(timeline.students.to_series())
    late = set(bucket[: len(active.students)][~_are_later(timeline, active)].tolist())
    if late:
        anew = [replace(job, later=job.files, parts=()) if int(job.bucket) in late else job for job in jobs]
        return [done for group in group_jobs(anew) for done in fold_buckets(group, statistics, known, as_of, draft)]
    changes = find_changes(active, fold(timeline, statistics, active, rows=False)[1])
    done = []
    for job, size, state in zip(jobs, sizes, states, strict=True):
        own = changes.take(np.flatnonzero(bucket == int(job.bucket)))
        names = _keep(job, own, statistics.vocabulary, known, draft)
        students = size + len(own.students) - len(state.students)
        done.append(Folded(job.bucket, names, students, held[int(job.bucket)], anew=not job.parts))
    return done


def _are_later(timeline: Timeline, state: State) -> npt.NDArray[np.bool_]:
    """Whether all events of a student come after those that the state was folded from; without a clock, none does.

    Events of one moment were submitted together and see nothing of each other, so the same moment is not later.
    """
    begin = timeline.time[timeline.start[: len(state.students)]]
    later: npt.NDArray[np.bool_] = begin > state.student[:, Student.LAST_TIME]  # NaN compares as false
    return later


def _keep(job: Job, changes: State, vocabulary: Vocabulary, known: Known, draft: Path) -> tuple[str, ...]:
    """Writes what changed beside the parts of before, or all of it in one file; returns the names."""
    if job.parts and not job.later:
        return _link(job.parts, draft)
    content = write_part(changes, vocabulary, known)
    if not job.parts:
        return (_write(job.bucket, content, draft),)
    whole, *earlier = (path.stat().st_size for path in job.parts)
    if sum(earlier) + len(content) <= GROWN * whole:
        return (*_link(job.parts, draft), _write(job.bucket, content, draft))
    old = [read_part(path, vocabulary) for path in job.parts]
    return (_write(job.bucket, write_part(join_parts([*old, changes]), vocabulary, known), draft),)


def _fold_in_turn(job: Job, statistics: Statistics, known: Known, as_of: datetime | None, draft: Path) -> Folded:
    """Folds all events of a bucket of many, some students after others."""
    runs = math.ceil(measure_files(job.files) / AT_ONCE)
    states, held = [], 0
    for path in split_files(job.files, COLUMNS, runs, draft):
        events, after = _keep_before(read_split(path), as_of)
        path.unlink()
        states.append(fold(sort_events(events, statistics), statistics, State.empty(), rows=False)[1])
        held += after.total()
    state = State.join(states)
    del states
    content = write_part(state, statistics.vocabulary, known)
    return Folded(job.bucket, (_write(job.bucket, content, draft),), len(state.students), held, anew=True)


def _keep_before(events: pd.DataFrame, as_of: datetime | None) -> tuple[pd.DataFrame, Counter[int]]:
    """The events before a moment, and how many of each bucket there are at or after it."""
    if as_of is None:
        return events, Counter()
    after = events["occurred_at"] >= pd.Timestamp(as_of)
    held = Counter(bucket_of(events.loc[after, "student_id"]).tolist())
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
