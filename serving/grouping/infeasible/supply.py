"""Counts what a problem has: who is there, who needs what, how many students an adult takes, where a pin could be."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from serving.grouping.problem.people import Adult, Aim
from serving.grouping.problem.places import Block, Pin, Room
from serving.grouping.problem.policy import ADULT_LED, SessionType, SizeBound
from serving.grouping.problem.problem import Pair, Problem


class Supply:
    """The people, needs and places of a problem, counted block by block."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._present: dict[str, frozenset[str]] = {}
        self._needing: dict[str, dict[str, int]] = {}
        self._takers: dict[tuple[str, tuple[str, ...]], int] = {}
        self.slots: dict[Pin, FeasibleSlots] = {}
        self._loads: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        self.students = {student.id: student for student in problem.students}
        self.adults = {adult.id: adult for adult in problem.adults}
        self.bounds: dict[SessionType, SizeBound] = {bound.session_type: bound for bound in problem.sizes}

    @cached_property
    def needed_by(self) -> dict[str, set[str]]:
        """Students per skill, who need it."""
        students: dict[str, set[str]] = {}
        for need in self.problem.needs:
            students.setdefault(need.skill, set()).add(need.student)
        return students

    @cached_property
    def needs_of(self) -> dict[str, list[str]]:
        """Skills needed, by student."""
        skills: dict[str, list[str]] = {}
        for need in self.problem.needs:
            skills.setdefault(need.student, []).append(need.skill)
        return skills

    @cached_property
    def aims(self) -> dict[Pair, Aim]:
        """The aim of a session for each student and skill needed."""
        return {(need.student, need.skill): need.aim for need in self.problem.needs}

    def present(self, block: Block) -> frozenset[str]:
        """Students in a block."""
        if block.id not in self._present:
            here = frozenset(student.id for student in self.problem.students if block.id in student.blocks)
            self._present[block.id] = here
        return self._present[block.id]

    def there(self, block: Block) -> list[Adult]:
        """Adults in a block, whether or not a trainee may work then."""
        return [adult for adult in self.problem.adults if block.id in adult.blocks]

    def usable(self, block: Block) -> list[Adult]:
        """Adults who can have a duty in a block: trainees only where a supervising adult is there too."""
        here = self.there(block)
        supervised = any(adult.supervisor for adult in here)
        return [adult for adult in here if supervised or not adult.trainee]

    def rooms(self, block: Block) -> list[Room]:
        """Rooms free in a block, the largest first."""
        free = [room for room in self.problem.rooms or () if room.blocks is None or block.id in room.blocks]
        return sorted(free, key=lambda room: -room.capacity)

    def most(self, adult: Adult, session_type: SessionType) -> int:
        """The most students an adult can take in one session of a kind."""
        bound = self.bounds.get(session_type)
        if bound is None or session_type not in adult.session_types:
            return 0
        most = bound.most * bound.tables
        if adult.max_group is not None:
            most = min(most, adult.max_group)
        return most if most >= bound.least else 0

    def largest(self, adult: Adult) -> int:
        """The most students an adult can take in one session of any kind."""
        return max(self.most(adult, kind) for kind in ADULT_LED)

    def led_at_most(self, block: Block, leads: int, adults: list[Adult]) -> int:
        """An upper bound on students in adult-led sessions of a block where so many of the adults lead."""
        return min(self.takers(block, adults), self.seats(block, adults, leads))

    def takers(self, block: Block, adults: list[Adult]) -> int:
        """How many students in a block need a skill that one of the adults leads, and are not pinned to online work."""
        key = block.id, tuple(adult.id for adult in adults)
        if key not in self._takers:
            taught = [
                students
                for skill, students in self.needed_by.items()
                if _is_held(block, skill) and self.taught(skill, adults)
            ]
            online = {pin.student for pin in self.problem.pins if pin.block == block.id and pin.online}
            self._takers[key] = len(self.present(block).intersection(set().union(*taught)) - online)
        return self._takers[key]

    def seats(self, block: Block, adults: list[Adult], leads: int) -> int:
        """The most students that so many of the adults can lead at once, each on the one skill that most need."""
        key = block.id, tuple(adult.id for adult in adults)
        if key not in self._loads:
            self._loads[key] = sorted((self._load(block, adult) for adult in adults), reverse=True)
        return sum(self._loads[key][: max(0, leads)])

    def _load(self, block: Block, adult: Adult) -> int:
        if block.id not in self._needing:
            present = self.present(block)
            held = ((skill, needing) for skill, needing in self.needed_by.items() if _is_held(block, skill))
            self._needing[block.id] = {skill: len(needing & present) for skill, needing in held}
        needing = self._needing[block.id]
        known = needing if adult.skills is None else adult.skills
        return min(max((needing.get(skill, 0) for skill in known), default=0), self.largest(adult))

    @staticmethod
    def taught(skill: str, adults: list[Adult]) -> bool:
        """Whether any of the adults may lead a skill."""
        return any(adult.skills is None or skill in adult.skills for adult in adults)


def _is_held(block: Block, skill: str) -> bool:
    """Whether a skill may be taught in a block."""
    return block.skills is None or skill in block.skills


class LedSlot(NamedTuple):
    """An adult-led session of a block, by its parts."""

    adult: Adult
    session_type: SessionType
    skill: str


@dataclass(frozen=True, slots=True)
class FeasibleSlots:
    """Where a pinned student could sit by the rules on one student; without any, the rule that leaves none, and why.

    Attributes:
        adults: ids of those who could lead it; where there is no slot, the one named by the pin, if any.
        kinds: of the sessions, in the same way.
        skills: of the sessions, in the same way.
        rule: None where there is a slot.
        why: in plain words; None where there is a slot.
    """

    adults: frozenset[str]
    kinds: frozenset[SessionType]
    skills: frozenset[str]
    rule: str | None = None
    why: str | None = None


def list_feasible_slots(supply: Supply, pin: Pin, block: Block) -> FeasibleSlots:
    """Returns the slots that fit a pin to an adult-led session.

    The rules are asked one after the other, and the first that leaves no slot is the one that is named.
    """
    if pin not in supply.slots:
        supply.slots[pin] = _find_feasible_slots(supply, pin, block)
    return supply.slots[pin]


def _find_feasible_slots(supply: Supply, pin: Pin, block: Block) -> FeasibleSlots:
    student = supply.students[pin.student]
    needs = supply.needs_of.get(student.id, [])
    slots = [
        LedSlot(adult, kind, skill)
        for adult in supply.problem.adults
        if pin.adult in (None, adult.id)
        for kind in ADULT_LED
        if pin.session_type in (None, kind)
        for skill in needs
        if pin.skill in (None, skill)
    ]
    present, usable = supply.present(block), supply.usable(block)
    excluded = {adult for name, adult in supply.problem.adult_exclusions if name == student.id}

    def has_enough_students(slot: LedSlot) -> bool:
        bound = supply.bounds.get(slot.session_type)
        return bound is not None and len(supply.needed_by[slot.skill] & present) >= bound.least

    def has_enough_of_one_aim(slot: LedSlot) -> bool:
        needing, aim = supply.needed_by[slot.skill] & present, supply.aims[student.id, slot.skill]
        alike = sum(supply.aims[other, slot.skill] is aim for other in needing)
        return alike >= supply.bounds[slot.session_type].least

    listed = any(pin.skill in (None, skill) for skill in needs)
    unlisted = "the skill asked for is not among the student's needs" if pin.skill else "the student has no need listed"
    excluding = "no adult there may lead the student"
    tests: tuple[tuple[str, str, Callable[[LedSlot], bool]], ...] = (
        ("eligibility", unlisted, lambda _: listed),
        ("block_skills", "the skill is not taught then", lambda slot: _is_held(block, slot.skill)),
        ("adult_available", "the adult is not there", lambda slot: block.id in slot.adult.blocks),
        ("supervision", "nobody who supervises is there with the trainee", lambda slot: slot.adult in usable),
        ("permission", "the adult may not lead such a session", lambda s: s.session_type in s.adult.session_types),
        ("qualified", "no adult there is qualified in the skill", lambda s: supply.taught(s.skill, [s.adult])),
        ("certified", "no adult there is certified", lambda s: s.adult.certified or not student.needs_certified),
        ("adult_exclusions", excluding, lambda slot: slot.adult.id not in excluded),
        ("group_size", "too few students who need the skill are there", has_enough_students),
        ("one_aim", "too few students who need the skill for the same aim are there", has_enough_of_one_aim),
        ("group_size", "the adult takes no group of that size", lambda s: supply.most(s.adult, s.session_type) > 0),
    )
    for rule, why, test in tests:
        slots = [slot for slot in slots if test(slot)]
        if not slots:
            adults = frozenset({pin.adult} if pin.adult else ())
            kinds = frozenset({pin.session_type} if pin.session_type else ())
            return FeasibleSlots(adults, kinds, frozenset({pin.skill} if pin.skill else ()), rule, why)
    return FeasibleSlots(
        adults=frozenset(slot.adult.id for slot in slots),
        kinds=frozenset(slot.session_type for slot in slots),
        skills=frozenset(slot.skill for slot in slots),
    )


def list_led_pins(supply: Supply, block: Block) -> list[tuple[Pin, FeasibleSlots]]:
    """Returns a block's pins to adult-led sessions of students who are there, with the slots that fit them."""
    return [
        (pin, list_feasible_slots(supply, pin, block))
        for pin in supply.problem.pins
        if pin.block == block.id and not pin.online and block.id in supply.students[pin.student].blocks
    ]
