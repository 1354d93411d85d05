"""Lets a few requests of a process use the solver at a time, in order; a request is refused where the queue is full.

Planning takes a processor for about a second. If all requests planned at once, each would be slow, and so would quick
requests of other kinds.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Gauge, Histogram

from serving.errors import QueueFullError

WAITING = Gauge("regroup_planning_waiting", "Requests that wait for their turn to plan.", multiprocess_mode="livesum")
WAITED = Histogram("regroup_planning_wait_seconds", "Time that requests waited for their turn to plan.")

USUAL_S = 1.0
"""Seconds that a turn is assumed to last before the first one has ended."""

WEIGHT = 0.2
"""Weight of the newest turn in the mean length of turns."""

RISE, FALL = 0.5, 0.05
"""Steps of the estimate `storing_s` toward a longer and a shorter time, so that it exceeds most times."""


class SolverQueue:
    """A bounded queue in front of the solver.

    Args:
        at_once: How many requests plan at the same time.
        queue: How many may wait.
        wait_s: How long a request waits at most, in seconds.
    """

    def __init__(self, at_once: int, queue: int, wait_s: float) -> None:
        self._at_once = at_once
        self._queue = queue
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._busy = 0
        self._waiting: deque[threading.Event] = deque()
        self._usual_s = USUAL_S
        self._storing_s = 0.0

    @property
    def storing_s(self) -> float:
        """Seconds in which most plans that were found are rendered and stored."""
        return self._storing_s

    def note_storing(self, took: float) -> None:
        """Updates `storing_s` with the seconds that one plan took."""
        self._storing_s += (RISE if took > self._storing_s else FALL) * (took - self._storing_s)

    @contextmanager
    def acquire(self) -> Iterator[float]:
        """Context of one turn at the solver; gives the seconds that the request waited.

        Raises:
            QueueFullError: Too many wait already, or the turn did not come in time.
        """
        waited = self._enter()
        begun = time.perf_counter()
        try:
            yield waited
        finally:
            self._leave(time.perf_counter() - begun)

    def _enter(self) -> float:
        begun = time.perf_counter()
        turn = threading.Event()
        with self._lock:
            if self._busy < self._at_once:  # a free turn: turns are handed on, so nobody is waiting
                self._busy += 1
                return 0.0
            if len(self._waiting) >= self._queue:
                raise self._full()
            self._waiting.append(turn)
            WAITING.inc()
        came = turn.wait(self._wait_s)
        with self._lock:
            WAITING.dec()
            if not came and not turn.is_set():
                self._waiting.remove(turn)
                raise self._full()
        waited = time.perf_counter() - begun
        WAITED.observe(waited)
        return waited

    def _leave(self, took: float) -> None:
        with self._lock:
            self._usual_s += WEIGHT * (took - self._usual_s)
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._busy -= 1

    def _full(self) -> QueueFullError:
        ahead = len(self._waiting) + 1
        return QueueFullError(max(1, math.ceil(self._usual_s * ahead / self._at_once)))
