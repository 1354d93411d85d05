"""Rooms and monitors of one block as rows of a program: exact, with rooms counted by capacity."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from serving.grouping.index import Index, find_runs
from serving.grouping.program import Program, Terms

STATION_POINTS = -0.01  # one more room for online work is taken only where it is of use


class Offer(NamedTuple):
    """A 0-1 column: a session of a kind is held, with `low` to `high` students."""

    column: int
    low: int
    high: int


class Rooming:
    """What the led sessions of a block need of its rooms, and what stations the others leave room for.

    Sessions that need at least so much, and stations in such rooms, may not outnumber these rooms: that for every
    capacity is enough for all to find one, since whoever fits a room fits a larger one.
    """

    def __init__(self, index: Index, block: int, program: Program) -> None:
        self.program = program
        self.ratio = index.problem.students_per_monitor
        self.present = int(index.present[:, block].sum())
        rooms = index.rooms[block]
        self.planned = rooms is not None
        held = [(min(room.capacity, self.present), room.station) for room in rooms or () if room.capacity]
        self.rooms = Counter(held)
        self.capacities = sorted({capacity for capacity, kept in held if not kept})
        self.needing: dict[int, Terms] = {capacity: [] for capacity in self.capacities}

    def offer(self, sizes: Sequence[int]) -> Iterator[Offer]:
        """Adds a column for each range of sizes, and for each capacity that makes a difference to it."""
        for low, high in find_runs(sizes):
            if not self.planned:
                yield Offer(self.program.add(0.0, whole=True), low, high)
                continue
            for capacity in self.capacities:
                if low <= capacity:
                    column = self.program.add(0.0, whole=True)
                    self.needing[capacity].append((column, 1.0))
                    yield Offer(column, low, min(high, capacity))
                if high <= capacity:
                    break

    def bound(self, led: Terms, monitors: Terms) -> None:
        """Bounds sessions by rooms, and those online by the seats that rooms and monitors give."""
        if not self.planned:
            self.program.bound([*led, *_times(monitors, self.ratio)], float(self.present), np.inf)
            return
        seats: Terms = []
        watching: Terms = []
        stations: dict[int, Terms] = {capacity: [] for capacity in self.capacities}
        for (capacity, kept), count in sorted(self.rooms.items()):
            full, part = divmod(capacity, self.ratio)
            station = self.program.add(STATION_POINTS, whole=True, highest=count)
            if not kept:
                stations[capacity].append((station, 1.0))
            for most, size in ((full, self.ratio), (1, part)):
                if most * size:
                    adults = self.program.add(0.0, whole=True, highest=most * count)
                    self.program.bound([(adults, 1.0), (station, -float(most))], -np.inf, 0.0)
                    seats.append((adults, float(size)))
                    watching.append((adults, 1.0))
        self.program.bound([*led, *seats], float(self.present), np.inf)
        self.program.bound([*watching, *_times(monitors, -1)], -np.inf, 0.0)
        for capacity in self.capacities:
            larger = [at for at in self.capacities if at >= capacity]
            rooms = sum(self.rooms[at, False] for at in larger)
            needing = [term for at in larger for term in (*self.needing[at], *stations[at])]
            self.program.bound(needing, 0.0, float(rooms))


def _times(terms: Terms, factor: float) -> Terms:
    return [(column, factor * of) for column, of in terms]
