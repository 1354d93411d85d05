"""Rules that give way by an amount: how many an adult watches over, what rooms hold, how many rooms, seats and days."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from serving.grouping.problem.places import Pin, Room
from serving.grouping.problem.policy import ADULT_LED, SessionType, SizeBound
from serving.grouping.problem.problem import Problem

PRICES = {
    "pinned": 1.0,
    "eligibility": 1.5,
    "adult_available": 3.0,
    "qualified": 3.0,
    "permission": 3.0,
    "keep_apart": 4.0,
    "supervision": 6.0,
    "certified": 8.0,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One rule for one subject, and what it means to give it up.

    Attributes:
        rule: by the names of `check.py`.
        subject: what `giving.give_up` changes; it may hold ids of students, so that no text shows it.
        price: in dropped pins.
        asks: what the rule asks, in plain words without students.
        gives: what giving it up means, as an instruction.
        students: ids of those concerned, for whoever may see them.
    """

    rule: str
    subject: tuple[Any, ...] = field(repr=False)
    price: float
    asks: str
    gives: str
    students: tuple[str, ...] = field(default=(), repr=False)


def list_steps(problem: Problem) -> tuple[Step, ...]:
    """Returns every step on a single pin, pair, student or adult; what is asked for comes first."""
    return (*_pins(problem), *_pairs(problem), *_accommodations(problem), *_absences(problem), *_adults(problem))


def tell_kind(kind: SessionType) -> str:
    """Returns what an adult does in a session of a kind, in plain words."""
    return "watch over online work" if kind is SessionType.ONLINE else f"lead {kind.replace('_', ' ')} sessions"


def _pins(problem: Problem) -> Iterator[Step]:
    labels = {block.id: block.label for block in problem.blocks}
    names = {skill.id: skill.name for skill in problem.skills}
    needs: dict[str, set[str]] = {}
    for need in problem.needs:
        needs.setdefault(need.student, set()).add(need.skill)
    for pin in problem.pins:
        where = f"{_tell_pin(pin, names)} in {labels[pin.block]}"
        asks, gives = f"a student is pinned to {where}", f"drop the pin of a student to {where}"
        yield Step("pinned", (pin,), PRICES["pinned"], asks, gives, (pin.student,))
        mine = needs.get(pin.student, set())
        if not pin.online and (not mine if pin.skill is None else pin.skill not in mine):
            skills = (pin.skill,) if pin.skill else tuple(names)
            asks = f"a student pinned to {where} has no such need listed"
            gives = f"let a student pinned to {where} sit there without such a need"
            yield Step("eligibility", (pin.student, skills), PRICES["eligibility"], asks, gives, (pin.student,))


def _tell_pin(pin: Pin, names: dict[str, str]) -> str:
    if pin.online:
        return "online work"
    kind = f"{pin.session_type.replace('_', ' ')} work" if pin.session_type else "a led session"
    on = f" on {names[pin.skill]}" if pin.skill else ""
    return f"{kind}{on}{f' with {pin.adult}' if pin.adult else ''}"


def _pairs(problem: Problem) -> Iterator[Step]:
    there = {student.id: student.blocks for student in problem.students}
    for pair in problem.keep_apart:
        if there[pair[0]] & there[pair[1]]:
            gives = "let two students who are to be kept apart share a session"
            yield Step("keep_apart", pair, PRICES["keep_apart"], "two students are to be kept apart", gives, pair)


def _accommodations(problem: Problem) -> Iterator[Step]:
    for student in problem.students:
        if student.needs_certified and student.blocks:
            asks = "a student needs a certified adult in led sessions"
            gives = "seat a student who needs a certified adult with one who is not"
            yield Step("certified", (student.id,), PRICES["certified"], asks, gives, (student.id,))


def _absences(problem: Problem) -> Iterator[Step]:
    for block in problem.blocks:
        for adult in problem.adults:
            if block.id not in adult.blocks:
                words = f"{adult.id} is away in {block.label}", f"have {adult.id} there in {block.label}"
                yield Step("adult_available", (adult.id, block.id), PRICES["adult_available"], *words)


def _adults(problem: Problem) -> Iterator[Step]:
    offered = {bound.session_type for bound in problem.sizes}
    names = {skill.id: skill.name for skill in problem.skills}
    wanted = _wanted(problem)
    for adult in problem.adults:
        if adult.trainee:
            asks = f"{adult.id}, who is in training, has duties only while a supervising adult has one too"
            gives = f"let {adult.id}, who is in training, work without a supervising adult"
            yield Step("supervision", (adult.id,), PRICES["supervision"], asks, gives)
        for kind in (*(kind for kind in ADULT_LED if kind in offered), SessionType.ONLINE):
            if kind not in adult.session_types:
                asks, gives = f"{adult.id} may not {tell_kind(kind)}", f"let {adult.id} {tell_kind(kind)}"
                yield Step("permission", (adult.id, kind), PRICES["permission"], asks, gives)
        known = names if adult.skills is None else adult.skills
        for skill in sorted(wanted):
            if skill not in known:
                asks, gives = f"{adult.id} is not qualified in {names[skill]}", f"let {adult.id} lead {names[skill]}"
                yield Step("qualified", (adult.id, skill), PRICES["qualified"], asks, gives)


def _wanted(problem: Problem) -> Collection[str]:
    """Returns the skills on which pinned students could sit in led sessions; no other lead is ever missing."""
    pinned = {pin.student for pin in problem.pins if not pin.online}
    named = {pin.skill for pin in problem.pins if pin.skill is not None}
    return named | {need.skill for need in problem.needs if need.student in pinned}


SCALE_PRICES = {
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
    base, each = SCALE_PRICES[rule]
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
    subject = (bound.session_type, None, bound.most + more)
    return _step("group_size", more, subject, f"{kind} has at most {bound.most} students{each}", gives)


def _lower_least(bound: SizeBound, fewer: int) -> Step:
    kind, each = _tell(bound)
    gives = f"let {kind} have {bound.least - fewer} students{each} instead of at least {bound.least}"
    subject = (bound.session_type, bound.least - fewer, None)
    return _step("group_size", fewer, subject, f"{kind} has at least {bound.least} students{each}", gives)


def _raise_own(adult: str, own: int, more: int) -> Step:
    asks, gives = f"{adult} teaches at most {own} students at once", f"let {adult} teach {own + more} students at once"
    return _step("group_size", more, (adult, None, own + more), asks, gives)


def _tell(bound: SizeBound) -> tuple[str, str]:
    each = " a table" if bound.session_type is SessionType.COLLABORATIVE else ""
    return f"a {bound.session_type.replace('_', ' ')} session", each
