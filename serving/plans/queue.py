"""Lets a few requests of a process use the solver at a time, in rotation; a request is refused where too many wait.

Planning takes a processor for about a second. If all requests planned at once, each would be slow, and so would quick
requests of other kinds.
"""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Gauge, Histogram

from serving.errors import QueueFullError
from serving.plans.rotation import Lane, Rotation, Ticket

WAITING = Gauge("regroup_planning_waiting", "Requests that wait for their turn to plan.", multiprocess_mode="livesum")
WAITED = Histogram("regroup_planning_wait_seconds", "Time that requests waited for their turn to plan.")

TURN_S = 30.0
"""Seconds in which a turn ends that was asked for without a number of them."""

USUAL_S = 1.0
"""Seconds that a turn is assumed to last before the first one has ended."""

WEIGHT = 0.2
"""Weight of the newest turn in the mean length of turns."""

RISE, FALL = 0.5, 0.05
"""Steps of the estimate `storing_s` toward a longer and a shorter time, so that it exceeds most times."""


class SolverQueue:
    """A bounded queue in front of the solver, with a share for each school and key (`serving.plans.rotation`).

    Args:
        at_once: How many requests plan at the same time; beside long turns of others, up to two more.
        queue: How many may wait.
        wait_s: How long a request waits at most, in seconds.
    """

    def __init__(self, at_once: int, queue: int, wait_s: float) -> None:
        self._at_once = at_once
        self._wait_s = wait_s
        self._rotation = Rotation(at_once, queue)
        self._changed = threading.Condition()
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
    def acquire(self, lane: Lane) -> Iterator[float]:
        """Context of one turn at the solver; gives the seconds that the request waited.

        Args:
            lane: Who asks, and for which school.

        Raises:
            QueueFullError: Too many wait already, those of the lane among the most, or the turn did not come in time.
        """
        ticket, waited = self._enter(lane)
        try:
            yield waited
        finally:
            self._leave(ticket)

    def _enter(self, lane: Lane) -> tuple[Ticket, float]:
        began = time.perf_counter()
        with self._changed:
            ticket = self._rotation.join(lane)
            self._begin_turns()
            if ticket in self._rotation.running:
                return ticket, 0.0
            if self._rotation.drop_excess() is not None:
                self._changed.notify_all()
            with WAITING.track_inprogress():
                self._wait(ticket, began + self._wait_s)
        waited = time.perf_counter() - began
        WAITED.observe(waited)
        return ticket, waited

    def _wait(self, ticket: Ticket, until: float) -> None:
        while ticket not in self._rotation.running:
            now = time.perf_counter()
            if ticket not in self._rotation.waiting or now >= until:
                self._rotation.leave(ticket)
                raise self._full(ticket.lane)
            long = self._rotation.next_long(now)
            self._changed.wait((until if long is None else min(long, until)) - now)
            self._begin_turns()

    def _leave(self, ticket: Ticket) -> None:
        with self._changed:
            begun = self._rotation.leave(ticket)
            if begun is not None:
                self._usual_s += WEIGHT * (time.perf_counter() - begun - self._usual_s)
            self._begin_turns()

    def _begin_turns(self) -> None:
        before = self._rotation.running
        self._rotation.begin_turns(time.perf_counter())
        if self._rotation.running != before:
            self._changed.notify_all()

    def _full(self, lane: Lane) -> QueueFullError:
        turns = self._rotation.turns_before(lane)
        return QueueFullError(max(1, math.ceil(self._usual_s * turns / self._at_once)))
