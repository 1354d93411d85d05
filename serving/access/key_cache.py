"""The keys as this process last read them, so that no request waits for a query.

A thread reads all keys every few seconds; that is also how long a new or revoked key may go unnoticed. While the
database does not answer, what was read last goes on counting, up to a limit.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from features.database import Database
from features.errors import RegroupError
from serving.access.caller import Caller, Scope
from serving.access.keys import read_key
from serving.errors import NotReadyError, UnauthorizedError
from serving.lifecycle import Watcher
from serving.store.keys import StoredKey, list_keys

logger = logging.getLogger("regroup")

NO_KEY = "send an API key as `Authorization: Bearer rg_...`; `python -m serving keys issue` makes one"
REFUSED = "the API key is not known, was revoked or has expired; `python -m serving keys list` tells which"
UNREAD = "the service cannot check API keys, since its database does not answer"


@dataclass(frozen=True, slots=True)
class _Reading:
    """All keys at one moment.

    Attributes:
        read_at: Seconds of the clock.
        keys: With the caller that each one stands for.
    """

    read_at: float
    keys: Mapping[str, tuple[StoredKey, Caller]]


class Keyring:
    """Says which caller a key stands for.

    Args:
        database: Where the keys are kept.
        fresh_s: Seconds between two readings.
        stale_s: How long keys count after they were last read, in seconds.
        clock: Seconds that never run backwards.
    """

    def __init__(
        self, database: Database, fresh_s: float, stale_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._stale_s = stale_s
        self._clock = clock
        self._last: _Reading | None = None
        self._away = False
        self._watcher = Watcher("keyring", self.refresh, fresh_s)

    def find(self, header: str | None) -> Caller:
        """The caller whose key stands in an Authorization header.

        Raises:
            UnauthorizedError: There is no key, or none that counts; which of the reasons it was is not told.
            NotReadyError: The keys were not read for too long.
        """
        scheme, _, text = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise UnauthorizedError("key_missing", NO_KEY)
        last = self._last
        if last is None or self._clock() - last.read_at > self._stale_s:
            raise NotReadyError("keys_not_read", UNREAD)
        given = read_key(text.strip())
        if given is None or given.key_id not in last.keys:
            raise UnauthorizedError("key_refused", REFUSED)
        key, caller = last.keys[given.key_id]
        if not given.fits(key.secret_hash) or key.state(datetime.now(UTC)) != "valid":
            raise UnauthorizedError("key_refused", REFUSED)
        return caller

    def refresh(self) -> None:
        """Reads the keys once; a failure keeps the last reading."""
        begun = self._clock()
        try:
            keys = list_keys(self._database)
        except RegroupError as error:
            if not self._away:  # told once, not every few seconds
                logger.warning("API keys not read, those read before count on: %s", error)
            self._away = True
            return
        self._away = False
        self._last = _Reading(begun, {key.key_id: (key, _caller(key)) for key in keys})

    def start(self) -> None:
        """Reads now, and goes on reading."""
        self.refresh()
        self._watcher.start()

    def stop(self) -> None:
        """Stops reading."""
        self._watcher.stop()


def _caller(key: StoredKey) -> Caller:
    schools = None if key.schools is None else frozenset(key.schools)
    # a scope that a later version of regroup knows counts for nothing here
    scopes = frozenset(Scope(each) for each in key.scopes if each in set(Scope))
    return Caller(key.key_id, scopes, schools, key.per_minute)
