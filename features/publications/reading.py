"""Reads published profiles, and publishes them again without a student who was erased."""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.bundle import MANIFEST, read_file, read_manifest, write_bundle
from features.errors import InputError
from features.profiles.difficulty import Statistics
from features.profiles.fold import read_profiles, read_student_profiles
from features.profiles.parts import COUNTED, Known, join_parts, read_part, read_students, write_part
from features.profiles.state import State
from features.profiles.vocabulary import Vocabulary

STATISTICS, PLAIN_STATISTICS = "statistics.json.zst", "statistics.json"
"""How hard items and skills are, as JSON in Zstandard; earlier versions packed nothing."""

PAIRS = "pairs.parquet"
WHOLE_STATE = "state.npz"
"""The state of all students in one file, as earlier versions published it."""

FORMAT, BY_BUCKET, ADDING = 4, 2, 3
"""Raised when code of another version would misread a publication; since when its state is in files by bucket; and
since when changes hold what is added to counts of items, and not their rows as they became."""


@dataclass(frozen=True)
class Publication:
    """Published profiles in memory.

    Attributes:
        manifest: The facts that they were published with.
        state: The state of every student, by id.
        statistics: What the state was folded with.
    """

    manifest: Mapping[str, Any]
    state: State
    statistics: Statistics

    @property
    def as_of(self) -> datetime | None:
        """The moment that the profiles stand for, UTC; null for a log without a clock."""
        return None if self.manifest["as_of"] is None else datetime.fromisoformat(self.manifest["as_of"])

    def skill_profiles(self) -> pd.DataFrame:
        """One row per student and practiced skill, `features.profiles.columns.SKILL_PROFILES`, by both."""
        profiles = read_profiles(self.state, self.statistics, self.as_of)
        return profiles.sort_values(["student_id", "skill_id"], ignore_index=True)

    def student_profiles(self) -> pd.DataFrame:
        """One row per student, `features.profiles.columns.STUDENT_PROFILES`."""
        return read_student_profiles(self.state, self.statistics, self.as_of)


def read_publication(folder: Path, manifest: Mapping[str, Any] | None = None) -> Publication:
    """Reads what was published, each file as its manifest names it whatever happens to it meanwhile.

    Args:
        folder: The publication.
        manifest: From `read_manifest`, where that was read already.

    Raises:
        InputError: A file is missing or was altered, or is none that this version can read.
        UnavailableError: A file that is there cannot be read.
    """
    manifest = read_manifest(folder) if manifest is None else manifest
    parts = list(read_buckets(folder, manifest))
    state = State.join([part.state for part in parts])
    statistics = parts[0].statistics if parts else read_statistics(folder, manifest)
    return Publication(manifest, state.take(np.argsort(state.students)), statistics)


def read_buckets(
    folder: Path, manifest: Mapping[str, Any] | None = None, *, items: bool = True
) -> Iterator[Publication]:
    """The same of one student bucket after the other, so that only one of them is in memory.

    Args:
        folder: The publication.
        manifest: From `read_manifest`, where that was read already.
        items: Whether rows of items, most of a state, are read; profiles need none.

    Raises:
        InputError: As above.
        UnavailableError: As above.
    """
    manifest = read_manifest(folder) if manifest is None else manifest
    with _in_sentences(folder):
        statistics = read_statistics(folder, manifest)
        for names in list_buckets(manifest).values():
            state = read_bucket(folder, names, manifest, statistics.vocabulary, items=items)
            yield Publication(manifest, state, statistics)


def read_statistics(folder: Path, manifest: Mapping[str, Any]) -> Statistics:
    """The statistics of a publication."""
    if PLAIN_STATISTICS in manifest["files"]:
        return Statistics.from_json(json.loads(read_file(folder, PLAIN_STATISTICS, manifest)))
    packed = pa.py_buffer(read_file(folder, STATISTICS, manifest))
    return Statistics.from_json(json.loads(pa.input_stream(packed, compression="zstd").read()))


def list_buckets(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """Names of the files of each student bucket: its whole state, then the changes of later nights in their order."""
    return dict(manifest.get("buckets", {"0": [WHOLE_STATE]}))


def read_bucket(
    folder: Path, names: Sequence[str], manifest: Mapping[str, Any], vocabulary: Vocabulary, *, items: bool = True
) -> State:
    """The state of the students of one bucket."""
    if names == [WHOLE_STATE]:
        return State.load(io.BytesIO(read_file(folder, WHOLE_STATE, manifest)))
    files = (io.BytesIO(read_file(folder, name, manifest)) for name in names)
    counted = COUNTED if manifest["format"] >= ADDING else 0
    return join_parts([read_part(file, vocabulary, items=items) for file in files], counted)


def list_published_students(folder: Path) -> set[str]:
    """The ids of the students in a publication, whose hashes are not checked.

    Raises:
        InputError: A file cannot be read, or there is none.
    """
    with _in_sentences(folder):
        parts = [path.read_bytes() for path in folder.glob("state*")]
        if not parts and not (folder / MANIFEST).is_file():
            raise FileNotFoundError(folder.name)
        return {student for content in parts for student in read_students(content)}


def publish_without(folder: Path, student_id: str) -> bool:
    """Publishes the same profiles without a student under another name, which services notice as a new version.

    Returns:
        Whether the student was in the profiles.

    Raises:
        InputError: The publication was altered.
    """
    manifest = read_manifest(folder)
    buckets = list_buckets(manifest)
    with _in_sentences(folder):
        vocabulary = read_statistics(folder, manifest).vocabulary
        known = Known(*manifest.get("known", (len(vocabulary.items), len(vocabulary.nodes))))
        without: dict[str, bytes] = {}
        for number, names in buckets.items():
            if any(student_id in read_students((folder / name).read_bytes()) for name in names):
                state = read_bucket(folder, names, manifest, vocabulary)
                left = state.take(np.flatnonzero(state.students != student_id))
                without[number] = write_part(left, vocabulary, known)
    if not without:
        return False
    after = {
        number: [name_part(number, without[number])] if number in without else buckets[number] for number in buckets
    }
    facts = {name: value for name, value in manifest.items() if name != "files"}
    erasures = int(facts.get("erasures", 0)) + 1
    form = max(BY_BUCKET, facts["format"])  # changes of other buckets stay as they were
    facts |= {"format": form, "known": [known.items, known.nodes], "buckets": after, "erasures": erasures}
    facts["students"] = int(facts["students"]) - 1

    def write(draft: Path) -> None:
        for number, content in without.items():
            (draft / after[number][0]).write_bytes(content)
        kept = {name for number, names in after.items() if number not in without for name in names}
        for name in ({STATISTICS, PLAIN_STATISTICS, PAIRS} | kept) & set(manifest["files"]):
            link_file(folder / name, draft / name)

    name = folder.name.removesuffix(f"-erased{erasures - 1}")
    write_bundle(folder.with_name(f"{name}-erased{erasures}"), facts, write)
    shutil.rmtree(folder)
    return True


def name_part(bucket: str, content: bytes) -> str:
    """The name of a file of a bucket, which its bytes decide."""
    return f"state-{bucket}-{hashlib.sha256(content).hexdigest()[:16]}.bin"


def link_file(original: Path, name: Path) -> None:
    """Gives a file a second name, which outlives the first; where the disk cannot do that, a copy."""
    try:
        name.hardlink_to(original)
    except OSError:
        shutil.copyfile(original, name)


@contextmanager
def _in_sentences(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        raise InputError(f"the profiles {folder.name} cannot be read: {type(error).__name__}") from error
