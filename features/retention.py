"""How long what is stored of students in the home is kept, and the removal of what is older.

An event is as old as the last one of its log is younger: a log of years ago, which nobody adds to, is kept as it is.
Files and folders are as old as the clock says. Erasures do not ask how long anything is to be kept.
"""

import os
import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import column, func, select, table

from features.bundle import MANIFEST
from features.database import Database
from features.database.dialects import UtcTime
from features.errors import InputError, MissingError
from features.events.log.upkeep import find_span, forget_events
from features.home import Home
from features.publications import newest_publication

KEPT_DAYS = 1100
"""How long events are kept unless `REGROUP_EVENTS_KEPT_DAYS` says otherwise: about three school years."""

LEAST_DAYS = 60
"""A shorter time would leave too little to learn from."""

TOGETHER = timedelta(days=30)
"""So many days of events go at once, since the log is rewritten and its older versions end."""

PLANS = table("recommendations", column("run_id"), column("profiles"), column("created_at", UtcTime))
"""What is read of the service's table of stored plans."""

ERASED = re.compile(r"-erased\d+$")
"""An erasure publishes profiles anew under their name with this end."""


@dataclass(frozen=True)
class Removed:
    """What was removed, or would be.

    Attributes:
        what: What a person calls it, in the plural.
        count: How many there were.
        bytes: How much room they took on the disk.
    """

    what: str
    count: int
    bytes: int

    def __str__(self) -> str:
        """Such as `3 log files, 1.2 MB`."""
        return f"{self.count:,} {self.what}, {self.bytes / 1e6:,.1f} MB"


@dataclass(frozen=True)
class NamedProfiles:
    """Models and profiles that stored plans name.

    Attributes:
        run_id: The run of the models.
        name: The name of the profiles.
        last: When the newest of these plans was made, in UTC.
    """

    run_id: str
    name: str
    last: datetime


def read_events_kept() -> timedelta:
    """How long events are kept, from the environment.

    Raises:
        InputError: `REGROUP_EVENTS_KEPT_DAYS` is no whole number of days, or too few.
    """
    text = os.environ.get("REGROUP_EVENTS_KEPT_DAYS") or str(KEPT_DAYS)
    if not text.isdecimal() or not LEAST_DAYS <= int(text) <= 36_500:  # noqa: PLR2004 - a century
        raise InputError(f"REGROUP_EVENTS_KEPT_DAYS={text!r}: write a whole number of days, {LEAST_DAYS} or more")
    return timedelta(days=int(text))


def forget_old_events(home: Home, kept: timedelta, now: datetime) -> int:
    """Removes old events from the log and returns how many there were.

    Args:
        home: Where the event log is; nobody else may ingest meanwhile.
        kept: How long events are kept.
        now: The present moment, in UTC.

    Raises:
        UnavailableError: The event log cannot be changed.
    """
    span = find_span(home)
    if span is None:
        return 0
    first, last = span
    limit = min(last, now) - kept
    return 0 if first >= limit - TOGETHER else forget_events(home, limit)


def read_named_profiles(database: Database) -> list[NamedProfiles]:
    """The models and profiles that stored plans name; none where no plan was ever stored.

    Raises:
        DatabaseAwayError: The database cannot be used.
    """
    columns = PLANS.c.run_id, PLANS.c.profiles
    query = select(*columns, func.max(PLANS.c.created_at, type_=UtcTime)).group_by(*columns)
    try:
        with database.reading() as connection:
            rows = connection.execute(query).all()
    except MissingError:
        return []
    return [NamedProfiles(*row) for row in rows if row[0] is not None]


def remove_profiles(
    home: Home, aliases: Collection[str], named: Iterable[NamedProfiles], now: datetime, grace: timedelta,
    plans_kept: timedelta, *, dry_run: bool = False,
) -> Removed:  # fmt: skip
    """Removes published profiles, but for the newest of runs with an alias, new ones, and those of plans.

    Args:
        home: Where profiles are published; no night may be at work.
        aliases: Runs with an alias.
        named: What stored plans name.
        now: The present moment, in UTC.
        grace: How long other profiles stay after they were written.
        plans_kept: How long those that a plan names stay after it was made.
        dry_run: Whether they are only counted.
    """
    needed = {newest_publication(home, run_id) for run_id in aliases}
    of_plans = {(each.run_id, ERASED.sub("", each.name)) for each in named if now - each.last <= plans_kept}
    drafts = [path for path in home.published.glob("*/.*") if path.is_dir()]  # of a process that was killed
    old = [
        folder
        for folder in (path.parent for path in home.published.glob(f"*/*/{MANIFEST}"))
        if folder not in needed
        and (folder.parent.name, ERASED.sub("", folder.name)) not in of_plans
        and find_age(folder / MANIFEST, now) > grace
        and folder.name[0] != "."
    ]
    removed = remove_paths("published profiles", [*drafts, *old], dry_run=dry_run)
    if not dry_run:
        for folder in home.published.glob("*"):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    return removed


def remove_old_files(
    what: str, paths: Iterable[Path], kept: timedelta, now: datetime, *, dry_run: bool = False
) -> Removed:
    """Removes files and folders that were written longer ago than they are kept."""
    return remove_paths(what, [path for path in paths if find_age(path, now) > kept], dry_run=dry_run)


def remove_paths(what: str, paths: Collection[Path], *, dry_run: bool = False) -> Removed:
    """Removes files and folders, the latter at once, and says how much room that gives."""
    files = [file.stat() for path in paths for file in _files_of(path)]
    names = Counter((file.st_dev, file.st_ino) for file in files)
    # profiles share files; one that has another name somewhere else stays
    size = sum(file.st_size / file.st_nlink for file in files if names[file.st_dev, file.st_ino] >= file.st_nlink)
    for path in () if dry_run else paths:
        if path.is_dir():
            aside = path.with_name(f".{path.name.removeprefix('.')}-removed")  # so that nobody finds half of it
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)
            shutil.rmtree(aside)
        else:
            path.unlink()
    return Removed(what, len(paths), round(size))


def measure(path: Path) -> int:
    """The bytes of a file, or of all files in a folder; 0 where there is neither."""
    return sum(file.stat().st_size for file in _files_of(path))


def _files_of(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def find_age(path: Path, now: datetime) -> timedelta:
    """How long ago a file was written."""
    return now - datetime.fromtimestamp(path.stat().st_mtime, now.tzinfo)
