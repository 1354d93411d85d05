"""What nothing needs any more goes: what is too old as soon as a night has ingested, the rest before its record.

Nothing else cleans up after nights. Needed is what an alias names (champion, challenger, previous), what a stored plan
names, and the models of the last promotions. An erasure comes before all of that. Each part of `prune` is tried by
itself, and none fails a night.
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from features.database import Database
from features.errors import RegroupError, UnavailableError
from features.events.evidence import forget_evidence
from features.events.log.upkeep import tidy_events
from features.home import Home
from features.publications import newest_publication, order_of
from features.retention import (
    NamedProfiles,
    Removed,
    forget_old_events,
    read_events_kept,
    read_named_profiles,
    remove_old_files,
    remove_profiles,
)
from training.config import Retention
from training.nightly.facts import BUSY
from training.records.retention import remove_runs
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")


@dataclass(frozen=True)
class Pruned:
    """What became of what nothing needs.

    Attributes:
        removed: What was removed, or would be, by kind.
        failed: A sentence for each kind of which nobody knows whether all was removed.
    """

    removed: tuple[Removed, ...]
    failed: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Both in one line."""
        removed = "; ".join(str(each) for each in self.removed if each.count) or "nothing to remove"
        return "; ".join([removed, *self.failed])


def prune(home: Home, choices: Retention, now: datetime | None = None, *, dry_run: bool = False) -> Pruned:
    """Removes what nothing needs any more; only while no other night is at work.

    Args:
        home: Whose files are removed; those of its models are in MLflow's store.
        choices: How long what is kept.
        now: The present moment, in UTC.
        dry_run: Whether everything is only counted.

    Raises:
        UnavailableError: The home itself cannot be used.
    """
    work = _Work(home, choices, now or datetime.now(UTC), dry_run)
    removed: list[Removed] = []
    failed: list[str] = []
    for part in (work.remove_runs, work.remove_profiles, work.tidy_events, work.remove_files):
        try:
            removed += part()
        except (RegroupError, OSError) as error:
            if not os.access(home.root, os.R_OK | os.W_OK | os.X_OK):
                raise UnavailableError(f"REGROUP_HOME {home.root} cannot be read and written") from error
            failed.append(f"failed to {part.__name__.replace('_', ' ')}: {error}")
        except Exception as error:  # noqa: BLE001 - a night that went well must not fail for this
            failed.append(f"failed to {part.__name__.replace('_', ' ')}: {type(error).__name__}")
    for each in removed:
        if each.count:
            logger.info("prune: %s%s", each, " would be removed" if dry_run else "")
    for sentence in failed:
        logger.warning("prune: %s", sentence)
    return Pruned(tuple(removed), tuple(failed))


def prune_home(home: Home, choices: Retention, *, dry_run: bool = False) -> Pruned:
    """Does the same apart from a night.

    Raises:
        BusyError: A night, an erasure or a change of the champion is at work.
        UnavailableError: The home itself cannot be used.
    """
    with home.work("nightly", busy=BUSY):
        return prune(home, choices, dry_run=dry_run)


def remove_files(home: Home, choices: Retention, now: datetime, *, dry_run: bool = False) -> list[Removed]:
    """Removes old files of the home: log files of the inbox, rejected rows, records, and what killed nights left."""
    most = read_events_kept()  # they hold events
    days = timedelta(days=1)
    kinds = (
        ("log files that were read", _inside(home, "done"), min(most, choices.inbox_days * days)),
        ("log files that were refused", _inside(home, "refused"), min(most, choices.refused_days * days)),
        ("files of rejected rows", home.rejected.glob("*.parquet"), min(most, choices.refused_days * days)),
        ("pages of nights", _old_pages(home), choices.runs_days * days),
        ("files of records", home.decisions.glob("*"), choices.records_days * days),
        ("measures of nights", home.checks.glob("*"), choices.records_days * days),
        ("folders of nights that were stopped", home.unfinished.glob("*"), choices.runs_days * days),
    )
    return [remove_old_files(what, list(paths), kept, now, dry_run=dry_run) for what, paths, kept in kinds]


def remove_old(home: Home, choices: Retention) -> None:
    """Forgets the events that are older than they are kept, and removes old files, whatever else a night has to do.

    Raises:
        UnavailableError: The database is away, the disk is full, or this user may not write there.
        InputError: `REGROUP_EVENTS_KEPT_DAYS` is wrong.
    """
    kept, now = read_events_kept(), datetime.now(UTC)
    with home.work("ingest", busy="another ingest is at work in this home; wait for it to end"):
        forgotten = forget_old_events(home, kept, now)
    if forgotten:
        logger.info("older than %d days: %d events are removed", kept.days, forgotten)
    with Database(home.database_url()) as database, database.changing() as connection:
        if totals := forget_evidence(connection, now - kept):
            logger.info("older than %d days: %d totals are removed", kept.days, totals)
    remove_files(home, choices, now)


def _old_pages(home: Home) -> list[Path]:
    """Pages of nights for the screen and what they were made of, which stay as text; without those of the last night.

    By those a night finds that it was processed before, through a summer too, and what has changed since.
    """
    pages = [path for kind in ("html", "json") for path in home.decisions.glob(f"????-??-??-*.{kind}")]
    last = max((path.stem for path in pages), default="")
    return [path for path in pages if path.stem != last]


def _inside(home: Home, name: str) -> Iterator[Path]:
    return (path for folder in home.inbox_folders() for path in (folder / name).glob("*"))


@dataclass(frozen=True)
class _Work:
    """The parts, which share what they rest on."""

    home: Home
    choices: Retention
    now: datetime
    dry_run: bool

    def remove_runs(self) -> list[Removed]:
        return [remove_runs(Tracking(), self._read_named(), self.choices, self.now, dry_run=self.dry_run)]

    def remove_profiles(self) -> list[Removed]:
        aliases = set[str]().union(*Tracking().runs_with_alias().values())
        plans_kept = timedelta(days=self.choices.plan_profiles_days)
        return [
            remove_profiles(
                self.home, aliases, self._read_named(), self.now, self._grace, plans_kept, dry_run=self.dry_run
            )
        ]

    def tidy_events(self) -> list[Removed]:
        """Leaves the versions of the event log that runs with an alias learned from, and those of their profiles."""
        tracking = Tracking()
        aliases = set[str]().union(*tracking.runs_with_alias().values())
        tags = [run.data.tags for run in tracking.list_runs() if run.info.run_id in aliases]
        versions = {int(tag["data_version"].partition(".")[0]) for tag in tags if "data_version" in tag}
        newest = (newest_publication(self.home, run_id) for run_id in aliases)
        versions |= {order_of(folder.name)[1] for folder in newest if folder is not None}
        with self.home.work("ingest", busy="an ingest is at work in this home"):
            done = tidy_events(self.home, versions, self._grace, dry_run=self.dry_run)
        return [
            Removed("small files of the event log, merged", done.merged, 0),
            Removed("files of the event log that nothing needs", done.removed, done.bytes),
        ]

    def remove_files(self) -> list[Removed]:
        return remove_files(self.home, self.choices, self.now, dry_run=self.dry_run)

    @property
    def _grace(self) -> timedelta:
        return timedelta(hours=self.choices.grace_hours)

    def _read_named(self) -> list[NamedProfiles]:
        with Database(self.home.database_url()) as database:
            return read_named_profiles(database)
