"""What one ingest changes in the event log: staged by student bucket, then stored in one commit."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

import pandas as pd

from features.console import track
from features.database import Database
from features.events.checks import keep_distinct
from features.events.identity.exports import ExportCheck
from features.events.identity.repeats import resolve_repeats, resolve_retries
from features.events.identity.voided import Voids, settle_voids, void_statements
from features.events.known import read_known
from features.events.live.answers import lock_writers
from features.events.log.files import list_files
from features.events.log.store import (
    DataVersion,
    add_item_skills,
    append_events,
    data_version,
    has_events,
    read_events,
    replace_buckets,
    scan_buckets,
)
from features.events.staging import PartWriter, RejectedWriter, read_new, read_part, staged_buckets
from features.home import Home
from features.schema import BUCKETS


@dataclass
class Changes:
    """What a run is about to store.

    Attributes:
        item_skills: The skills of items.
        counts: Those of `IngestCounts`.
        changed: Buckets in which stored events change or go; all of their events are in `retagged`.
        voided: Rows of statements that were voided.
        removed: Stored events of such statements.
    """

    item_skills: pd.DataFrame
    counts: Counter[str]
    changed: set[int] = field(default_factory=set)
    voided: int = 0
    removed: int = 0

    def notes(self) -> tuple[str, ...]:
        """What was taken back, in a sentence."""
        return (f"{self.removed:,} stored events are gone: their statements were voided",) if self.removed else ()


def stage_changes(
    home: Home,
    rejected: RejectedWriter,
    leaves_open: Collection[str],
    settled: Counter[str],
    exports: ExportCheck,
    voids: Voids,
) -> Changes:
    """Writes events that the log lacks by bucket, and all of a bucket in which others change or go.

    Args:
        home: Where the staged rows and the event log are.
        rejected: Takes the rows that contradict others.
        leaves_open: What the log does not say, of `features.logs.rows.OPEN`.
        settled: Counts what was settled of it.
        exports: Looks at the new events.
        voids: The statements of which nothing is stored.
    """
    pairs = [pd.DataFrame({"item_id": [], "skill_id": []}, dtype="str")]
    counts = Counter({"events_stored": 0, "events_known": 0, "rows_merged": 0, "activities": 0})
    found = Changes(pairs[0], counts)
    files = list_files(home) if has_events(home) else {}
    due = any(voids.due.values())
    with PartWriter(home.staging / "new") as parts, PartWriter(home.staging / "retagged") as retagged:
        for bucket in track(range(BUCKETS), "student buckets compared", total=BUCKETS):
            rows = read_part(home.staging / "rows", bucket)
            if rows is None and not due:
                continue
            rows = None if rows is None else resolve_repeats(rows, leaves_open, settled)
            # whose the voided statements were, nobody knows
            known = read_known(files.get(bucket, ()), None if due else rows, leaves_open)
            gone = known[voids.among(known)]
            known = known.drop(gone.index)
            further = pd.DataFrame({"event_id": [], "skills": []}, dtype="str")
            if rows is not None:
                taken_back = voids.among(rows)
                rows, found.voided = rows[~taken_back], found.voided + int(taken_back.sum())
                distinct = keep_distinct(resolve_retries(rows, known, leaves_open, settled), known)
                exports.add(distinct.events, known)
                parts.add(distinct.events)
                rejected.add(distinct.rejected)
                pairs.append(distinct.item_skills)
                further = distinct.retagged
                stored = int(distinct.events["kind"].eq("response").sum())
                counts["events_stored"] += stored
                counts["activities"] += len(distinct.events) - stored
                counts["events_known"] += distinct.known
                counts["rows_merged"] += distinct.merged
            if len(gone) or not further.empty:
                events = read_events(home, buckets=[bucket])
                retagged.add(_retag(events[~events["event_id"].isin(gone["event_id"])], further))
                found.changed.add(bucket)
                found.removed += len(gone)
    found.item_skills = pd.concat(pairs).drop_duplicates().sort_values(["item_id", "skill_id"], ignore_index=True)
    return found


def commit_changes(
    home: Home, found: Changes, voids: Voids, now: datetime, database: Database | None
) -> DataVersion | None:
    """Stores what was staged; the version of the tables, null if nothing was ever stored.

    What a file voids is noted first: a run that is killed then leaves it to the next one.
    """
    if database is not None and voids.new:
        with database.changing() as connection:
            lock_writers(connection)
            for source, ids in voids.new.items():
                void_statements(connection, source, ids, now)
    new, retagged = home.staging / "new", home.staging / "retagged"
    written = staged_buckets(new) | found.changed
    version = None
    if written or has_events(home):
        add_item_skills(home, found.item_skills)
        if found.changed:  # all in one commit, so buckets that only have new events are replaced too
            unchanged = scan_buckets(home, written - found.changed)
            replace_buckets(home, written, chain(read_new(retagged), unchanged, read_new(new)))
        elif written:
            append_events(home, read_new(new))
        version = data_version(home)
    if database is not None:
        settle_voids(database, voids, 0 if version is None else version.events)
    return version


def _retag(events: pd.DataFrame, retagged: pd.DataFrame) -> pd.DataFrame:
    """The events with the skills that some of them have now."""
    if retagged.empty:
        return events
    skills = events["event_id"].map(retagged.set_index("event_id")["skills"])
    return events.assign(skills=skills.fillna(events["skills"]))
