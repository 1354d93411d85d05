"""Writes audit entries to this machine's disk and ships them to the database; waiting entries share one write."""

import logging
import queue
import sqlite3
import threading
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime

from prometheus_client import Gauge

from features.database import Database
from features.errors import RegroupError
from serving.audit.entries import AuditEntry
from serving.audit.spool import Spool
from serving.errors import NotReadyError

logger = logging.getLogger("regroup")

SHIP_S = 2.0
"""Seconds between two shipments of entries to the database."""

MAX_SHIP_S = 60.0
"""The most seconds between two attempts while the database does not answer."""

NOT_KEPT = "the service cannot keep its record of who reads what, so it shows nothing; its disk may be full"

WAITING = Gauge("regroup_audit_waiting", "Audit entries that wait for the database.", multiprocess_mode="livemax")
OLDEST = Gauge("regroup_audit_oldest_seconds", "Age of the first of them.", multiprocess_mode="livemax")
SET_ASIDE = Gauge(
    "regroup_audit_set_aside", "Audit entries on disk that the database refuses.", multiprocess_mode="livemax"
)

_Pending = tuple[AuditEntry, Future[None]]


class AuditLog:
    """Writes entries to disk in one thread and ships them to the database in another; the first entry starts both.

    Args:
        spool: The file on disk in which entries wait for the database.
        database: The service's database.
    """

    def __init__(self, spool: Spool, database: Database) -> None:
        self._spool = spool
        self._database = database
        self._queue: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._starting = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._restarts = -1  # of the database, at the last shipment; none yet

    def record(self, entry: AuditEntry) -> Future[None]:
        """Records an entry; the future is done when the entry is on disk, or fails with `NotReadyError`."""
        if not self._threads:
            self.start()
        done: Future[None] = Future()
        self._queue.put((entry, done))
        return done

    def start(self) -> None:
        """Starts both threads, which also ship entries that an earlier process left on disk."""
        with self._starting:
            if not self._threads:
                self._stop.clear()
                self._threads = [
                    threading.Thread(target=run, name=name, daemon=True)
                    for run, name in ((self._write, "audit-writer"), (self._ship, "audit-shipper"))
                ]
                for thread in self._threads:
                    thread.start()

    def stop(self) -> None:
        """Stops when all entries are on disk and, if the database answers, stored there."""
        self._stop.set()
        self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=30)
        self._threads = []
        self.flush()
        self._spool.close()

    def flush(self) -> bool:
        """Ships all entries that are on disk to the database, and returns whether that worked."""
        shipped = True
        try:
            if (restarts := self._database.restarts) != self._restarts:  # while nobody was there, too
                self._spool.ship_again()
                self._restarts = restarts
            self._spool.ship(self._database)
        except (RegroupError, OSError, sqlite3.Error) as error:
            reason = str(error) if isinstance(error, RegroupError) else type(error).__name__
            logger.warning("audit entries stay on disk for now: %s", reason)
            shipped = False
        with suppress(OSError, sqlite3.Error):
            self._measure()
        return shipped

    def _measure(self) -> None:
        backlog = self._spool.backlog()
        WAITING.set(backlog.waiting)
        SET_ASIDE.set(backlog.set_aside)
        OLDEST.set(0 if backlog.oldest is None else max(0.0, (datetime.now(UTC) - backlog.oldest).total_seconds()))

    def _write(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    self._queue.put(None)
                    break
                batch.append(more)
            try:
                self._spool.append(entry for entry, _ in batch)
            except (OSError, sqlite3.Error) as error:
                logger.error("audit entries cannot be kept: %s", type(error).__name__)  # noqa: TRY400 - no trace needed
                for _, done in batch:
                    done.set_exception(NotReadyError("audit_not_kept", NOT_KEPT))
            else:
                for _, done in batch:
                    done.set_result(None)

    def _ship(self) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            wait = SHIP_S if self.flush() else min(MAX_SHIP_S, 2 * max(wait, SHIP_S))
