"""Results that are kept because they are asked for again, within a ceiling of memory."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import pandas as pd

Result = TypeVar("Result")

MAX_BYTES = 48 * 2**20
"""Most bytes of the results kept for one set of profiles."""

SAMPLED = 16
"""Elements of a collection that are measured; the others are taken to be as large."""


@dataclass(frozen=True, slots=True)
class _Entry:
    version: Hashable
    result: Any
    nbytes: int
    pinned: bool


class Cache:
    """Results computed from one set of profiles, for all threads; the least recently used leave for newer ones.

    A key says what a result is, its version what it was computed from. There is one result of a key: that of another
    version replaces it.

    Args:
        max_bytes: The ceiling; only a result that is larger by itself is kept all the same, until the next.

    Example:
        >>> cache = Cache()
        >>> cache.get("team", lambda: 1), cache.get("team", lambda: 2), cache.get("team", lambda: 3, version="new")
        (1, 1, 3)
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._nbytes = 0

    @property
    def nbytes(self) -> int:
        """About how many bytes the results take; pinned ones do not count."""
        return self._nbytes

    def get(
        self, key: Hashable, compute: Callable[[], Result], *, version: Hashable = None, pinned: bool = False
    ) -> Result:
        """Returns the result kept under the key, computed now if there is none of the version.

        Two threads that ask for a new one at once both compute it and get equal ones.

        Args:
            key: What the result is.
            compute: Makes it.
            version: What it is computed from, besides the profiles.
            pinned: Whether it stays as long as the cache: for the one thing that all other results rest on.
        """
        with self._lock:
            kept = self._entries.get(key)
            if kept is not None and kept.version == version:
                self._entries.move_to_end(key)
                found: Result = kept.result
                return found
        computed = compute()
        entry = _Entry(version, computed, 0 if pinned else estimate_bytes((key, version, computed)), pinned)
        with self._lock:
            self._remove(key)
            self._entries[key] = entry
            self._nbytes += entry.nbytes
            while self._nbytes > self._max_bytes:
                oldest = next((each for each, kept in self._entries.items() if not kept.pinned and each != key), None)
                if oldest is None:
                    break
                self._remove(oldest)
        return computed

    def _remove(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        self._nbytes -= 0 if entry is None else entry.nbytes


def estimate_bytes(value: object) -> int:
    """Estimates how many bytes a result takes, from the first elements of each collection in it.

    What several parts of it share is counted with each of them, so that the estimate is rather too high.

    Example:
        >>> estimate_bytes(b"x" * 1000) > 1000
        True
    """
    if isinstance(value, np.ndarray):
        return value.nbytes + (_mean_bytes(value, len(value)) if value.dtype == object else 0)
    if isinstance(value, pd.Index):
        return int(value.memory_usage(deep=True))
    if is_dataclass(value) and not isinstance(value, type):
        return sys.getsizeof(value) + sum(estimate_bytes(getattr(value, each.name)) for each in fields(value))
    if isinstance(value, Mapping):
        return sys.getsizeof(value) + _mean_bytes(value.items(), len(value))
    if isinstance(value, Collection) and not isinstance(value, str | bytes):
        return sys.getsizeof(value) + _mean_bytes(value, len(value))
    return sys.getsizeof(value)


def _mean_bytes(elements: Iterable[object], count: int) -> int:
    measured = [estimate_bytes(element) for element in islice(elements, SAMPLED)]
    return count * sum(measured) // len(measured) if measured else 0
