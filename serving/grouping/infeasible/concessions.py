"""Lists the rules of a day that may be relaxed, as soft constraints with penalties: all or nothing, or by an amount."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from serving.grouping.problem.people import Aim
from serving.grouping.problem.places import Pin, Room
from serving.grouping.problem.policy import ADULT_LED, SessionType, SizeBound
from serving.grouping.problem.problem import Problem

PENALTIES = {
    "pinned": 1.0,
    "eligibility": 1.5,
    "adult_available": 3.0,
    "qualified": 3.0,
    "permission": 3.0,
    "one_aim": 2.0,
    "block_skills": 3.0,
    "keep_apart": 4.0,
    "adult_exclusions": 4.0,
    "supervision": 6.0,
    "certified": 8.0,
}
"""Penalty of relaxing a rule for one pin, student, pair, adult, skill or block, in dropped pins."""

GRADED_PENALTIES = {
    "monitors": (1.0, 0.1),
    "group_size": (1.0, 0.5),
    "room_capacity": (2.0, 0.2),
    "rooms": (2.0, 2.0),
}
"""Penalty of relaxing a graded rule at all, and for each student or room of the amount, in dropped pins."""


@dataclass(frozen=True, slots=True)
class SoftConstraint:
    """One rule for one subject, and what it means to relax it.

    Attributes:
        rule: name of the hard rule in `check.py`.
        subject: what `relax` changes; it may hold ids of students, so that no text shows it.
        penalty: of relaxing it, in dropped pins.
        requirement: what the rule asks for, in plain words without students.
        remedy: what relaxing it means, as an instruction without students.
        students: ids of those concerned, for callers who may see them.
    """

    rule: str
    subject: tuple[Any, ...] = field(repr=False)
    penalty: float
    requirement: str
    remedy: str
    students: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class GradedConstraint:
    """A rule that is relaxed by an amount, from 1 to `most`, at which it asks for nothing any more.

    Attributes:
        at: the soft constraint for an amount.
        covered: whether another graded constraint relaxes all of it and more.
    """

    rule: str
    most: int
    at: Callable[[int], SoftConstraint]
    covered: bool = False

    @property
    def whole(self) -> SoftConstraint:
        """The rule relaxed altogether."""
        return self.at(self.most)


def list_soft_constraints(problem: Problem) -> tuple[SoftConstraint, ...]:
    """Returns every soft constraint on a single part of the day; what a person asked for comes first."""
    return (
        *_pins(problem), *_pairs(problem), *_exclusions(problem), *_accommodations(problem), *_aims(problem),
        *_subjects(problem), *_absences(problem), *_adults(problem),
    )  # fmt: skip


def list_graded_constraints(problem: Problem) -> tuple[GradedConstraint, ...]:
    """Returns every rule of a problem that is relaxed by an amount."""
    return (*_monitors(problem), *_rooms(problem), *_sizes(problem))


def _soft(rule: str, subject: tuple[Any, ...], requirement: str, remedy: str, *students: str) -> SoftConstraint:
    return SoftConstraint(rule, subject, PENALTIES[rule], requirement, remedy, students)


def _graded(rule: str, amount: int, subject: tuple[Any, ...], requirement: str, remedy: str) -> SoftConstraint:
    fixed, per_unit = GRADED_PENALTIES[rule]
    return SoftConstraint(rule, subject, fixed + per_unit * amount, requirement, remedy)


def _pins(problem: Problem) -> Iterator[SoftConstraint]:
    labels = {block.id: block.label for block in problem.blocks}
    names = {skill.id: skill.name for skill in problem.skills}
    needs: dict[str, set[str]] = {}
    for need in problem.needs:
        needs.setdefault(need.student, set()).add(need.skill)
    for pin in problem.pins:
        where = f"{_describe_pin(pin, names)} in {labels[pin.block]}"
        requirement, remedy = f"a student is pinned to {where}", f"drop the pin of a student to {where}"
        yield _soft("pinned", (pin,), requirement, remedy, pin.student)
        listed = needs.get(pin.student, set())
        if not pin.online and (not listed if pin.skill is None else pin.skill not in listed):
            skills = (pin.skill,) if pin.skill else tuple(names)
            requirement = f"a student pinned to {where} has no such need listed"
            remedy = f"let a student pinned to {where} sit there without such a need"
            yield _soft("eligibility", (pin.student, skills), requirement, remedy, pin.student)


def _describe_pin(pin: Pin, names: dict[str, str]) -> str:
    if pin.online:
        return "online work"
    kind = f"{pin.session_type.replace('_', ' ')} work" if pin.session_type else "an adult-led session"
    on = f" on {names[pin.skill]}" if pin.skill else ""
    return f"{kind}{on}{f' with {pin.adult}' if pin.adult else ''}"


def _pairs(problem: Problem) -> Iterator[SoftConstraint]:
    blocks = {student.id: student.blocks for student in problem.students}
    for one, other in problem.keep_apart:
        if blocks[one] & blocks[other]:
            remedy = "let two students who must not be grouped together share a session"
            yield _soft("keep_apart", (one, other), "two students must not be grouped together", remedy, one, other)


def _exclusions(problem: Problem) -> Iterator[SoftConstraint]:
    blocks = {student.id: student.blocks for student in problem.students}
    there = {adult.id: adult.blocks for adult in problem.adults}
    for student, adult in problem.adult_exclusions:
        if blocks[student] & there[adult]:
            requirement = f"{adult} must not lead a student"
            remedy = f"let {adult} lead a student whom {adult} must not lead"
            yield _soft("adult_exclusions", (student, adult), requirement, remedy, student)


def _aims(problem: Problem) -> Iterator[SoftConstraint]:
    names = {skill.id: skill.name for skill in problem.skills}
    aims: dict[str, set[Aim]] = {}
    for need in problem.needs:
        aims.setdefault(need.skill, set()).add(need.aim)
    for skill in sorted(aims):
        if len(aims[skill]) > 1:
            requirement = f"students share a session on {names[skill]} only for one aim, such as to introduce it"
            yield _soft("one_aim", (skill,), requirement, f"let sessions on {names[skill]} have students of any aim")


def _subjects(problem: Problem) -> Iterator[SoftConstraint]:
    for block in problem.blocks:
        if block.skills is not None:
            requirement = f"only some skills may be taught in {block.label}"
            yield _soft("block_skills", (block.id,), requirement, f"let any skill be taught in {block.label}")


def _accommodations(problem: Problem) -> Iterator[SoftConstraint]:
    for student in problem.students:
        if student.needs_certified and student.blocks:
            requirement = "a student needs a certified adult in adult-led sessions"
            remedy = "seat a student who needs a certified adult with one who is not"
            yield _soft("certified", (student.id,), requirement, remedy, student.id)


def _absences(problem: Problem) -> Iterator[SoftConstraint]:
    for block in problem.blocks:
        for adult in problem.adults:
            if block.id not in adult.blocks:
                requirement, remedy = f"{adult.id} is away in {block.label}", f"have {adult.id} there in {block.label}"
                yield _soft("adult_available", (adult.id, block.id), requirement, remedy)


def _adults(problem: Problem) -> Iterator[SoftConstraint]:
    offered = {bound.session_type for bound in problem.sizes}
    names = {skill.id: skill.name for skill in problem.skills}
    wanted = _list_wanted_skills(problem)
    for adult in problem.adults:
        if adult.trainee:
            requirement = f"{adult.id}, who is in training, has duties only while a supervising adult has one too"
            remedy = f"let {adult.id}, who is in training, work without a supervising adult"
            yield _soft("supervision", (adult.id,), requirement, remedy)
        for kind in (*(kind for kind in ADULT_LED if kind in offered), SessionType.ONLINE):
            if kind not in adult.session_types and adult.stage_most != 0:
                online = kind is SessionType.ONLINE
                duty = "supervise online work" if online else f"lead {kind.replace('_', ' ')} sessions"
                yield _soft("permission", (adult.id, kind), f"{adult.id} may not {duty}", f"let {adult.id} {duty}")
        known = names if adult.skills is None else adult.skills
        for skill in sorted(wanted):
            if skill not in known:
                requirement = f"{adult.id} is not qualified in {names[skill]}"
                yield _soft("qualified", (adult.id, skill), requirement, f"let {adult.id} lead {names[skill]}")


def _list_wanted_skills(problem: Problem) -> Collection[str]:
    """Returns the skills on which pinned students could sit in adult-led sessions; no other lead is ever missing."""
    pinned = {pin.student for pin in problem.pins if not pin.online}
    named = {pin.skill for pin in problem.pins if pin.skill is not None}
    return named | {need.skill for need in problem.needs if need.student in pinned}


def _monitors(problem: Problem) -> Iterator[GradedConstraint]:
    ratio = problem.students_per_monitor

    def at(more: int) -> SoftConstraint:
        requirement = f"one adult may supervise at most {ratio} students online"
        remedy = f"let one adult supervise {ratio + more} students online instead of {ratio}"
        return _graded("monitors", more, (ratio + more,), requirement, remedy)

    if len(problem.students) > ratio:
        yield GradedConstraint("monitors", len(problem.students) - ratio, at)


def _rooms(problem: Problem) -> Iterator[GradedConstraint]:
    if problem.rooms is None:
        return
    everybody, rooms = max(1, len(problem.students)), problem.rooms
    largest = max(rooms, key=lambda room: room.capacity, default=Room("", everybody))

    def enlarge_all(more: int) -> SoftConstraint:
        sizes = tuple((room.id, room.capacity + more) for room in rooms)
        held = ", ".join(str(room.capacity) for room in sorted(rooms, key=lambda room: -room.capacity))
        remedy = f"let every room hold {more} more"
        return _graded("room_capacity", more * len(rooms), (sizes,), f"the rooms hold {held} students", remedy)

    def enlarge_one(more: int) -> SoftConstraint:
        requirement = f"room {largest.id} holds {largest.capacity} students"
        remedy = f"let room {largest.id} hold {largest.capacity + more} students instead of {largest.capacity}"
        return _graded("room_capacity", more, (((largest.id, largest.capacity + more),),), requirement, remedy)

    def add_rooms(more: int) -> SoftConstraint:
        taken = {room.id for room in rooms}
        names = [name for at in range(more + len(rooms)) if (name := f"another room {at + 1}") not in taken]
        capacity = largest.capacity or everybody
        added = tuple(Room(name, capacity) for name in names[:more])
        remedy = f"find {more} more {'room' if more == 1 else 'rooms'} for {capacity} students"
        return _graded("rooms", more, (added,), f"there are {len(rooms)} rooms, not all of them free all day", remedy)

    if rooms:
        yield GradedConstraint("room_capacity", everybody, enlarge_one, covered=len(rooms) > 1)
    if len(rooms) > 1:
        yield GradedConstraint("room_capacity", everybody, enlarge_all)
    yield GradedConstraint("rooms", max(1, len(problem.adults)), add_rooms)


def _sizes(problem: Problem) -> Iterator[GradedConstraint]:
    everybody = len(problem.students)
    for bound in problem.sizes:
        if everybody > bound.most:
            yield GradedConstraint("group_size", everybody - bound.most, partial(_raise_most, bound))
        if bound.least > 1:
            yield GradedConstraint("group_size", bound.least - 1, partial(_lower_least, bound))
    for adult in problem.adults:
        most = min(everybody, adult.stage_most or everybody)  # a stage of growth does not give way
        if adult.max_group is not None and adult.max_group < most:
            at = partial(_raise_max_group, adult.id, adult.max_group)
            yield GradedConstraint("group_size", most - adult.max_group, at)


def _raise_most(bound: SizeBound, more: int) -> SoftConstraint:
    kind, unit = _describe_kind(bound)
    remedy = f"let {kind} have {bound.most + more} {unit} instead of at most {bound.most}"
    subject = (bound.session_type, None, bound.most + more)
    return _graded("group_size", more, subject, f"{kind} has at most {bound.most} {unit}", remedy)


def _lower_least(bound: SizeBound, fewer: int) -> SoftConstraint:
    kind, unit = _describe_kind(bound)
    remedy = f"let {kind} have {bound.least - fewer} {unit} instead of at least {bound.least}"
    subject = (bound.session_type, bound.least - fewer, None)
    return _graded("group_size", fewer, subject, f"{kind} has at least {bound.least} {unit}", remedy)


def _raise_max_group(adult: str, max_group: int, more: int) -> SoftConstraint:
    requirement = f"{adult} teaches at most {max_group} students at once"
    remedy = f"let {adult} teach {max_group + more} students at once"
    return _graded("group_size", more, (adult, None, max_group + more), requirement, remedy)


def _describe_kind(bound: SizeBound) -> tuple[str, str]:
    unit = "students a table" if bound.session_type is SessionType.COLLABORATIVE else "students"
    return f"a {bound.session_type.replace('_', ' ')} session", unit
