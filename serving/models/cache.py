"""What was computed from one set of profiles, kept for the next request that asks the same."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from cachetools import LRUCache

Result = TypeVar("Result")

MAX_ENTRIES = 1024
"""Entries of one set of profiles: a few for each team and each student that is looked at."""


class Cache:
    """Results by what they were computed from, for all threads; the least recently used go first.

    Example:
        >>> cache = Cache()
        >>> cache.get("team", lambda: 1), cache.get("team", lambda: 2)
        (1, 1)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: LRUCache[Hashable, Any] = LRUCache(MAX_ENTRIES)

    def get(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """The result kept under the key, computed now if there is none.

        Two threads that ask for a new one at once both compute it and are given equal ones.
        """
        with self._lock:
            if key in self._results:
                kept: Result = self._results[key]
                return kept
        computed = compute()
        with self._lock:
            self._results[key] = computed
        return computed
