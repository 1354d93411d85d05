"""The snapshot that a request reads: models and profiles that belong together, and never change."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from features.bundle import MANIFEST, file_hash, read_manifest
from features.errors import RegroupError
from features.logs.rows import SKILL_MARK
from features.profiles.columns import OF_STUDENTS, SCHEMA_HASH
from features.profiles.difficulty import Statistics
from features.profiles.fold import read_skill_rows, read_student_rows
from features.profiles.kernel import NO_TIME, Student
from features.profiles.state import State
from features.publications import read_publication, read_statistics
from serving.errors import SnapshotError
from serving.models.answers import ItemAnswers
from serving.models.cache import Cache, estimate_bytes
from serving.models.forecaster import Forecaster
from serving.models.published.bundle import Artifacts, Source
from serving.models.published.registry import Champion
from serving.models.status import Rows

logger = logging.getLogger("regroup")


def to_moments(times: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Microseconds since 1970 UTC as the kernel has them, with `NO_TIME` for NaN."""
    return np.where(np.isnan(times), NO_TIME, np.nan_to_num(times)).astype(np.int64)


@dataclass(frozen=True)
class StudentFacts:
    """What is known of each student beyond single skills: rows of `features.profiles.columns.STUDENT_PROFILES`.

    Attributes:
        position: Number of each student's row.
        last_active: Microseconds since 1970 UTC; the smallest integer where there is no clock.
        values: The columns of `OF_STUDENTS`; NaN where not observed.
    """

    position: Mapping[str, int]
    last_active: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]

    @classmethod
    def of_state(cls, state: State, values: Rows) -> Self:
        """Takes the columns of `OF_STUDENTS` for the students of a state."""
        position = {student: at for at, student in enumerate(state.students)}
        return cls(position, to_moments(state.student[:, Student.LAST_TIME]), values)

    def of(self, student: str) -> dict[str, float]:
        """Returns what was observed of a student, by column; empty for an unknown student."""
        at = self.position.get(student)
        if at is None:
            return {}
        row = zip(OF_STUDENTS, self.values[at].tolist(), strict=True)
        return {name: value for name, value in row if not math.isnan(value)}

    def last_active_of(self, student: str) -> datetime | None:
        """Returns when a student was last active, UTC; None where that is not known."""
        at = self.position.get(student)
        if at is None or self.last_active[at] == NO_TIME:
            return None
        return datetime.fromtimestamp(int(self.last_active[at]) / 1_000_000, tz=UTC)


@dataclass(frozen=True)
class Snapshot:
    """Models and profiles of one run, which serve until the next snapshot.

    Attributes:
        champion: Run and versions of the models.
        publication: Name of the published profiles; with the champion it identifies the snapshot.
        folder: Holds the profiles and the state that later events are folded onto; may have been replaced since.
        digest: Hash of the manifest of that folder when the profiles were read.
        source: Where models and profiles come from.
        data_as_of: The moment the profiles stand for, UTC; null for a log without a clock.
        data_version: Versions of the event log and of the items' skills that the profiles were folded from.
        struggle: Makes the struggle forecast.
        mastery: Makes the mastery forecast.
        students: Sorted ids of students with a profile of a skill.
        start: Where each student's rows begin; one longer than `students`.
        skills: Skill id of each row.
        last_practiced: Microseconds since 1970 UTC of each row; the smallest integer where there is no clock.
        rows: The kernel's columns.
        student_facts: What is known of each student beyond single skills.
        live_answers: Answers to items of the restricted snapshot's students, live ones included; null for the night's.
        live_through: How many live events of the students are in their profiles; null where none were looked for.
        cache: Holds what was computed from these profiles; a snapshot with other profiles has another cache.
    """

    champion: Champion
    publication: str
    folder: Path
    digest: str
    source: Source
    data_as_of: datetime | None
    data_version: str
    struggle: Forecaster
    mastery: Forecaster
    students: npt.NDArray[np.str_]
    start: npt.NDArray[np.int64]
    skills: npt.NDArray[np.object_]
    last_practiced: npt.NDArray[np.int64]
    rows: Rows
    student_facts: StudentFacts
    live_answers: ItemAnswers | None = None
    live_through: int | None = None
    cache: Cache = field(default_factory=Cache)

    @property
    def kind(self) -> Literal["trained", "prior"]:
        """Whether the models were trained on this log or are a prior with rules learned elsewhere."""
        return self.struggle.kind

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Number of each student in `students`."""
        return {str(student): at for at, student in enumerate(self.students)}

    @cached_property
    def skill_ids(self) -> frozenset[str]:
        """The skills that somebody has a profile of."""
        return frozenset(skill for skill in map(str, set(self.skills)) if skill and SKILL_MARK not in skill)

    @property
    def answers(self) -> ItemAnswers | None:
        """Which items the students answered and how, read with the first request that asks; null where unknown."""
        if self.live_answers is not None:
            return self.live_answers
        return self.cache.get("answers", lambda: ItemAnswers.read(self.folder, self.digest), pinned=True)

    @property
    def statistics(self) -> Statistics | None:
        """How hard items are and what follows what, read with the first request that asks; null where they are gone."""

        def read() -> Statistics | None:
            try:
                found = read_statistics(self.folder, read_manifest(self.folder))
                return found if file_hash(self.folder / MANIFEST) == self.digest else None
            except (RegroupError, OSError) as error:
                logger.warning("statistics of items: cannot be read (%s)", type(error).__name__)
                return None

        return self.cache.get("statistics", read, pinned=True)

    @property
    def nbytes(self) -> int:
        """About how many bytes the profiles take and what is kept of them; not the models, which snapshots share."""
        return self._profile_bytes + self.cache.nbytes

    @cached_property
    def _profile_bytes(self) -> int:
        answers = 0 if self.live_answers is None else self.live_answers.nbytes
        profiles = self.rows, self.skills, self.students, self.start, self.last_practiced, self.student_facts
        return answers + estimate_bytes(profiles)

    def row_count(self, student: str) -> int:
        """Counts the profile rows of a known student."""
        at = self.position[student]
        return int(self.start[at + 1] - self.start[at])

    def rows_of(self, students: Sequence[str]) -> npt.NDArray[np.int64]:
        """Returns the positions of the students' profile rows, student by student; unknown students have none."""
        known = [self.position[student] for student in students if student in self.position]
        ranges = [np.arange(self.start[at], self.start[at + 1]) for at in known]
        return np.concatenate(ranges) if ranges else np.empty(0, np.int64)


def load_snapshot(artifacts: Artifacts) -> Snapshot:
    """Reads models and profiles that belong together, after every hash has been checked.

    Raises:
        SnapshotError: Something is missing, was altered, or does not belong together.
    """
    try:
        manifest = read_manifest(artifacts.profiles)
        digest = file_hash(artifacts.profiles / MANIFEST)
        if manifest["run_id"] != artifacts.champion.run_id or manifest["schema"] != SCHEMA_HASH:
            raise SnapshotError(f"the profiles {artifacts.publication} are of another run or other columns")
        models = {name: Forecaster(folder) for name, folder in artifacts.models.items()}
        published = read_publication(artifacts.profiles, manifest)
    except (RegroupError, OSError) as error:
        vanished = f"a file vanished while it was read: {type(error).__name__}"
        raise SnapshotError(str(error) if isinstance(error, RegroupError) else vanished) from error
    return Snapshot(
        champion=artifacts.champion,
        publication=artifacts.publication,
        folder=artifacts.profiles,
        digest=digest,
        source=artifacts.source,
        data_as_of=published.as_of,
        data_version=manifest["data_version"],
        struggle=models["struggle"],
        mastery=models["mastery"],
        **read_rows(published.state, published.statistics, published.as_of),
    )


def read_rows(state: State, statistics: Statistics, moment: datetime | None) -> dict[str, Any]:
    """The profiles of a state at a moment, as the members of `Snapshot` that hold them.

    Args:
        state: By student id.
        statistics: What it was folded with.
        moment: UTC; None for a log without a clock.
    """
    rows = read_skill_rows(state, statistics, moment)
    vocabulary = statistics.vocabulary
    order = np.lexsort((vocabulary.rank[rows.node], rows.student))
    present, start = np.unique(rows.student[order], return_index=True)
    return {
        "students": state.students[present].astype(str),
        "start": np.append(start, len(order)).astype(np.int64),
        "skills": vocabulary.names[rows.node[order]],
        "last_practiced": to_moments(rows.last_practiced[order]),
        "rows": rows.columns[order],
        "student_facts": StudentFacts.of_state(state, read_student_rows(state, statistics, moment)),
    }
