"""Lets a few requests of a process use the solver at a time; others wait in turn, and are refused where too many do.

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
from serving.plans.turns.round_robin import Lane, RoundRobin, Ticket

WAITING = Gauge("regroup_planning_waiting", "Requests that wait for their turn to plan.", multiprocess_mode="livesum")
WAITED = Histogram("regroup_planning_wait_seconds", "Time that requests waited for their turn to plan.")

TURN_S = 30.0
"""Seconds in which a turn ends that was asked for without a number of them."""

USUAL_S = 1.0
"""Seconds that a turn is assumed to last before the first one has ended."""

WEIGHT = 0.2
"""Weight of the newest turn in the mean length of turns."""

LATELY = 300
"""Plans that are remembered to know how long one takes to answer once it is found: the time that all of them but one
kept to is then exceeded by fewer than one in a hundred."""

MARGIN = 1.25
"""How much more than that is kept free, since what else is asked for changes from minute to minute."""


class SolverQueue:
    """A bounded queue in front of the solver, with a share for each school and key (`serving.plans.turns.round_robin`).

    Args:
        at_once: How many requests plan at the same time; beside long turns of others, up to two more.
        queue: How many may wait.
        wait_s: How long a request waits at most, in seconds.
    """

    def __init__(self, at_once: int, queue: int, wait_s: float) -> None:
        self._at_once = at_once
        self._wait_s = wait_s
        self._robin = RoundRobin(at_once, queue)
        self._changed = threading.Condition()
        self._usual_s = USUAL_S
        self._answering: deque[float] = deque(maxlen=LATELY)
        self._answering_s = 0.0

    @property
    def answering_s(self) -> float:
        """Seconds kept free to render, store and answer a plan that is found: a quarter more than it took lately."""
        return self._answering_s

    def note_answering(self, took: float) -> None:
        """Updates `answering_s` with the seconds that one plan took."""
        with self._changed:
            self._answering.append(took)
            self._answering_s = MARGIN * sorted(self._answering)[-2:][0]

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
            ticket = self._robin.join(lane)
            self._begin_turns()
            if ticket in self._robin.running:
                return ticket, 0.0
            if self._robin.drop_excess() is not None:
                self._changed.notify_all()
            with WAITING.track_inprogress():
                self._wait(ticket, began + self._wait_s)
        waited = time.perf_counter() - began
        WAITED.observe(waited)
        return ticket, waited

    def _wait(self, ticket: Ticket, until: float) -> None:
        while ticket not in self._robin.running:
            now = time.perf_counter()
            if ticket not in self._robin.waiting or now >= until:
                self._robin.leave(ticket)
                raise self._full(ticket.lane)
            long = self._robin.next_long(now)
            self._changed.wait((until if long is None else min(long, until)) - now)
            self._begin_turns()

    def _leave(self, ticket: Ticket) -> None:
        with self._changed:
            begun = self._robin.leave(ticket)
            if begun is not None:
                self._usual_s += WEIGHT * (time.perf_counter() - begun - self._usual_s)
            self._begin_turns()

    def _begin_turns(self) -> None:
        before = self._robin.running
        self._robin.begin_turns(time.perf_counter())
        if self._robin.running != before:
            self._changed.notify_all()

    def _full(self, lane: Lane) -> QueueFullError:
        turns = self._robin.turns_before(lane)
        return QueueFullError(max(1, math.ceil(self._usual_s * turns / self._at_once)))
