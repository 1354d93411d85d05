"""The API keys as this process last read them, so that no request waits for a query.

A thread reads all keys every few seconds, which is also the longest that a new or revoked key goes unnoticed. While the
database does not answer, the keys that were read last stay valid, up to a limit.
"""

import logging
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from features.database import Database
from features.errors import RegroupError
from serving.access.caller import Caller, Scope
from serving.access.keys import parse_key
from serving.errors import NotReadyError, UnauthorizedError
from serving.lifecycle import PeriodicTask
from serving.store.keys import StoredKey, list_keys

logger = logging.getLogger("regroup")

NO_KEY = "send an API key as `Authorization: Bearer rg_...`; `python -m serving keys issue` makes one"
REFUSED = "the API key is not known, was revoked or has expired; `python -m serving keys list` shows which"
UNREAD = "the service cannot check API keys, since its database does not answer"


@dataclass(frozen=True, slots=True)
class _Reading:
    """All keys at one moment.

    Attributes:
        read_at: The moment, in seconds of the clock.
        keys: Each key and its caller, by the key's id.
    """

    read_at: float
    keys: Mapping[str, tuple[StoredKey, Caller]]


class KeyCache:
    """Finds the caller who holds a key.

    Args:
        database: The database that holds the keys.
        fresh_s: Seconds between two readings.
        stale_s: Seconds for which keys stay valid after they were last read.
        clock: A clock in seconds that never runs backwards.
    """

    def __init__(
        self, database: Database, fresh_s: float, stale_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._stale_s = stale_s
        self._clock = clock
        self._last: _Reading | None = None
        self._failing = False
        self._refresh = PeriodicTask("key-cache", self.refresh, fresh_s)

    def find(self, header: str | None) -> Caller:
        """The caller whose key is in an Authorization header.

        Raises:
            UnauthorizedError: There is no key, or none that is valid; the message is the same for every reason.
            NotReadyError: The keys were not read for too long.
        """
        text = _key_in(header or "")
        if not text:
            raise UnauthorizedError("key_missing", NO_KEY)
        last = self._require_read()
        sent = parse_key(text)
        key, caller = _find_valid(last, None if sent is None else sent.key_id)
        if sent is None or not sent.matches(key.secret_hash):
            raise UnauthorizedError("key_refused", REFUSED)
        return caller

    def find_signed_in(self, key_id: str) -> tuple[StoredKey, Caller]:
        """The key by which somebody signed in before, and its caller.

        Raises:
            UnauthorizedError: There is no such key, or it is valid no longer.
            NotReadyError: The keys were not read for too long.
        """
        return _find_valid(self._require_read(), key_id)

    def _require_read(self) -> _Reading:
        last = self._last
        if last is None or self._clock() - last.read_at > self._stale_s:
            raise NotReadyError("keys_not_read", UNREAD)
        return last

    def refresh(self) -> None:
        """Reads the keys once; a failure keeps the last reading."""
        begun = self._clock()
        try:
            keys = list_keys(self._database)
        except RegroupError as error:
            if not self._failing:  # logged once, not every few seconds
                logger.warning("API keys not read, those read before stay valid for now: %s", error)
            self._failing = True
            return
        self._failing = False
        self._last = _Reading(begun, {key.key_id: (key, _to_caller(key)) for key in keys})

    def start(self) -> None:
        """Reads the keys now, and from then on periodically."""
        self.refresh()
        self._refresh.start()

    def stop(self) -> None:
        """Stops reading."""
        self._refresh.stop()


def _find_valid(reading: _Reading, key_id: str | None) -> tuple[StoredKey, Caller]:
    found = None if key_id is None else reading.keys.get(key_id)
    if found is None or found[0].state(datetime.now(UTC)) != "valid":
        raise UnauthorizedError("key_refused", REFUSED)
    return found


def _to_caller(key: StoredKey) -> Caller:
    schools, teams = (None if ids is None else frozenset(ids) for ids in (key.schools, key.teams))
    # a scope of a later version of regroup allows nothing here
    scopes = frozenset(Scope(name) for name in key.scopes if name in set(Scope))
    return Caller(key.key_id, scopes, schools, key.per_minute, key.staff_id, teams)


def _key_in(header: str) -> str | None:
    """The key in an Authorization header, or as the password of one for clients that know no other; null without one.

    Example:
        >>> _key_in("Bearer rg_k_s"), _key_in("Basic bG1zOnJnX2tfcw==")
        ('rg_k_s', 'rg_k_s')
    """
    scheme, _, text = header.partition(" ")
    if scheme.lower() == "bearer":
        return text.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(text.strip(), validate=True).decode("ascii").partition(":")[2].strip() or None
    except ValueError:
        return None
