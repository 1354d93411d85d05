"""Keeps the snapshot that serves and swaps it while requests are answered, with a copy on disk of what served last."""

import logging
import time
from collections.abc import Callable

from filelock import FileLock, Timeout
from prometheus_client import Counter, Gauge

from features.errors import RegroupError
from features.home import Home
from serving.errors import NotReadyError, RefusedError
from serving.lifecycle import PeriodicTask
from serving.models.published.bundle import Artifacts, holds, write_artifacts
from serving.models.published.sources import BundleSource, SnapshotSource, Version
from serving.models.published.trial import Trials
from serving.models.snapshot import Snapshot, load_snapshot

logger = logging.getLogger("regroup")

LOCK_S = 60.0
"""For how long a process waits for another that is copying the same."""

REFUSED_S = 60.0
"""For how long a refused version is not fetched again; somebody may repair its files."""

RELOADS = Counter("regroup_model_reloads_total", "Snapshots that were loaded and swapped in.")
RELOAD_FAILURES = Counter("regroup_model_reload_failures_total", "Snapshots that could not be loaded.")
DATA_AGE = Gauge(
    "regroup_profiles_as_of_seconds",
    "Unix time of the moment the served profiles stand for; the oldest of all processes.",
    multiprocess_mode="livemin",
)
LOADED = Gauge(
    "regroup_snapshot_loaded_seconds",
    "Unix time at which the served snapshot was loaded; the oldest of all processes.",
    multiprocess_mode="livemin",
)
SERVED = Gauge(
    "regroup_model_served",
    "1 for the run that a process serves and for where it came from, 0 for those that it served before.",
    ["run_id", "struggle_version", "mastery_version", "source"],
    multiprocess_mode="livemax",
)


class LastGood:
    """A bundle in the home, written by whichever process first serves something new.

    It holds profiles of students: an erasure removes it under the same lock, after the profiles that it is copied from.
    """

    def __init__(self, home: Home) -> None:
        self._lock = home.lock("served")
        self._folder = home.served / "last-good"
        self.source = BundleSource(self._folder, "last_good")

    def is_there(self) -> bool:
        """Says from the manifest alone whether there is a copy."""
        try:
            return self.source.look() is not None
        except RegroupError:
            return False

    def keep(self, snapshot: Snapshot, artifacts: Artifacts) -> None:
        """Copies what the snapshot was loaded from, unless the copy is there; a failure is only logged."""
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._lock, timeout=LOCK_S):
                if not holds(self._folder, snapshot.digest, snapshot.champion):
                    write_artifacts(self._folder, artifacts)
        except (RegroupError, OSError, Timeout) as error:
            logger.warning("no copy was kept of what serves: %s", _describe(error))


class HotSwap:
    """Keeps the snapshot that serves, and a thread that swaps it when models or profiles move.

    Args:
        source: Where models and profiles come from.
        poll_seconds: Pause between two looks at the source.
        prepare: Called with a snapshot before it serves.
        trials: Tries what is new in a process of its own.
        last_good: Copy of what served last.
    """

    def __init__(
        self,
        source: SnapshotSource,
        poll_seconds: float,
        prepare: Callable[[Snapshot], None],
        trials: Trials,
        last_good: LastGood,
    ) -> None:
        self._source = source
        self._prepare = prepare
        self._trials = trials
        self._last_good = last_good
        self._refused: tuple[Version, float, str] | None = None
        self._current: Snapshot | None = None
        self._version: Version | None = None
        self._why_none = "the service has not looked for a model yet"
        self._poll = PeriodicTask("snapshot-poll", self.refresh, poll_seconds)

    def start(self) -> None:
        """Starts watching."""
        self._poll.start()

    def stop(self) -> None:
        """Stops watching and waits for a load that is under way."""
        self._poll.stop()

    def current(self) -> Snapshot:
        """Returns the snapshot; a request asks once and keeps the answer.

        Raises:
            NotReadyError: There is none yet.
        """
        snapshot = self._current
        if snapshot is None:
            raise NotReadyError("no_model", self._why_none)
        return snapshot

    def refresh(self) -> bool:
        """Looks once for other models or newer profiles and swaps them in; a failure keeps the snapshot that serves.

        A process that serves none yet takes the copy on disk, after a failure and where there is no champion.

        Returns:
            Whether another snapshot serves now.
        """
        try:
            if self._load(self._source):
                return True
        except Exception as error:  # noqa: BLE001 - the watcher must outlive whatever a registry or a disk does
            RELOAD_FAILURES.inc()
            self._why_none = f"there is nothing to serve: {_describe(error)}"
            logger.warning("snapshot not swapped: %s", _describe(error))
        if self._current is not None or not self._last_good.is_there():
            return False
        try:
            revived = self._load(self._last_good.source)
        except Exception as error:  # noqa: BLE001 - as above
            logger.warning("nor can the copy of what served last be used: %s", _describe(error))
            return False
        logger.warning("serving the copy of what served last, until there is something else that can be served")
        return revived

    def _load(self, source: SnapshotSource) -> bool:
        version = source.look()
        if version is None:
            waiting = "there is no champion yet; run `python -m training nightly` first"
            if self._current is None and waiting != self._why_none:
                logger.info("waiting: %s", waiting)
                self._why_none = waiting
            return False
        if version == self._version:
            return False
        self._require_not_refused(version)
        with source.open(version) as artifacts:
            try:
                self._trials.require_passed(artifacts)
            except RefusedError as error:
                self._refused = version, time.monotonic() + REFUSED_S, str(error)
                raise
            loaded = load_snapshot(artifacts)
            source.confirm(version)
            loaded.struggle.explain(loaded.rows[:1])  # warms up before the first request
            loaded.mastery.predict(loaded.rows[:1])
            self._prepare(loaded)
            self._serve(loaded, version)
            if version.source != "last_good":
                self._last_good.keep(loaded, artifacts)
        return True

    def _require_not_refused(self, version: Version) -> None:
        """Spares fetching again and again what was refused a moment ago."""
        if self._refused is not None:
            refused, until, why = self._refused
            if version == refused and time.monotonic() < until:
                raise RefusedError(why)

    def _serve(self, loaded: Snapshot, version: Version) -> None:
        before, self._current, self._version = self._current, loaded, version
        if before is not None:
            _served(before).set(0)
        _served(loaded).set(1)
        RELOADS.inc()
        LOADED.set_to_current_time()
        if loaded.data_as_of is not None:
            DATA_AGE.set(loaded.data_as_of.timestamp())
        run, profiles, source = loaded.champion.run_id, loaded.publication, loaded.source
        logger.info("serving run %s with profiles %s from %s", run, profiles, source)


def _served(snapshot: Snapshot) -> Gauge:
    versions = snapshot.champion.versions
    return SERVED.labels(snapshot.champion.run_id, str(versions["struggle"]), str(versions["mastery"]), snapshot.source)


def _describe(error: Exception) -> str:
    """Returns the message of an error of ours, and only the kind of any other."""
    return str(error) if isinstance(error, RegroupError) else type(error).__name__
