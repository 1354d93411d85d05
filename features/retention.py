"""Removes events that are older than an installation keeps them, with the files that they came in and profiles of then.

An event is as old as the last one of its log is younger: a log of years ago, which nobody adds to, is kept as it is.
Files are as old as the clock says.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from features.bundle import MANIFEST
from features.errors import InputError
from features.events.store import find_span, forget_events
from features.home import DONE_WITH, Home
from features.publications import newest_publication

KEPT_DAYS = 1100
"""How long events are kept unless `REGROUP_EVENTS_KEPT_DAYS` says otherwise: about three school years."""

LEAST_DAYS = 60
"""A shorter time would leave too little to learn from."""

TOGETHER = timedelta(days=30)
"""So many days of events go at once, since the log is rewritten and its older versions end."""

PUBLISHED = timedelta(days=30)
"""How long profiles are kept that no night has continued: as long as live events that they lack."""


@dataclass(frozen=True)
class Forgotten:
    """What one night removed.

    Attributes:
        events: Events of the log.
        files: Files of rejected rows, and log files of the inbox that were done with.
    """

    events: int
    files: int


def read_events_kept() -> timedelta:
    """How long events are kept, from the environment.

    Raises:
        InputError: `REGROUP_EVENTS_KEPT_DAYS` is no whole number of days, or too few.
    """
    text = os.environ.get("REGROUP_EVENTS_KEPT_DAYS") or str(KEPT_DAYS)
    if not text.isdecimal() or not LEAST_DAYS <= int(text) <= 36_500:  # noqa: PLR2004 - a century
        raise InputError(f"REGROUP_EVENTS_KEPT_DAYS={text!r}: write a whole number of days, {LEAST_DAYS} or more")
    return timedelta(days=int(text))


def forget_old_events(home: Home, kept: timedelta, now: datetime) -> Forgotten:
    """Removes old events from the log, and old files of events.

    Args:
        home: Where the event log and the files are; nobody else may ingest meanwhile.
        kept: How long events are kept.
        now: The present moment, in UTC.

    Raises:
        UnavailableError: The event log or a file cannot be changed.
    """
    done = (path for inside in home.inbox_folders() for name in DONE_WITH for path in (inside / name).glob("*"))
    files = _remove(path for path in (*home.rejected.glob("*.parquet"), *done) if _age(path, now) > kept)
    span = find_span(home)
    if span is None:
        return Forgotten(0, files)
    first, last = span
    limit = min(last, now) - kept
    if first >= limit - TOGETHER:
        return Forgotten(0, files)
    return Forgotten(forget_events(home, limit), files)


def forget_old_profiles(home: Home, run_id: str, now: datetime) -> int:
    """Removes published profiles of a month ago and returns how many there were; the newest of one run stay.

    Args:
        home: Where profiles are published.
        run_id: The run that serves.
        now: The present moment, in UTC.
    """
    newest = newest_publication(home, run_id)
    manifests = sorted(home.published.glob(f"*/*/{MANIFEST}"))
    old = [path.parent for path in manifests if path.parent != newest and _age(path, now) > PUBLISHED]
    for folder in old:
        shutil.rmtree(folder)
    return len(old)


def _age(path: Path, now: datetime) -> timedelta:
    return now - datetime.fromtimestamp(path.stat().st_mtime, now.tzinfo)


def _remove(paths: Iterable[Path]) -> int:
    removed = 0
    for path in paths:
        path.unlink()
        removed += 1
    return removed
