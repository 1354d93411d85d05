"""What came in since the night, on top of the snapshot: each process folds it for itself from the database.

Processes share nothing but the database, so each asks it with every request for events with a later number than the
last it saw. The picture of the students asked for is then read from their states at one moment: the midnight after
the last event, as a night that ran now would choose it.
"""

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from prometheus_client import Gauge

from features.bundle import read_manifest
from features.database import Database
from features.errors import MissingError, RegroupError
from features.history import NO_TIME
from features.home import Home
from features.live_events import read_live_events
from features.overlay import Overlay
from features.profiles import read_skill_rows, read_student_profiles
from features.state import State
from features.statistics import Statistics
from features.store import read_events
from serving.errors import SnapshotError
from serving.snapshot import Snapshot

logger = logging.getLogger("regroup")

TOUCHED = Gauge("regroup_live_students", "Students with events since the night that this process has folded.")

PICTURES = 256
"""Sets of students whose picture is kept until the next event."""

SNAPSHOTS = 3
"""On which live events are kept: requests that are under way finish on the one that they began with."""


class _Day:
    """Live events on top of one snapshot; the state is loaded with the first of them."""

    def __init__(self, snapshot: Snapshot, home: Home) -> None:
        self.snapshot = snapshot
        self.log_version = int(snapshot.data_version.split(".")[0])
        self.through: int | None = None
        self.overlay: Overlay | None = None
        self.plain = snapshot
        self.pictures: OrderedDict[tuple[str, ...], Snapshot] = OrderedDict()
        self._home = home

    def look(self, database: Database) -> None:
        """Folds what came in since the last look.

        Raises:
            RegroupError: The database or the state cannot be read; what was folded stays.
        """
        new = read_live_events(
            database, after=self.through or 0, log_version=self.log_version, as_of=self.snapshot.data_as_of
        )
        if not new.events.empty:
            self.overlay = self.overlay or self._load()
            self.overlay.add(new.events)
            self.pictures.clear()
            TOUCHED.set(len(self.overlay.touched))
        if new.through != self.through:
            self.through = new.through
            self.plain = replace(self.snapshot, live_through=new.through)
            self.pictures.clear()

    def picture(self, students: Sequence[str]) -> Snapshot:
        """The students' profiles at the day's moment; the night's own where nothing came in since."""
        if self.overlay is None:
            return self.plain
        key = tuple(students)
        if key not in self.pictures:
            self.pictures[key] = self._draw(self.overlay, students)
            if len(self.pictures) > PICTURES:
                self.pictures.popitem(last=False)
        return self.pictures[key]

    def _load(self) -> Overlay:
        publication = self._home.published / self.snapshot.champion.run_id / self.snapshot.publication
        read_manifest(publication)
        try:
            statistics = Statistics.from_json(json.loads((publication / "statistics.json").read_text("utf-8")))
            return Overlay(State.load(publication / "state.npz"), statistics, self._read_history)
        except (OSError, ValueError, KeyError) as error:
            raise SnapshotError(f"the state {publication.name} cannot be read: {type(error).__name__}") from error

    def _read_history(self, students: Sequence[str]) -> pd.DataFrame | None:
        for version in (self.log_version, None):  # an erasure removes the files of older versions
            try:
                return read_events(self._home, students=students, version=version, before=self.snapshot.data_as_of)
            except (RegroupError, OSError) as error:
                logger.warning("event log, version %s: cannot be read (%s)", version or "newest", type(error).__name__)
        return None

    def _draw(self, overlay: Overlay, students: Sequence[str]) -> Snapshot:
        statistics, moment = overlay.statistics, _moment(self.snapshot.data_as_of, overlay.latest)
        state = overlay.state_of(sorted(set(students)))
        rows = read_skill_rows(state, statistics, moment)
        names = statistics.catalog.nodes.to_numpy(dtype=object)[rows.node]
        order = np.lexsort((names.astype(str), rows.student))
        found, start = np.unique(rows.student[order], return_index=True)
        practised = rows.last_practised[order]
        known = ~np.isnan(practised)
        return replace(
            self.snapshot,
            live_through=self.through,
            data_as_of=moment,
            students=state.students.to_numpy(dtype=str)[found],
            start=np.append(start, len(order)).astype(np.int64),
            skills=names[order],
            last_practised=np.where(known, np.where(known, practised, 0).astype(np.int64), NO_TIME),
            rows=rows.columns[order],
            student_profiles=read_student_profiles(state, statistics, moment).set_index("student_id"),
        )


class LiveEvents:
    """The events since the night, as this process has seen them; for all its threads.

    Args:
        home: Where profiles are published and the event log is.
        database: Of the service.
    """

    def __init__(self, home: Home, database: Database) -> None:
        self._home = home
        self._database = database
        self._lock = threading.Lock()
        self._days: OrderedDict[int, _Day] = OrderedDict()

    def see(self, snapshot: Snapshot, students: Sequence[str]) -> Snapshot:
        """The snapshot with everything about the students that was acknowledged before this call.

        Where the database is away, it is as of the last look; where the snapshot's state cannot be read, it is the
        night's.

        Args:
            snapshot: What serves this request.
            students: Ids; those that nobody knows have no profile, and others than these none either.
        """
        with self._lock:
            day = self._days.get(id(snapshot)) or self._keep(_Day(snapshot, self._home))
            self._look(day)
            return day.picture(students)

    def prepare(self, snapshot: Snapshot) -> None:
        """Folds what there is onto a snapshot before it serves, while requests go on with the one before."""
        day = _Day(snapshot, self._home)
        self._look(day)
        with self._lock:
            self._keep(day)

    def _look(self, day: _Day) -> None:
        try:
            day.look(self._database)
        except MissingError:
            pass  # no tables: nothing came in yet
        except RegroupError as error:
            logger.warning("going on with the live events seen so far: %s", error)

    def _keep(self, day: _Day) -> _Day:
        self._days[id(day.snapshot)] = day  # which the day keeps alive, so that no other gets this number
        while len(self._days) > SNAPSHOTS:
            self._days.popitem(last=False)
        return day


def _moment(of_night: datetime | None, latest: pd.Timestamp | None) -> datetime | None:
    """The midnight after the last event, UTC; null for a log without a clock."""
    if latest is None:
        return of_night
    midnight: datetime = (latest.normalize() + timedelta(days=1)).to_pydatetime()
    return midnight if of_night is None else max(of_night, midnight)
