"""Erases one student from everything that regroup stores.

Each `Store` lists the tables and folders that it erases from. A test walks all tables and files of a used installation
and fails where one is neither a store's nor known to be without students.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from filelock import FileLock

from features.bundle import MANIFEST, read_manifest
from features.database import Database
from features.database.continuity import IDENTITY
from features.erasure_list import note_erasure
from features.errors import InputError
from features.events.evidence import EVIDENCE, erase_evidence
from features.events.live.answers import LIVE_EVENTS, VOIDED_STATEMENTS, forget_students
from features.events.log.upkeep import erase_events
from features.events.staging import clear_staging
from features.home import MAPPING, Home
from features.logs import open_log
from features.publications import list_published_students, publish_without
from features.roster import erase_student, tables
from features.roster.people.id_table import aliases_of, forget_ids, ids_of, read_sources
from features.roster.people.vault import find_vault
from features.tombstones import TOMBSTONES

ROSTER = "roster"


@dataclass(frozen=True)
class Installation:
    """Where a student is erased from.

    Attributes:
        home: The folder with the event log and what was published.
        database: The database with the roster and the service's tables.
        delete_files: Whether log files in the inbox that hold the student are deleted; else they are listed in `left`.
        left: Files that still hold the student; filled while stores are erased.
    """

    home: Home
    database: Database
    delete_files: bool = False
    left: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Store:
    """One kind of data that may hold students.

    Attributes:
        name: What a person calls it.
        erase: Removes a student and returns how many rows or files held the student; a second call returns 0.
        tables: Names of the database's tables that `erase` covers.
        folders: Names in the home that `erase` covers.
    """

    name: str
    erase: Callable[[Installation, str], int]
    tables: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def erase_everywhere(stores: Sequence[Store], place: Installation, student_id: str) -> dict[str, int]:
    """Removes a student from every store and counts the rows or files by store; a killed run can be repeated.

    The tombstone is written first, together with the student's removal from the roster: whoever keeps something later
    finds in the same transaction that the student is gone, and what was kept earlier is found in the stores.

    Raises:
        BusyError: A nightly run or an ingest is at work, or the database stayed locked.
        DatabaseAwayError: It cannot be used.
        UnavailableError: A file may not be read or written.
    """
    busy = "a nightly run, an ingest or the load of a roster is at work in this home; erase when it has ended"
    with place.home.work("nightly", "ingest", "roster", busy=busy):
        with place.database.changing(alone=True, erasing=True) as connection:
            for text in (student_id, *aliases_of(connection, student_id)):  # late events have the ids of other systems
                note_erasure(place.home.erasures, connection, text)
            seated = erase_student(connection, student_id)
        counts = {store.name: store.erase(place, student_id) for store in stores}
        place.database.compact()
    return counts | {ROSTER: counts.get(ROSTER, 0) + seated}


def _erase_live(place: Installation, student_id: str) -> int:
    with place.database.changing() as connection:
        return forget_students(connection, [student_id])


def _erase_evidence(place: Installation, student_id: str) -> int:
    with place.database.changing() as connection:
        return erase_evidence(connection, student_id)


def _erase_rejected(place: Installation, student_id: str) -> int:
    with place.database.reading() as connection:
        texts = [student_id, *(each.other_id for each in ids_of(connection, student_id))]
    held = 0
    for path in sorted(place.home.rejected.glob("*.parquet")):
        table = pyarrow.parquet.read_table(path)
        keep = ~_rows_with(table, texts)
        if keep.all():
            continue
        held += int((~keep).sum())
        if keep.any():
            draft = path.with_name(f".{path.name}")
            pyarrow.parquet.write_table(table.filter(pa.array(keep)), draft)
            draft.replace(path)
        else:
            path.unlink()
    return held


def _rows_with(table: pa.Table, texts: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """The rows with one of the texts in any column: a row may be rejected because its columns were mixed up."""
    found = np.zeros(len(table), bool)
    for column in table.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found |= pc.is_in(column, pa.array(texts, column.type)).to_numpy()
    return found


def _erase_staging(place: Installation, student_id: str) -> int:
    del student_id  # what a killed run left is of no use to anybody
    held = int(place.home.staging.exists())
    clear_staging(place.home)
    return held


def _erase_inbox(place: Installation, student_id: str) -> int:
    home = place.home
    with place.database.reading() as connection:
        others, kinds = ids_of(connection, student_id), read_sources(connection)
    held = 0

    def is_meant(source: str, ids: "pd.Series[str]") -> "pd.Series[bool]":
        """Which ids of a log are the student's; those of other systems in any capitals, as they are read."""
        kind = kinds.get(source)
        if kind is None:
            return ids == student_id
        return ids.str.casefold().isin({each.other_id.casefold() for each in others if each.kind == kind})

    every = {student_id, *(each.other_id for each in others)}
    for path in sorted(path for path in home.inbox.rglob("*") if path.is_file() and path.name != MAPPING):
        if not _file_holds(path, home.inbox_mapping(path), is_meant, every):
            continue
        held += 1
        if place.delete_files:
            path.unlink()
        else:
            place.left.append(path)
    return held


def _file_holds(
    path: Path, mapping: Path | None, is_meant: Callable[[str, "pd.Series[str]"], "pd.Series[bool]"], every: set[str]
) -> bool:
    try:
        log = open_log(path, mapping=mapping)
        return any(is_meant(log.source, chunk["student_id"]).any() for chunk in log.chunks())
    except InputError:
        content = path.read_bytes()
        return any(each.encode() in content for each in every)  # nobody can read it; better one file too many


def _erase_names(place: Installation, student_id: str) -> int:
    del place  # the vault is where the environment says
    vault = find_vault()
    return 0 if vault is None else vault.forget(student_id)


def _erase_ids(place: Installation, student_id: str) -> int:
    with place.database.changing() as connection:
        return forget_ids(connection, student_id)


def _erase_published(place: Installation, student_id: str) -> int:
    for draft in place.home.published.glob("*/.*"):
        shutil.rmtree(draft)  # of a run that was killed
    manifests = sorted(place.home.published.glob(f"*/*/{MANIFEST}"))
    held = 0
    for folder in (path.parent for path in manifests):
        try:
            held += publish_without(folder, student_id)
        except InputError:
            shutil.rmtree(folder)  # altered, so that no service serves it and nobody knows what it holds
            held += 1
    return held


def _erase_served(place: Installation, student_id: str) -> int:
    """Removes the copy of what the service loaded last; it makes another of what it serves next."""
    with FileLock(place.home.lock("served")):  # a copy that is being made is found
        found = [folder for folder in place.home.served.glob("*") if _copy_holds(folder, student_id)]
        for folder in found:
            shutil.rmtree(folder)
    return len(found)


def _copy_holds(folder: Path, student_id: str) -> bool:
    if folder.name.startswith("."):
        return True  # a draft of a process that was killed, or what it was about to remove
    try:
        read_manifest(folder)
        return student_id in list_published_students(folder / "profiles")
    except InputError:
        return True  # nobody knows what it holds, and no service serves it


def _erase_experiments(place: Installation, student_id: str) -> int:
    """Removes what experiments forecast: of whom is hashed, and a run without one student is of other rows."""
    del student_id
    held = len(list(place.home.experiments.glob(f"runs/*/{MANIFEST}")))
    if place.home.experiments.exists():
        shutil.rmtree(place.home.experiments)
    return held


STORES = (
    Store(
        ROSTER,
        lambda place, student_id: erase_student(place.database, student_id),
        tables=tuple(table.name for table in tables.OF_STUDENTS),
    ),
    Store("names", _erase_names),
    Store("live events", _erase_live, tables=(LIVE_EVENTS.name,)),
    Store("evidence", _erase_evidence, tables=(EVIDENCE.name,)),
    Store("event log", lambda place, student_id: erase_events(place.home, student_id), folders=("events",)),
    Store("rejected rows", _erase_rejected, folders=("rejected",)),
    Store("staging", _erase_staging, folders=("staging",)),
    Store("inbox", _erase_inbox, folders=("inbox",)),
    Store("published profiles", _erase_published, folders=("published",)),
    # after the profiles that it is copied from, so that no service copies them once more
    Store("copy of what served last", _erase_served, folders=("served",)),
    Store("experiments", _erase_experiments, folders=("experiments",)),
    # last, since files of other systems name the student by these ids alone, also when an erasure is repeated
    Store("ids of other systems", _erase_ids, tables=(tables.OTHER_IDS.name, tables.UNMATCHED_IDS.name)),
)
"""What is kept outside of the service's own tables."""

WITHOUT_STUDENTS = (
    *(table.name for table in (tables.TEAMS, tables.STAFF, tables.ROOMS, tables.BLOCKS, tables.RULES, tables.SKILLS)),
    *(
        table.name
        for table in (tables.PREREQUISITES, tables.FOCUS, tables.PAST_SESSIONS, tables.SERIES, tables.POLICIES)
    ),
    *(table.name for table in (tables.VERSIONS, TOMBSTONES)),
    "alembic_version",
    *(IDENTITY.name, VOIDED_STATEMENTS.name),
)
"""Tables that name no student; `erased_students` holds keyed hashes."""

FOLDERS_WITHOUT_STUDENTS = (
    *("item_skills", "decisions", "checks", "unfinished", "trials", "database.json", "erasures.jsonl"),
    *("regroup.db", "regroup.db-wal", "regroup.db-shm"),
)
"""Names in the home that hold no student; the list of erasures holds keyed hashes, the database's files its tables."""
