"""Whose turn it is at the solver: schools take turns, and within a school its keys, whoever asks more often.

A lane is what one key asks for one school. No lane can keep others out: where too many wait, the newest request of the
longest lane is refused, and beside a long turn another key may plan, of the same school or of another. Nothing here
waits or reads a clock; `serving.plans.turns.queue` does both.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

LONG_S = 3.0
"""Seconds after which a turn does not keep out other keys any more: nearly all turns are shorter."""

OF_SCHOOL, IN_ALL = 1, 2
"""Turns beyond `at_once` that one school, and all schools, may have beside long ones."""


class Lane(NamedTuple):
    """Who asks for whom.

    Attributes:
        school: The school whose team is planned; None for a team without one, or one that has left the roster.
        key_id: The key that asks.
    """

    school: str | None
    key_id: str


@dataclass(eq=False, frozen=True)
class Ticket:
    """One request; `number` grows from one request to the next."""

    lane: Lane
    number: int


class RoundRobin:
    """Requests that plan and that wait to plan.

    Args:
        at_once: How many plan at the same time, where no turn is long.
        places: How many may wait.
    """

    def __init__(self, at_once: int, places: int) -> None:
        self._at_once = at_once
        self._places = places
        self._numbers = count()
        self._begun: dict[Ticket, float] = {}
        self._waiting: list[Ticket] = []
        self._last_turn: dict[Lane | str | None, int] = {}  # by lane and by school; no more than there are keys

    @property
    def running(self) -> tuple[Ticket, ...]:
        """The requests that plan now."""
        return tuple(self._begun)

    @property
    def waiting(self) -> tuple[Ticket, ...]:
        """The requests that wait, in the order in which they came."""
        return tuple(self._waiting)

    def join(self, lane: Lane) -> Ticket:
        """Adds a request to those that wait."""
        ticket = Ticket(lane, next(self._numbers))
        self._waiting.append(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> float | None:
        """Takes a request out, and returns the moment at which its turn began; None where it had none."""
        if ticket in self._begun:
            return self._begun.pop(ticket)
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        return None

    def begin_turns(self, now: float) -> None:
        """Lets those plan whose turn has come: of the school that had none for longest, and in it of such a key."""
        while ready := [ticket for ticket in self._waiting if self._may_begin(ticket, now)]:
            first = min(ready, key=self._rank)
            self._waiting.remove(first)
            self._begun[first] = now
            turn = next(self._numbers)
            self._last_turn[first.lane.school] = self._last_turn[first.lane] = turn

    def drop_excess(self) -> Ticket | None:
        """Takes out the newest request of the longest lane of the longest school, where more wait than may."""
        if len(self._waiting) <= self._places:
            return None
        of_school = Counter(ticket.lane.school for ticket in self._waiting)
        of_lane = Counter(ticket.lane for ticket in self._waiting)
        newest = max(
            self._waiting, key=lambda ticket: (of_school[ticket.lane.school], of_lane[ticket.lane], ticket.number)
        )
        self._waiting.remove(newest)
        return newest

    def next_long(self, now: float) -> float | None:
        """The next moment at which a turn becomes long, so that another may begin; None where none will."""
        return min((begun + LONG_S for begun in self._begun.values() if begun + LONG_S > now), default=None)

    def turns_before(self, lane: Lane) -> int:
        """How many turns come at most before that of one more request of a lane."""
        of_school = Counter(ticket.lane.school for ticket in self._waiting)
        own = of_school[lane.school]
        return len(self._begun) + sum(min(waiting, own + 1) for waiting in of_school.values())

    def _may_begin(self, ticket: Ticket, now: float) -> bool:
        school, key_id = ticket.lane
        of_school = sum(other.lane.school == school for other in self._begun)
        if of_school >= self._at_once + OF_SCHOOL or len(self._begun) >= self._at_once + IN_ALL:
            return False
        counted = (begun + LONG_S > now or other.lane.key_id == key_id for other, begun in self._begun.items())
        return sum(counted) < self._at_once

    def _rank(self, ticket: Ticket) -> tuple[int, int, int]:
        last = self._last_turn
        return last.get(ticket.lane.school, -1), last.get(ticket.lane, -1), ticket.number
