"""One immutable view that a request reads: models, statistics and profiles that belong together."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.bundle import MANIFEST, file_hash, read_manifest
from features.errors import RegroupError
from features.home import Home
from features.profiles.columns import OF_STUDENTS, SCHEMA_HASH
from features.profiles.kernel import COLUMNS, NO_TIME
from serving.errors import SnapshotError
from serving.models.bundle import Artifacts, Source
from serving.models.cache import Cache
from serving.models.forecaster import Forecaster, Rows
from serving.models.registry import Champion


@dataclass(frozen=True)
class StudentFacts:
    """Rows of `features.profiles.columns.STUDENT_PROFILES`.

    Attributes:
        position: Where each student's row is.
        last_active: Microseconds since 1970 UTC; the smallest integer where there is no clock.
        values: The columns of `OF_STUDENTS`; NaN where not observed.
    """

    position: Mapping[str, int]
    last_active: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]

    @classmethod
    def from_rows(cls, students: Iterable[str], table: pd.DataFrame) -> Self:
        """The rows of a table, whose students are in the same order."""
        return cls(
            position={str(student): at for at, student in enumerate(students)},
            last_active=table["last_active"].to_numpy("datetime64[us]").astype(np.int64),
            values=table[list(OF_STUDENTS)].to_numpy(np.float32),
        )

    def of(self, student: str) -> dict[str, float]:
        """What was observed of a student, by column; empty for one who is not known."""
        at = self.position.get(student)
        if at is None:
            return {}
        row = zip(OF_STUDENTS, self.values[at].tolist(), strict=True)
        return {name: value for name, value in row if not math.isnan(value)}

    def last_active_of(self, student: str) -> datetime | None:
        """When a student was last at work, UTC; null where that is not known."""
        at = self.position.get(student)
        if at is None or self.last_active[at] == NO_TIME:
            return None
        return datetime.fromtimestamp(int(self.last_active[at]) / 1_000_000, tz=UTC)


@dataclass(frozen=True)
class Snapshot:
    """What serves until the next one.

    Attributes:
        champion: Run and versions of the models.
        publication: Name of the published profiles; with the champion it identifies the snapshot.
        folder: Where the profiles lie, with the state that later events are folded onto; something else may have taken
            its place since.
        digest: Hash of the manifest of that folder, when the profiles were read.
        source: Where models and profiles come from.
        data_as_of: The moment the profiles stand for, UTC; null for a log without a clock.
        data_version: Versions of the event log and of the items' skills that they were folded from.
        struggle: The struggle forecast.
        mastery: The mastery forecast.
        students: Sorted ids of students with a profile of a skill.
        start: Where each student's rows begin; one longer than `students`.
        skills: Skill id of each row.
        last_practiced: Microseconds since 1970 UTC of each row; the smallest integer where there is no clock.
        rows: The kernel's columns.
        student_facts: What is known of each student beyond single skills.
        live_through: Number of the last live event that was looked at; null where none were.
        cache: What was computed from these profiles; a snapshot with other profiles needs a cache of its own.
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
    live_through: int | None = None
    cache: Cache = field(default_factory=Cache)

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Where each student stands in `students`."""
        return {str(student): at for at, student in enumerate(self.students)}

    def row_count(self, student: str) -> int:
        """How many profile rows a known student has."""
        at = self.position[student]
        return int(self.start[at + 1] - self.start[at])

    def rows_of(self, students: Sequence[str]) -> npt.NDArray[np.int64]:
        """Positions of all profile rows of the students, student by student; unknown students have none."""
        found = [self.position[student] for student in students if student in self.position]
        parts = [np.arange(self.start[at], self.start[at + 1]) for at in found]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)


def newest_publication(home: Home, run_id: str) -> Path:
    """The newest folder of profiles for a run.

    Raises:
        SnapshotError: Nothing was published for it.
    """
    folder = home.published / run_id
    found = [each for each in folder.glob("*") if (each / "manifest.json").is_file() and not each.name.startswith(".")]
    if not found:
        raise SnapshotError(f"no profiles were published for run {run_id}; run `python -m training nightly`")
    return max(found, key=lambda each: ((each / "manifest.json").stat().st_mtime_ns, each.name))


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
        profiles = pd.read_parquet(artifacts.profiles / "skill_profiles.parquet")
        facts = pd.read_parquet(artifacts.profiles / "student_profiles.parquet")
    except (RegroupError, OSError) as error:
        why = f"a file went while it was read: {type(error).__name__}"
        raise SnapshotError(str(error) if isinstance(error, RegroupError) else why) from error
    students, start = np.unique(profiles["student_id"].to_numpy(dtype=str), return_index=True)
    return Snapshot(
        champion=artifacts.champion,
        publication=artifacts.publication,
        folder=artifacts.profiles,
        digest=digest,
        source=artifacts.source,
        data_as_of=None if manifest["as_of"] is None else datetime.fromisoformat(manifest["as_of"]),
        data_version=manifest["data_version"],
        struggle=models["struggle"],
        mastery=models["mastery"],
        students=students,
        start=np.append(start, len(profiles)).astype(np.int64),
        skills=profiles["skill_id"].to_numpy(dtype=object),
        last_practiced=profiles["last_practiced"].to_numpy("datetime64[us]").astype(np.int64),
        rows=profiles[list(COLUMNS)].to_numpy(np.float32),
        student_facts=StudentFacts.from_rows(facts["student_id"], facts),
    )
