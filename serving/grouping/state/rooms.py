"""Finds rooms for one block: one for each adult-led session, and as few as possible for online work.

Online work takes one room where one holds everybody, else several, each with monitors of its own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice, pairwise

from serving.grouping.problem.places import Room
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem


@dataclass(frozen=True, slots=True)
class Station:
    """A room for online work, None where the team plans no rooms, and how many adults supervise it."""

    room: str | None
    monitors: int


@dataclass(frozen=True, slots=True)
class RoomAssignment:
    """Rooms of one block: those of the adult-led sessions in their order, and the stations, the largest first."""

    led: tuple[str | None, ...]
    stations: tuple[Station, ...]

    @property
    def monitors(self) -> int:
        """Adults whom the stations need."""
        return sum(station.monitors for station in self.stations)


def assign_rooms(
    rooms: Sequence[Room] | None, sizes: Sequence[int], online: int, ratio: int, monitors: int
) -> RoomAssignment | None:
    """Returns the fewest stations beside adult-led sessions of those sizes; None where rooms or monitors are too few.

    Rooms kept for online work come first for it and are used for nothing else.

    Args:
        rooms: those free in the block; None where the team plans none.
        sizes: students of each adult-led session.
        online: students who work online.
        ratio: students online whom one adult may supervise.
        monitors: adults who may supervise online work.
    """
    if rooms is None:
        wanted = -(-online // ratio)
        station = (Station(None, wanted),) if online else ()
        return RoomAssignment((None,) * len(sizes), station) if wanted <= monitors else None
    ordinary = [room for room in rooms if not room.station]
    spare = _spare(ordinary, sizes)
    if spare is None:
        return None
    kept = [room for room in rooms if room.station]
    stations = _stations(kept, online, ratio, monitors) or _stations([*kept, *spare], online, ratio, monitors)
    if stations is None:
        return None
    taken = {station.room for station in stations}
    return RoomAssignment(_largest([room for room in ordinary if room.id not in taken], sizes), stations)


def share_out(students: int, limits: Sequence[int]) -> list[int]:
    """Returns how many students each station has: in the fewest first ones that hold all, evenly by what they hold.

    Example:
        >>> share_out(41, [30, 24, 10])
        [22, 19, 0]
    """
    used = next(count for count in range(len(limits) + 1) if sum(limits[:count]) >= students)
    reached = [0, *accumulate(limits[:used])]
    seated = [students * places // max(1, reached[-1]) for places in reached]
    return [after - before for before, after in pairwise(seated)] + [0] * (len(limits) - used)


def seat_online(problem: Problem, sessions: Sequence[Session]) -> tuple[Session, ...]:
    """Returns the sessions with everybody who is in no adult-led one at the block's stations; empty ones go."""
    limits = station_limits(problem, sessions)
    led = {(student, session.block) for session in sessions if session.led for student in session.students}
    seated = {session.id: session.students for session in sessions if session.led}
    for block in problem.blocks:
        online = [s.id for s in problem.students if block.id in s.blocks and (s.id, block.id) not in led]
        stations = [session.id for session in sessions if session.block == block.id and not session.led]
        shares = share_out(len(online), [limits[station] for station in stations])
        rest = iter(online)
        seated |= {station: tuple(islice(rest, share)) for station, share in zip(stations, shares, strict=True)}
    return tuple(replace(session, students=seated[session.id]) for session in sessions if seated[session.id])


def station_limits(problem: Problem, sessions: Sequence[Session]) -> dict[str, int]:
    """Returns how many students the room and the monitors of each online session carry, by session."""
    capacity = {room.id: room.capacity for room in problem.rooms or ()}
    supervised = {s.id: len(s.adults) * problem.students_per_monitor for s in sessions if not s.led}
    return {s.id: min(supervised[s.id], capacity.get(s.room or "", supervised[s.id])) for s in sessions if not s.led}


def _spare(rooms: Sequence[Room], sizes: Sequence[int]) -> list[Room] | None:
    """Returns the rooms left once each session takes the smallest that holds it, None where one finds none.

    No other choice of rooms for the sessions leaves n rooms that hold more than the n largest of these.
    """
    left = sorted(rooms, key=lambda room: (room.capacity, room.id))
    for size in sorted(sizes, reverse=True):
        room = next((room for room in left if room.capacity >= size), None)
        if room is None:
            return None
        left.remove(room)
    return left


def _largest(rooms: Sequence[Room], sizes: Sequence[int]) -> tuple[str | None, ...]:
    """Gives the largest room to the largest session, so that each may still grow."""
    by_capacity = sorted(rooms, key=lambda room: (-room.capacity, room.id))
    by_size = sorted(range(len(sizes)), key=lambda at: -sizes[at])
    places = {at: room.id for at, room in zip(by_size, by_capacity, strict=False)}
    return tuple(places[at] for at in range(len(sizes)))


def _stations(rooms: Sequence[Room], online: int, ratio: int, monitors: int) -> tuple[Station, ...] | None:
    """Returns the fewest rooms that hold everybody online with the monitors there are, None where none do."""
    largest = sorted(rooms, key=lambda room: (-room.capacity, room.id))
    for count in range(min(len(largest), monitors, online) + 1):
        seats = sorted(
            ((seats, -at) for at, room in enumerate(largest[:count]) for seats in _supervised(room, online, ratio)),
            reverse=True,
        )
        held = [0, *accumulate(more for more, _ in seats)]
        needed = next((used for used, reached in enumerate(held) if reached >= online), None)
        if needed is not None and needed <= monitors:
            monitors_in = Counter(-at for _, at in seats[:needed])
            return tuple(Station(largest[at].id, adults) for at, adults in sorted(monitors_in.items()))
    return None


def _supervised(room: Room, online: int, ratio: int) -> Iterator[int]:
    """Yields the students whom each further adult in a room could supervise."""
    full, part = divmod(min(room.capacity, online), ratio)
    yield from [ratio] * full
    if part:
        yield part
