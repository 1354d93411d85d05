"""Live events since the night, on top of the snapshot: each process folds them for itself from the database.

Processes share nothing but the database, so each looks there with every request for events with a later number than
the last it saw. The snapshot is then restricted to the students of the request, whose states are read at the moment of
their school: the midnight after its last event, as a night of that school alone would choose it. What one school sends
changes nothing in the answers about another.
"""

import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from deltalake.exceptions import DeltaError
from prometheus_client import Gauge

from features.bundle import MANIFEST, file_hash
from features.database import Database, DatabaseAwayError
from features.errors import MissingError, RegroupError
from features.events.live.answers import Change, LiveRows, read_live_events, read_students_events
from features.events.log.store import read_events
from features.home import Home
from features.profiles.incremental import IncrementalState
from features.publications import read_publication
from features.schema import Event, list_events
from serving.errors import SnapshotError
from serving.lifecycle import CircuitBreaker
from serving.models.answers import ItemAnswers
from serving.models.cache import Cache
from serving.models.snapshot import Snapshot, read_rows

logger = logging.getLogger("regroup")

TOUCHED = Gauge(
    "regroup_live_students", "Students with events since the night, as a process has seen.", multiprocess_mode="livemax"
)

MAX_RESTRICTED, MAX_RESTRICTED_BYTES = 256, 64 * 2**20
"""Sets of students whose restricted snapshot is kept until the next event of one of them, and their size together with
all that is kept of them."""


def restrict_snapshot(
    snapshot: Snapshot, incremental: IncrementalState, students: Collection[str], moment: datetime | None
) -> Snapshot:
    """Restricts a snapshot to the profiles of the students, as their states stand at a moment.

    Args:
        snapshot: Whose models are kept.
        incremental: With the states.
        students: Ids; those without a state have no profile.
        moment: UTC; None for a log without a clock.
    """
    statistics = incremental.statistics
    state = incremental.state_of(sorted(set(students)))
    return replace(
        snapshot,
        live_through=incremental.count_events(students),
        data_as_of=moment,
        **read_rows(state, statistics, moment),
        live_answers=ItemAnswers.from_state(state, statistics, incremental.published_items),
        cache=Cache(),
    )


@dataclass(frozen=True)
class _Restricted:
    """A restricted snapshot, and the students of its school."""

    snapshot: Snapshot
    school: frozenset[str]


class _Day:
    """Live events on top of one snapshot; the state is loaded with the first of them.

    It does not keep the snapshot: with the last request that reads the snapshot both go, and with them every student
    who was erased since.
    """

    def __init__(self, snapshot: Snapshot, home: Home, database: Database) -> None:
        self.restarts = 0
        self.seen: Change | None = None
        self._as_of = snapshot.data_as_of
        self._log_version = int(snapshot.data_version.split(".")[0])
        self._folder, self._digest, self._name = snapshot.folder, snapshot.digest, snapshot.publication
        self._home, self._database = home, database
        self._incremental: IncrementalState | None = None
        self._moments: dict[frozenset[str], datetime | None] = {}
        self._restricted: OrderedDict[tuple[str, ...], _Restricted] = OrderedDict()
        self._plain: Snapshot | None = None

    def look(self) -> None:
        """Folds the events that came in since the last look; all of them where an earlier one is gone.

        Raises:
            RegroupError: The database or the state cannot be read; what was folded stays.
        """
        if self.restarts != (restarts := self._database.restarts):
            self.restarts = restarts
            self._begin_again()
        new = self._read_after(0 if self.seen is None else self.seen.through)
        if self.seen is not None and new.voided != self.seen.voided:
            new = self._read_after(0)
            self._begin_again()
        if new.events:
            self._incremental = self._incremental or self._load()
            statistics = self._incremental.statistics
            self._incremental.add(new.events)
            touched = {event.student_id for event in new.events}
            if self._incremental.statistics is not statistics:  # a new item may now be about other skills
                touched = self._incremental.touched
            self._forget(touched)
            TOUCHED.set(len(self._incremental.touched))
        if self.seen is None:
            self._plain = None
        self.seen = Change(new.through, new.voided)

    def is_behind(self, latest: Change) -> bool:
        """Whether there is anything to see that the last look did not."""
        seen = self.seen
        return (
            seen is None
            or latest.through > seen.through
            or latest.voided > seen.voided
            or self.restarts != self._database.restarts
        )

    def _begin_again(self) -> None:
        self.seen, self._incremental, self._plain = None, None, None
        TOUCHED.set(0)
        self._moments.clear()
        self._restricted.clear()

    def _read_after(self, number: int) -> LiveRows:
        return read_live_events(self._database, after=number, log_version=self._log_version, as_of=self._as_of)

    def restrict(self, snapshot: Snapshot, students: Sequence[str], school: frozenset[str]) -> Snapshot:
        """Restricts the snapshot to the students at their school's moment; without live events it stays the night's."""
        school = school.union(students) if not school.issuperset(students) else school
        moment = self._moment_of(school)
        if self._incremental is None or (moment == self._as_of and not self._incremental.count_events(students)):
            self._plain = self._plain or replace(snapshot, live_through=None if self.seen is None else 0)
            return self._plain
        key = tuple(students)
        kept = self._restricted.get(key)
        if kept is None or kept.snapshot.data_as_of != moment:
            kept = _Restricted(restrict_snapshot(snapshot, self._incremental, students, moment), school)
            self._restricted[key] = kept
        self._restricted.move_to_end(key)
        self._bound()
        return kept.snapshot

    def _forget(self, touched: set[str]) -> None:
        """Drops what is kept of students with new events, and of schools whose moment these have moved."""
        self._moments.clear()
        for key, kept in list(self._restricted.items()):
            if not touched.isdisjoint(key) or kept.snapshot.data_as_of != self._moment_of(kept.school):
                del self._restricted[key]

    def _bound(self) -> None:
        """Drops what was asked for longest ago, until the rest is few and small enough."""
        nbytes = sum(kept.snapshot.nbytes for kept in self._restricted.values())
        while len(self._restricted) > 1 and (nbytes > MAX_RESTRICTED_BYTES or len(self._restricted) > MAX_RESTRICTED):
            _, dropped = self._restricted.popitem(last=False)
            nbytes -= dropped.snapshot.nbytes

    def _moment_of(self, school: frozenset[str]) -> datetime | None:
        """Returns the midnight after the last event of a school, UTC; None for a log without a clock."""
        if school not in self._moments:
            if len(self._moments) >= MAX_RESTRICTED:  # a student without a team is like a school
                self._moments.clear()
            latest = None if self._incremental is None else self._incremental.latest_of(school)
            moment = self._as_of
            if latest is not None:
                midnight: datetime = (latest.normalize() + timedelta(days=1)).to_pydatetime()
                moment = midnight if moment is None else max(moment, midnight)
            self._moments[school] = moment
        return self._moments[school]

    def _load(self) -> IncrementalState:
        published = read_publication(self._folder)
        try:
            replaced = file_hash(self._folder / MANIFEST) != self._digest
        except OSError as error:
            raise SnapshotError(f"the state {self._name} cannot be read: {type(error).__name__}") from error
        if replaced:  # a bundle: the watcher swaps it in a moment
            raise SnapshotError(f"the state {self._name} is gone: other profiles were put in its place")
        return IncrementalState(published.state, published.statistics, self._read_history, self._read_since)

    def _read_since(self, students: Sequence[str] | None) -> list[Event]:
        return read_students_events(self._database, students, log_version=self._log_version, as_of=self._as_of)

    def _read_history(self, students: Sequence[str]) -> list[Event] | None:
        for version in (self._log_version, None):  # an erasure removes the files of older versions
            try:
                return list_events(read_events(self._home, students=students, version=version, before=self._as_of))
            except (RegroupError, OSError, DeltaError) as error:
                logger.warning("event log, version %s: cannot be read (%s)", version or "newest", type(error).__name__)
        return None


class LiveEvents:
    """The events since the night, as this process has seen them; for all its threads."""

    def __init__(self, home: Home, database: Database) -> None:
        self._home = home
        self._database = database
        self._lock = threading.Lock()
        self._days: dict[int, _Day] = {}
        self._breaker = CircuitBreaker()

    def restrict(
        self,
        snapshot: Snapshot,
        students: Sequence[str],
        school: frozenset[str] = frozenset(),
        latest: Change | None = None,
    ) -> Snapshot:
        """Restricts a snapshot to some students, with every event that was acknowledged before this call.

        While the database is away, the events are those of the last look; where the snapshot's state cannot be read,
        there are none.

        Args:
            snapshot: The snapshot that serves this request.
            students: Ids; unknown students have no profile, and neither have others than these.
            school: All students of their school, at whose moment the profiles stand; the students count to it.
            latest: What there is to see, where this request has asked the database already.
        """
        with self._lock:
            if latest is not None:
                self._breaker.close()
            day = self._days.get(id(snapshot)) or self._keep(snapshot, _Day(snapshot, self._home, self._database))
            if latest is None or day.is_behind(latest):
                self._look(day)
            return day.restrict(snapshot, students, school)

    def look_ahead(self, snapshot: Snapshot) -> None:
        """Folds new events, so that the next request need not."""
        with self._lock:
            day = self._days.get(id(snapshot))
            if day is not None:
                self._look(day)

    def prepare(self, snapshot: Snapshot) -> None:
        """Folds all live events onto a snapshot before it serves; requests go on with the one before meanwhile."""
        day = _Day(snapshot, self._home, self._database)
        self._look(day)
        with self._lock:
            self._keep(snapshot, day)

    def _look(self, day: _Day) -> None:
        if self._breaker.is_open:
            return
        try:
            day.look()
        except MissingError:
            pass  # no tables: nothing came in yet
        except (DatabaseAwayError, SnapshotError) as error:
            self._breaker.trip()
            logger.warning("going on with the live events seen so far: %s", error)
        except RegroupError as error:
            logger.warning("going on with the live events seen so far: %s", error)

    def _keep(self, snapshot: Snapshot, day: _Day) -> _Day:
        number = id(snapshot)  # no other object has it while the snapshot exists
        self._days[number] = day
        weakref.finalize(snapshot, self._days.pop, number, None).atexit = False
        return day
