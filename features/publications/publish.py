"""Publishes profiles from the event log, bucket by bucket: what came since the last night is folded onto its state.

A bucket is folded from its first event where its state of before cannot be continued: for other models or other code,
where events changed or went (an erasure, voided statements), where a new item turned out to be about other skills, and
where an event came late. What is published is the same either way, bit for bit once its files are joined.
"""

import hashlib
import io
import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pandas as pd

from features.bundle import read_file, read_manifest, write_bundle
from features.errors import InputError, UnavailableError
from features.events.log.files import FileLists, count_pairs, list_files
from features.events.log.store import DataVersion, read_item_skills
from features.home import Home
from features.profiles.arrays import CODEC
from features.profiles.columns import SCHEMA_HASH
from features.profiles.difficulty import Statistics
from features.profiles.fold import build_profiles
from features.profiles.parts import Known, write_part
from features.profiles.vocabulary import Vocabulary, build_vocabulary
from features.publications.buckets import Job, fold_buckets, group_jobs, measure_files
from features.publications.names import name_publication, newest_publication
from features.publications.reading import FORMAT, PAIRS, STATISTICS, link_file, list_buckets, name_part, read_statistics

logger = logging.getLogger("regroup")

PAIR = ["bucket", "item_id", "skills"]

Task = TypeVar("Task")
Result = TypeVar("Result")


class Each(Protocol):
    """Calls a function with each of some tasks, here or in other processes, and gives what it returned in order."""

    def __call__(self, function: Callable[[Task], Result], tasks: Sequence[Task], nbytes: int, /) -> Iterable[Result]:
        """Calls it; the tasks read files of so many bytes together."""


def work_in_turn(function: Callable[[Task], Result], tasks: Sequence[Task], nbytes: int) -> Iterable[Result]:
    """Calls the function with one task after another."""
    del nbytes
    return map(function, tasks)


def publish_profiles(
    home: Home,
    run_id: str,
    statistics: Statistics,
    as_of: datetime | None,
    data: DataVersion,
    code: str = "",
    each: Each = work_in_turn,
) -> Path:
    """Writes the profiles that the service serves with the models of a run; the folder appears at once, complete.

    What the same code published of the same data stays as it is.

    Args:
        home: Whose `published` folder it goes to.
        run_id: The run of the models that will read them.
        statistics: The statistics that the run was trained with.
        as_of: The moment of the states, in UTC; None for a log without a clock.
        data: Versions of the event log and of the items' skills.
        code: Hash of the code that makes them; without it, nothing of before is continued.
        each: Maps over the buckets.

    Raises:
        UnavailableError: The event log cannot be read, or the disk is full.
    """
    data_version = f"{data.events}.{data.item_skills}"
    folder = home.published / run_id / name_publication(as_of, data_version)
    known = Known.of(statistics.vocabulary)
    facts = _facts(run_id, as_of, data_version, code, known)
    if code and _holds(folder, facts):
        return folder
    files = list_files(home, data.events)
    before = _find_before(home, run_id, facts, data) if code else None
    old = {} if before is None else {number: before.files[number] for number in before.find_continued(files, as_of)}
    later = {number: paths - old.get(number, frozenset()) for number, paths in files.items()}

    pairs = _count_pairs(later, statistics.vocabulary, as_of, each)
    if before is not None:
        earlier = before.pairs[before.pairs["bucket"].isin(old)]
        pairs = pd.concat([earlier, pairs]).groupby(PAIR, dropna=False)["responses"].sum().reset_index()
    tags, items = read_item_skills(home, data.item_skills), pairs["item_id"].unique()
    extended = statistics.over(build_vocabulary(tags, items, statistics.vocabulary, pairs))
    if before is not None:
        for number in before.find_moved(extended.vocabulary, known):
            old.pop(number, None)
    jobs = [
        Job(
            f"{number:02d}",
            tuple(sorted(files[number])),
            tuple(sorted(files[number] - old.get(number, frozenset()))),
            before.parts(number) if before is not None and number in old else (),
        )
        for number in sorted(files)
    ]

    def write(draft: Path) -> None:
        work = partial(fold_buckets, statistics=extended, known=known, as_of=as_of, draft=draft)
        nbytes = sum(measure_files(job.later) for job in jobs)
        found = [part for parts in each(work, group_jobs(jobs), nbytes) for part in parts]
        for left in draft.glob(".*"):  # of a process that was killed while others went on
            left.unlink()
        anew = sum(part.anew for part in found)
        logger.info("profiles: %d of %d student buckets folded from the start", anew, len(found))
        pairs.to_parquet(draft / PAIRS, index=False)
        _write_statistics(draft, extended, before)
        facts["buckets"] = {part.bucket: part.parts for part in found}  # what is known only when all is written
        facts["held"] = {part.bucket: part.held for part in found if part.held}
        facts["inputs"] = {f"{number:02d}": _hash_names(paths) for number, paths in files.items()}
        facts["students"] = sum(part.students for part in found)

    hashes = {} if before is None else before.hashes()
    write_bundle(folder, facts, write, hashes)
    return folder


def publish_events(
    home: Home,
    run_id: str,
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
    statistics: Statistics,
    as_of: datetime | None,
    data_version: str,
) -> Path:
    """The same of events that are in no event log, such as simulated ones.

    Args:
        home: Whose `published` folder it goes to.
        run_id: The run of the models that will read them.
        events: Rows of `Events`.
        item_skills: Rows of `ItemSkills`.
        statistics: The statistics that the run was trained with.
        as_of: The moment of the states, in UTC; None for a log without a clock.
        data_version: What to call the data in the name of the folder.
    """
    folder = home.published / run_id / name_publication(as_of, data_version)
    known = Known.of(statistics.vocabulary)
    extended = statistics.extend(item_skills, events["item_id"], events["skills"])
    state = build_profiles(events, extended, as_of)[1]
    content = write_part(state, extended.vocabulary, known)
    part = name_part("00", content)

    def write(draft: Path) -> None:
        (draft / part).write_bytes(content)
        _write_statistics(draft, extended, None)

    facts = _facts(run_id, as_of, data_version, "", known)
    write_bundle(folder, {**facts, "buckets": {"00": [part]}, "students": len(state.students)}, write)
    return folder


@dataclass(frozen=True)
class _Before:
    """The publication that is continued.

    Attributes:
        folder: Where it is.
        manifest: Its facts.
        files: Files of the event log with the rows that were folded, by bucket.
        pairs: What `PAIRS` holds: responses by `bucket`, `item_id` and `skills`.
        vocabulary: What its codes stand for.
    """

    folder: Path
    manifest: Mapping[str, Any]
    files: FileLists
    pairs: pd.DataFrame
    vocabulary: Vocabulary

    def find_continued(self, files: FileLists, as_of: datetime | None) -> list[int]:
        """The buckets whose events are all there still, and all of them in the state that was published."""
        text = self.manifest["as_of"]
        if (text is None) != (as_of is None) or (as_of is not None and datetime.fromisoformat(text) > as_of):
            return []
        held, published = self.manifest["held"], list_buckets(self.manifest)
        return [
            number
            for number, paths in self.files.items()
            if paths <= files.get(number, frozenset()) and f"{number:02d}" in published and f"{number:02d}" not in held
        ]

    def find_moved(self, vocabulary: Vocabulary, known: Known) -> list[int]:
        """The buckets with an item, not among the known ones, that is about other skills now."""
        new = self.vocabulary.items[known.items :]
        was = self.vocabulary.nodes[self.vocabulary.node_of_item[known.items :]]
        now = vocabulary.nodes[vocabulary.node_of_item[vocabulary.items.get_indexer(new)]]
        moved = new[was != now]
        buckets: list[int] = self.pairs.loc[self.pairs["item_id"].isin(moved), "bucket"].unique().tolist()
        return buckets

    def hashes(self) -> dict[str, str]:
        """The hashes of the files of buckets, which were checked and whose bytes their names decide."""
        names = {name for parts in list_buckets(self.manifest).values() for name in parts}
        return {name: digest for name, digest in self.manifest["files"].items() if name in names}

    def parts(self, number: int) -> tuple[Path, ...]:
        """The files of a bucket."""
        return tuple(self.folder / name for name in list_buckets(self.manifest)[f"{number:02d}"])


def _find_before(home: Home, run_id: str, facts: Mapping[str, Any], data: DataVersion) -> _Before | None:
    """The newest publication of the same run by the same code; None where there is none, or it cannot be continued."""
    folder = newest_publication(home, run_id)
    if folder is None:
        return None
    try:
        manifest = read_manifest(folder)
        if any(manifest.get(name) != facts[name] for name in ("format", "code", "schema", "known")):
            return None
        version = int(manifest["data_version"].split(".")[0])
        if version > data.events:  # of a log that was restored
            return None
        inputs, now = manifest["inputs"], list_files(home, version)
        # a log that was restored may have other files at this version than those that were folded
        kept = {
            number
            for lists in (now, list_files(home, version, replaced=True))
            for number, paths in lists.items()
            if inputs.get(f"{number:02d}") == _hash_names(paths)
        }
        files = {number: paths for number, paths in now.items() if number in kept}
        pairs = pd.read_parquet(io.BytesIO(read_file(folder, PAIRS, manifest)))
        vocabulary = read_statistics(folder, manifest).vocabulary
        return _Before(folder, manifest, files, pairs, vocabulary)
    except (InputError, UnavailableError, KeyError, ValueError) as error:
        logger.warning("profiles are folded from the start, since those of before cannot be continued: %s", error)
        return None


def _count_pairs(files: FileLists, vocabulary: Vocabulary, as_of: datetime | None, each: Each) -> pd.DataFrame:
    """Responses by `bucket`, `item_id` and `skills`, of items or skills that the vocabulary lacks."""
    jobs = [Job(f"{number:02d}", (), tuple(files[number])) for number in sorted(files)]
    groups = [[path for job in group for path in job.later] for group in group_jobs(jobs)]
    count = partial(count_pairs, before=as_of, items=vocabulary.items.tolist(), skills=vocabulary.nodes.tolist())
    counted = each(count, groups, sum(map(measure_files, files.values())))
    pairs: pd.DataFrame = pd.concat([*counted, count([])])[[*PAIR, "responses"]]
    return pairs


def _hash_names(files: Collection[str]) -> str:
    """A short hash of the names of files of the event log, which no two files share."""
    return hashlib.sha256("\n".join(sorted(Path(path).name for path in files)).encode()).hexdigest()[:16]


def _facts(run_id: str, as_of: datetime | None, data_version: str, code: str, known: Known) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "run_id": run_id,
        "as_of": None if as_of is None else as_of.isoformat(),
        "data_version": data_version,
        "schema": SCHEMA_HASH,
        "code": code,
        "known": [known.items, known.nodes],
    }


def _write_statistics(draft: Path, statistics: Statistics, before: _Before | None) -> None:
    """Writes the statistics, or links those of before where they are the same."""
    content = CODEC.compress(json.dumps(statistics.to_json(), ensure_ascii=False).encode(), asbytes=True)
    if before is not None and hashlib.sha256(content).hexdigest() == before.manifest["files"][STATISTICS]:
        link_file(before.folder / STATISTICS, draft / STATISTICS)
    else:
        (draft / STATISTICS).write_bytes(content)


def _holds(folder: Path, facts: Mapping[str, Any]) -> bool:
    """Whether a folder has these facts, and was not altered since it was written."""
    try:
        manifest = read_manifest(folder)
    except InputError:
        return False
    return facts.items() <= manifest.items()
