"""What was reckoned from one set of profiles, kept for the next request that asks the same."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")

MOST = 1024
"""Entries of one set of profiles: a few for each team and each student that is looked at."""


class Reckoned:
    """Results by what they were made from; the least used go first. For all threads.

    Example:
        >>> kept = Reckoned()
        >>> kept.get("team", lambda: 1), kept.get("team", lambda: 2)
        (1, 1)
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """The result kept under the key, made now if there is none.

        Two threads that ask for a new one at once both make it and are given equal ones.
        """
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                kept: Result = self._found[key]
                return kept
        made = make()
        with self._lock:
            self._found[key] = made
            if len(self._found) > self._most:
                self._found.popitem(last=False)
        return made
