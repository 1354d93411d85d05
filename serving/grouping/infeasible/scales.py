"""Rules that give way by an amount: how many an adult watches over, what rooms hold, how many rooms, seats and days."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from serving.grouping.infeasible.steps import Step
from serving.grouping.places import Room
from serving.grouping.policy import Modality, SizeBound
from serving.grouping.problem import Problem

PRICES = {
    "catch_up_days": (1.0, 0.5),
    "monitors": (1.0, 0.1),
    "group_size": (1.0, 0.5),
    "room_capacity": (2.0, 0.2),
    "rooms": (2.0, 2.0),
}
"""Of any change, and of each day, student or room by which it goes further."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A rule that gives way from 1 to `most`, where it asks for nothing any more.

    Attributes:
        covered: whether another scale gives up all of it and more.
    """

    rule: str
    most: int
    at: Callable[[int], Step]
    covered: bool = False

    @property
    def whole(self) -> Step:
        """The rule given up altogether."""
        return self.at(self.most)


def list_scales(problem: Problem) -> tuple[Scale, ...]:
    """Returns every rule of a problem that gives way by an amount."""
    return (*_catch_up_days(problem), *_monitors(problem), *_rooms(problem), *_sizes(problem))


def _step(rule: str, amount: int, subject: tuple[object, ...], asks: str, gives: str) -> Step:
    base, each = PRICES[rule]
    return Step(rule, subject, base + each * amount, asks, gives)


def _catch_up_days(problem: Problem) -> Iterator[Scale]:
    cap = problem.most_catch_up_days
    if cap is None:
        return
    longest = max((student.catch_up_days for student in problem.students if student.blocks), default=0)

    def at(more: int) -> Step:
        asks = f"a student may catch up on at most {cap} days in a row"
        gives = f"let students catch up on {cap + more} days in a row instead of at most {cap}"
        return _step("catch_up_days", more, (cap + more,), asks, gives)

    if longest >= cap:
        yield Scale("catch_up_days", longest + 1 - cap, at)


def _monitors(problem: Problem) -> Iterator[Scale]:
    ratio = problem.students_per_monitor

    def at(more: int) -> Step:
        asks = f"one adult may watch over at most {ratio} students online"
        gives = f"let one adult watch over {ratio + more} students online instead of {ratio}"
        return _step("monitors", more, (ratio + more,), asks, gives)

    if len(problem.students) > ratio:
        yield Scale("monitors", len(problem.students) - ratio, at)


def _rooms(problem: Problem) -> Iterator[Scale]:
    if problem.rooms is None:
        return
    everybody, rooms = max(1, len(problem.students)), problem.rooms
    largest = max(rooms, key=lambda room: room.capacity, default=Room("", everybody))

    def enlarge_all(more: int) -> Step:
        sizes = tuple((room.id, room.capacity + more) for room in rooms)
        held = ", ".join(str(room.capacity) for room in sorted(rooms, key=lambda room: -room.capacity))
        gives = f"let every room hold {more} more"
        return _step("room_capacity", more * len(rooms), (sizes,), f"the rooms hold {held} students", gives)

    def enlarge_one(more: int) -> Step:
        asks = f"room {largest.id} holds {largest.capacity} students"
        gives = f"let room {largest.id} hold {largest.capacity + more} students instead of {largest.capacity}"
        return _step("room_capacity", more, (((largest.id, largest.capacity + more),),), asks, gives)

    def find_more(more: int) -> Step:
        taken = {room.id for room in rooms}
        names = [name for at in range(more + len(rooms)) if (name := f"another room {at + 1}") not in taken]
        capacity = largest.capacity or everybody
        found = tuple(Room(name, capacity) for name in names[:more])
        gives = f"find {more} more {'room' if more == 1 else 'rooms'} for {capacity} students"
        return _step("rooms", more, (found,), f"there are {len(rooms)} rooms, not all of them free all day", gives)

    if rooms:
        yield Scale("room_capacity", everybody, enlarge_one, covered=len(rooms) > 1)
    if len(rooms) > 1:
        yield Scale("room_capacity", everybody, enlarge_all)
    yield Scale("rooms", max(1, len(problem.adults)), find_more)


def _sizes(problem: Problem) -> Iterator[Scale]:
    everybody = len(problem.students)
    for bound in problem.sizes:
        if everybody > bound.most:
            yield Scale("group_size", everybody - bound.most, partial(_raise_most, bound))
        if bound.least > 1:
            yield Scale("group_size", bound.least - 1, partial(_lower_least, bound))
    for adult in problem.adults:
        if adult.max_group is not None and adult.max_group < everybody:
            yield Scale("group_size", everybody - adult.max_group, partial(_raise_own, adult.id, adult.max_group))


def _raise_most(bound: SizeBound, more: int) -> Step:
    kind, each = _tell(bound)
    gives = f"let {kind} have {bound.most + more} students{each} instead of at most {bound.most}"
    subject = (bound.modality, None, bound.most + more)
    return _step("group_size", more, subject, f"{kind} has at most {bound.most} students{each}", gives)


def _lower_least(bound: SizeBound, fewer: int) -> Step:
    kind, each = _tell(bound)
    gives = f"let {kind} have {bound.least - fewer} students{each} instead of at least {bound.least}"
    subject = (bound.modality, bound.least - fewer, None)
    return _step("group_size", fewer, subject, f"{kind} has at least {bound.least} students{each}", gives)


def _raise_own(adult: str, own: int, more: int) -> Step:
    asks, gives = f"{adult} teaches at most {own} students at once", f"let {adult} teach {own + more} students at once"
    return _step("group_size", more, (adult, None, own + more), asks, gives)


def _tell(bound: SizeBound) -> tuple[str, str]:
    each = " a table" if bound.modality is Modality.COLLABORATIVE else ""
    return f"a {bound.modality.replace('_', ' ')} session", each
