"""Groups of fixed sizes over several rounds in which the same students meet as rarely as possible.

That is the social golfer problem (Harvey, CSPLib 10) with a history. Rounds are days, or the tables of one session.
Starts come from symmetry (`rotation_designs.py`) or at random, and swaps improve on them (`rotation_search.py`).
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from serving.grouping.errors import ProblemError, require_known, require_range, require_unique
from serving.grouping.rotation.designs import Cycle, Ints, cycles, field_rounds
from serving.grouping.rotation.swaps import count_meetings, improve_rounds

LAP = 100_000
"""Swaps of a first attempt; each lap of attempts doubles them."""

CIRCLES = 8
"""Symmetries tried."""

APART = 1_000_000
"""Points of one meeting of two who are kept apart, beyond those of any number of repeats."""

WARM, COOL = 1.0, 0.1
"""Points that a swap may lose about every third time; chosen on social golfers of 15 to 60."""

DEFAULT_SWAPS = 10_000_000

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rotation:
    """Who sits with whom, round by round.

    Attributes:
        rounds: for each round its groups of student ids, of the sizes asked for, in that order.
        repeats: for each meeting, how often the two had met before, summed; 0: all meet somebody new each time.
        cut_by_clock: whether the time ran out, so that the same request may get other groups elsewhere.
    """

    rounds: tuple[tuple[tuple[str, ...], ...], ...]
    repeats: int
    cut_by_clock: bool = False


def rotate_groups(
    students: Sequence[str],
    sizes: Sequence[int],
    rounds: int,
    *,
    met: Mapping[Pair, int] | None = None,
    apart: Iterable[Pair] = (),
    swaps: int = DEFAULT_SWAPS,
    seconds: float | None = None,
    seed: int = 0,
) -> Rotation:
    """Returns groups in which pairs meet as rarely as was found; without a clock, equal requests give equal groups.

    Args:
        students: ids; every student sits in one group of each round.
        sizes: of the groups of a round; they sum to the number of students.
        rounds: how many.
        met: how often pairs met before; a pair left out, never.
        apart: pairs never in one group.
        swaps: to try at most.
        seconds: CPU time of the process after which to stop at the next chance; `swaps` does not count then.
        seed: of all lots drawn.

    Raises:
        ProblemError: an argument is not right, or no groups were found that keep the pairs apart.

    Example:
        >>> rotate_groups(["a", "b", "c", "d"], [2, 2], 3).repeats
        0
    """
    search = _Search(list(students), list(sizes), rounds, met or {}, list(apart), seed)
    began, spent = time.process_time(), 0
    for lap in range(64):
        for attempt in search.attempts(lap):
            spent += attempt
            done = search.perfect or (spent >= swaps if seconds is None else time.process_time() - began >= seconds)
            if done:
                return search.finish(cut=seconds is not None and not search.perfect)
    raise AssertionError(spent)  # the laps double: no budget is that large


def even_sizes(students: int, most: int) -> list[int]:
    """Returns the sizes of as few groups as will do, as equal as they can be.

    Example:
        >>> even_sizes(10, 4)
        [4, 3, 3]
    """
    groups = -(-students // most)
    return [students // groups + (at < students % groups) for at in range(groups)]


@dataclass(slots=True)
class _Search:
    """The request by number, and the best rounds so far; groups stand by size, the largest first."""

    students: list[str]
    sizes: list[int]
    rounds: int
    met: Mapping[Pair, int]
    apart: list[Pair]
    seed: int
    order: list[int] = field(init=False)
    starts: Ints = field(init=False)
    key: Ints = field(init=False)
    before: Ints = field(init=False)
    best: Ints = field(init=False)
    cost: int = field(init=False)
    lots: Ints = field(init=False)

    def __post_init__(self) -> None:
        self._require()
        count = len(self.students)
        self.order = sorted(range(len(self.sizes)), key=lambda at: -self.sizes[at])
        self.starts = np.cumsum([0, *(self.sizes[at] for at in self.order)]).astype(np.int64)
        low = np.minimum.outer(np.arange(count), np.arange(count))
        high = np.maximum.outer(np.arange(count), np.arange(count))
        self.key = (low * count + high).astype(np.int64)
        self.before = np.zeros(count * count, np.int64)
        number = {student: at for at, student in enumerate(self.students)}
        for (one, other), times in self.met.items():
            self.before[self.key[number[one], number[other]]] += times
        for one, other in self.apart:
            self.before[self.key[number[one], number[other]]] += APART
        self.lots = np.array([(2 * self.seed + 1) * 0x9E3779B97F4A7C15 % 2**64], np.uint64)
        self.best = self._shuffled()
        self.cost = self._cost(self.best)

    @property
    def perfect(self) -> bool:
        """Whether nobody meets twice, which no other rounds can better."""
        return self.cost == 0

    def attempts(self, lap: int) -> Iterator[int]:
        """Runs one lap: a field once, then swaps from the best, each symmetry, and chance; yields the swaps tried."""
        swaps = LAP << lap
        design = self._field() if lap == 0 else None
        if design is not None:
            self._keep(design)
        yield 0
        self._improve(self.best.copy(), swaps, WARM / 2)
        yield swaps
        for circle in cycles(len(self.students), len(self.sizes), self.rounds, CIRCLES):
            self._turn(circle, swaps)
            yield swaps
        self._improve(self._shuffled(), 4 * swaps, WARM)
        yield 4 * swaps

    def finish(self, *, cut: bool) -> Rotation:
        """The best rounds by id, groups in the order asked for.

        Raises:
            ProblemError: It lets pairs meet who are kept apart.
        """
        if self.cost >= APART:
            told = f"{len(self.apart)} pairs"
            raise ProblemError("apart", told, "so few that groups of these sizes can keep them; none were found")
        place = {group: at for at, group in enumerate(self.order)}
        rounds = []
        for row in self.best.tolist():
            groups = [row[self.starts[place[at]] : self.starts[place[at] + 1]] for at in range(len(self.sizes))]
            rounds.append(tuple(tuple(self.students[at] for at in sorted(group)) for group in groups))
        return Rotation(tuple(rounds), self.cost, cut)

    def _require(self) -> None:
        require_unique("students", self.students, private=True)
        require_range("rounds", self.rounds, 1)
        for at, size in enumerate(self.sizes):
            require_range(f"sizes[{at}]", size, 1)
        if sum(self.sizes) != len(self.students):
            raise ProblemError("sizes", self.sizes, f"numbers that sum to the {len(self.students)} students")
        known = set(self.students)
        for name, pairs in (("met", list(self.met)), ("apart", self.apart)):
            for at, pair in enumerate(pairs):
                for side, student in enumerate(pair):
                    require_known(f"{name}[{at}][{side}]", student, known, "students")
                if pair[0] == pair[1]:
                    raise ProblemError(f"{name}[{at}]", pair, "two different students", private=True)
        for at, times in enumerate(self.met.values()):
            require_range(f"met[{at}]", times, 0)

    def _shuffled(self) -> Ints:
        draw = np.random.default_rng(int(self.lots[0]))
        self.lots[0] += np.uint64(1)
        return np.array([draw.permutation(len(self.students)) for _ in range(self.rounds)], dtype=np.int64)

    def _cost(self, seats: Ints) -> int:
        return int(count_meetings(seats, self.starts, self.key, self.before.copy()))

    def _keep(self, seats: Ints) -> None:
        cost = self._cost(seats)
        if cost < self.cost:
            self.best, self.cost = seats.copy(), cost

    def _field(self) -> Ints | None:
        """The rounds of a field, where sizes are equal and it gives enough."""
        size = self.sizes[0]
        design = field_rounds(len(self.sizes), size) if set(self.sizes) == {size} else None
        return None if design is None or len(design) < self.rounds else design[: self.rounds]

    def _turn(self, circle: Cycle, swaps: int) -> None:
        """Searches one round that a symmetry turns into all others."""
        key, count = circle.keys()
        seats = self._shuffled()[:1]
        cost = np.full(2, count_meetings(seats, self.starts, key, count))
        best = seats.copy()
        improve_rounds(seats, self.starts, key, count, self.lots, swaps, WARM, COOL, best, cost)
        self._keep(circle.develop(best[0])[: self.rounds])

    def _improve(self, seats: Ints, swaps: int, warm: float) -> None:
        count = self.before.copy()
        cost = np.full(2, count_meetings(seats, self.starts, self.key, count))
        best = seats.copy()
        improve_rounds(seats, self.starts, self.key, count, self.lots, swaps, warm, COOL, best, cost)
        self._keep(best)
