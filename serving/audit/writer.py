"""Takes audit entries to this machine's disk and on to the database; entries that come together share one write."""

import logging
import queue
import sqlite3
import threading
from concurrent.futures import Future

from features.database import Database
from features.errors import RegroupError
from serving.audit.entries import AuditEntry
from serving.audit.spool import Spool
from serving.errors import NotReadyError

logger = logging.getLogger("regroup")

SHIP_S = 2.0
"""Between two goes of taking entries to the database, in seconds."""

MOST_S = 60.0
"""The same while the database does not answer."""

NOT_KEPT = "the service cannot keep its record of who reads what, so it shows nothing; its disk may be full"

_Waiting = tuple[AuditEntry, Future[None]]


class AuditLog:
    """Takes entries to disk in one thread and on to the database in another; both start with the first entry.

    Args:
        spool: Where entries wait for the database.
        database: Where they are kept.
    """

    def __init__(self, spool: Spool, database: Database) -> None:
        self._spool = spool
        self._database = database
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._starting = threading.Lock()
        self._threads: list[threading.Thread] = []

    def record(self, entry: AuditEntry) -> Future[None]:
        """Keeps an entry; what is returned is done when it is on disk, or has the error if it cannot be."""
        if not self._threads:
            self.start()
        done: Future[None] = Future()
        self._queue.put((entry, done))
        return done

    def start(self) -> None:
        """Begins; entries that an earlier process left on disk go to the database too."""
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
        """Ends when all entries are on disk and, if it answers, in the database."""
        self._stop.set()
        self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=30)
        self._threads = []
        self.flush()
        self._spool.close()

    def flush(self) -> bool:
        """Takes all entries that are on disk to the database, and says whether it could."""
        try:
            self._spool.ship(self._database)
        except (RegroupError, OSError, sqlite3.Error) as error:
            reason = str(error) if isinstance(error, RegroupError) else type(error).__name__
            logger.warning("audit entries stay on disk for now: %s", reason)
            return False
        return True

    def _write(self) -> None:
        while (first := self._queue.get()) is not None:
            together = [first]
            while not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    self._queue.put(None)
                    break
                together.append(more)
            try:
                self._spool.append(entry for entry, _ in together)
            except (OSError, sqlite3.Error) as error:
                logger.error("audit entries cannot be kept: %s", type(error).__name__)  # noqa: TRY400 - no trace needed
                for _, done in together:
                    done.set_exception(NotReadyError("audit_not_kept", NOT_KEPT))
            else:
                for _, done in together:
                    done.set_result(None)

    def _ship(self) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            wait = SHIP_S if self.flush() else min(MOST_S, 2 * max(wait, SHIP_S))
