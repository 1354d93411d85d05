"""Keeps the snapshot that serves, and swaps it while requests are answered."""

import logging
from collections.abc import Callable

from prometheus_client import Counter, Gauge

from features.errors import RegroupError
from features.home import Home
from serving.errors import NotReadyError
from serving.registry import Registry
from serving.snapshot import Snapshot, load_snapshot, newest_publication
from serving.watcher import Watcher

logger = logging.getLogger("regroup")

RELOADS = Counter("regroup_model_reloads_total", "Snapshots that were loaded and swapped in.")
RELOAD_FAILURES = Counter("regroup_model_reload_failures_total", "Snapshots that could not be loaded.")
DATA_AGE = Gauge(
    "regroup_profiles_as_of_seconds",
    "Unix time of the moment the served profiles stand for; the oldest of all processes.",
    multiprocess_mode="livemin",
)


class SnapshotHolder:
    """Keeps the snapshot that serves, and a thread that swaps it when the champion or its profiles move."""

    def __init__(
        self, home: Home, registry: Registry, poll_seconds: float, prepare: Callable[[Snapshot], None] | None = None
    ) -> None:
        self._prepare = prepare  # called with a snapshot before it serves
        self._home = home
        self._registry = registry
        self._current: Snapshot | None = None
        self._why_none = "the service has not looked for a model yet"
        self._watcher = Watcher("snapshot-watcher", self.refresh, poll_seconds)

    def current(self) -> Snapshot:
        """The snapshot; a request asks once and keeps the answer.

        Raises:
            NotReadyError: There is none yet.
        """
        snapshot = self._current
        if snapshot is None:
            raise NotReadyError("no_model", self._why_none)
        return snapshot

    def refresh(self) -> bool:
        """Looks once for another champion or newer profiles and swaps them in; a failure keeps the last good one."""
        try:
            return self._refresh()
        except Exception as error:  # noqa: BLE001 - the watcher must outlive whatever a registry or a disk does
            RELOAD_FAILURES.inc()
            told = str(error) if isinstance(error, RegroupError) else type(error).__name__
            self._why_none = f"the champion cannot be served: {told}"
            logger.warning("snapshot not swapped: %s", told)
            return False

    def start(self) -> None:
        """Starts watching."""
        self._watcher.start()

    def stop(self) -> None:
        """Stops watching and waits for a load that is under way."""
        self._watcher.stop()

    def _refresh(self) -> bool:
        champion = self._registry.champion()
        if champion is None:
            if self._current is None:
                self._why_none = "there is no champion yet; run `python -m training nightly` first"
            return False
        publication = newest_publication(self._home, champion.run_id)
        now = self._current
        if now is not None and (now.champion, now.publication) == (champion, publication.name):
            return False
        loaded = load_snapshot(champion, publication, self._registry)
        loaded.struggle.explain(loaded.rows[:1])  # warms up before the first request
        loaded.mastery.predict(loaded.rows[:1])
        if self._prepare is not None:
            self._prepare(loaded)
        self._current = loaded
        RELOADS.inc()
        if loaded.data_as_of is not None:
            DATA_AGE.set(loaded.data_as_of.timestamp())
        logger.info("serving run %s with profiles %s", champion.run_id, publication.name)
        return True
