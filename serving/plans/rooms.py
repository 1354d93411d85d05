"""The rooms of a day: a large one in which several sessions share the capacity is as many places."""

from collections.abc import Sequence

from features.roster import Room as RosterRoom
from serving.grouping import Room, SessionType
from serving.plans.rules.team_policy import DayPolicy

MARK = "#place-"
"""Between the id of a large room and the number of a place in it."""


def list_rooms(rooms: Sequence[RosterRoom], policy: DayPolicy, students: int) -> tuple[Room, ...] | None:
    """The rooms and places of rooms, each for one session at a time; null where the roster has no rooms.

    Where a room holds everybody, each of its places does, since all of them together never have more. Where it does
    not, the first place is for the most students, and each other one for a largest small group; their capacities add up
    to no more than the room's.

    Args:
        rooms: The roster's rooms of the team.
        policy: How many sessions each of them holds.
        students: Members of the team.
    """
    if not rooms:
        return None
    largest = max((bound.most for bound in policy.sizes if bound.session_type is SessionType.SMALL_GROUP), default=1)
    found: list[Room] = []
    for room in rooms:
        count = policy.sessions_in(room.room_id, holds_all=students <= room.capacity)
        if count == 1:
            found.append(Room(room.room_id, room.capacity))
            continue
        first = room.capacity - (count - 1) * largest
        if students <= room.capacity:
            capacities = [room.capacity] * count
        elif first >= largest:
            capacities = [first, *[largest] * (count - 1)]
        else:
            capacities = [room.capacity // count + (at < room.capacity % count) for at in range(count)]
        found += [Room(f"{room.room_id}{MARK}{at + 1}", held) for at, held in enumerate(capacities)]
    return tuple(found)


def is_of_room(place: str, room_id: str) -> bool:
    """Whether a place of a day is a room of the roster, or a part of it."""
    return room_id in (place, place.rpartition(MARK)[0])


def name_room(room_id: str | None, policy: DayPolicy) -> str | None:
    """The roster's room of a place; null where the team plans no rooms."""
    if room_id is None:
        return None
    room, mark, _ = room_id.rpartition(MARK)
    return room if mark and policy.sessions_in(room, holds_all=True) > 1 else room_id
