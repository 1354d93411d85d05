"""Counts what a problem has: who is there, who needs what, how many students an adult takes at once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from serving.grouping.problem.people import Adult
from serving.grouping.problem.places import Block, Pin, Room
from serving.grouping.problem.policy import ADULT_LED, SessionType, SizeBound
from serving.grouping.problem.problem import Problem


class Supply:
    """What a problem has, counted: who is there, what they need, how many an adult can take at once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._present: dict[str, frozenset[str]] = {}
        self._needing: dict[str, dict[str, int]] = {}
        self._takers: dict[tuple[str, tuple[str, ...]], int] = {}
        self._loads: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        self.students = {student.id: student for student in problem.students}
        self.adults = {adult.id: adult for adult in problem.adults}
        self.bounds: dict[SessionType, SizeBound] = {bound.session_type: bound for bound in problem.sizes}

    @cached_property
    def needed_by(self) -> dict[str, set[str]]:
        """Students per skill, who may meet it today."""
        by: dict[str, set[str]] = {}
        for need in self.problem.open_needs():
            by.setdefault(need.skill, set()).add(need.student)
        return by

    def present(self, block: Block) -> frozenset[str]:
        """Students in a block."""
        if block.id not in self._present:
            here = frozenset(student.id for student in self.problem.students if block.id in student.blocks)
            self._present[block.id] = here
        return self._present[block.id]

    def usable(self, block: Block) -> list[Adult]:
        """Adults who can have a duty in a block: trainees only where a supervising adult is there too."""
        here = self.there(block)
        supervised = any(adult.supervisor for adult in here)
        return [adult for adult in here if supervised or not adult.trainee]

    def there(self, block: Block) -> list[Adult]:
        """Adults in a block, whether or not a trainee may work then."""
        return [adult for adult in self.problem.adults if block.id in adult.blocks]

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
        if session_type is not SessionType.COLLABORATIVE and adult.max_group is not None:
            most = min(most, adult.max_group)
        return most if most >= bound.least else 0

    def led_at_most(self, block: Block, leads: int) -> int:
        """An upper bound on students in led sessions of a block with that many leads."""
        return self.led_by(block, leads, self.usable(block))

    def led_by(self, block: Block, leads: int, adults: list[Adult]) -> int:
        """The same where these are the adults."""
        return min(self.takers(block, adults), self.seats(block, adults, leads))

    def takers(self, block: Block, adults: list[Adult]) -> int:
        """How many students in a block need a skill that one of the adults leads, and are not pinned to online work."""
        key = block.id, tuple(adult.id for adult in adults)
        if key not in self._takers:
            taught = [students for skill, students in self.needed_by.items() if self.taught(skill, adults)]
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
        needing = self.needing(block)
        known = needing if adult.skills is None else adult.skills
        likeliest = max((needing.get(skill, 0) for skill in known), default=0)
        return min(likeliest, max((self.most(adult, kind) for kind in ADULT_LED), default=0))

    def needing(self, block: Block) -> dict[str, int]:
        """How many in a block need each skill."""
        if block.id not in self._needing:
            present = self.present(block)
            self._needing[block.id] = {skill: len(who & present) for skill, who in self.needed_by.items()}
        return self._needing[block.id]

    @staticmethod
    def taught(skill: str, adults: list[Adult]) -> bool:
        """Whether any of the adults may lead a skill."""
        return any(adult.skills is None or skill in adult.skills for adult in adults)


CAPPED = "the student has been in catch-up groups for as many days in a row as the cap allows"


class Place(NamedTuple):
    """A led session, by its parts."""

    adult: Adult
    session_type: SessionType
    skill: str


@dataclass(frozen=True, slots=True)
class FeasibleSlots:
    """Where a pinned student could sit, each place taken alone; without any, the rule in the way and why.

    Attributes:
        adults: ids of those who could lead it; the one named where there is no place. `kinds` and `skills` likewise.
    """

    places: tuple[Place, ...]
    adults: frozenset[str]
    kinds: frozenset[SessionType]
    skills: frozenset[str]
    rule: str | None = None
    why: str | None = None


def list_feasible_slots(supply: Supply, pin: Pin, block: Block) -> FeasibleSlots:
    """Returns the places that fit a pin to a led session.

    The rules are asked one after the other, and the first that leaves no place is the one that is named.
    """
    student = supply.students[pin.student]
    mine = [need.skill for need in supply.problem.needs if need.student == student.id]
    places = [
        Place(adult, kind, skill)
        for adult in supply.problem.adults
        for kind in ADULT_LED
        for skill in mine
        if pin.adult in (None, adult.id) and pin.session_type in (None, kind) and pin.skill in (None, skill)
    ]
    present, usable = supply.present(block), supply.usable(block)

    def enough(place: Place) -> bool:
        bound = supply.bounds.get(place.session_type)
        return bound is not None and len(supply.needed_by[place.skill] & present) >= bound.least

    listed = any(pin.skill in (None, skill) for skill in mine)
    unlisted = "the skill asked for is not among the student's needs" if pin.skill else "the student has no need listed"
    tests: tuple[tuple[str, str, Callable[[Place], bool]], ...] = (
        ("eligibility", unlisted, lambda _: listed),
        ("catch_up_days", CAPPED, lambda place: student.id in supply.needed_by.get(place.skill, ())),
        ("adult_available", "the adult is not there", lambda place: block.id in place.adult.blocks),
        ("supervision", "nobody who supervises is there with the trainee", lambda place: place.adult in usable),
        ("permission", "the adult may not lead such a session", lambda p: p.session_type in p.adult.session_types),
        ("qualified", "no adult there is qualified in the skill", lambda p: supply.taught(p.skill, [p.adult])),
        ("certified", "no adult there is certified", lambda p: p.adult.certified or not student.needs_certified),
        ("group_size", "too few students who need the skill are there", enough),
        ("group_size", "the adult takes no group of that size", lambda p: supply.most(p.adult, p.session_type) > 0),
    )
    for rule, why, test in tests:
        places = [place for place in places if test(place)]
        if not places:
            named = frozenset({pin.adult} if pin.adult else ())
            skills = frozenset({pin.skill} if pin.skill else ())
            return FeasibleSlots(
                (), named, frozenset({pin.session_type} if pin.session_type else ()), skills, rule, why
            )
    return FeasibleSlots(
        places=tuple(places),
        adults=frozenset(place.adult.id for place in places),
        kinds=frozenset(place.session_type for place in places),
        skills=frozenset(place.skill for place in places),
    )


def led_pins(supply: Supply, block: Block) -> list[tuple[Pin, FeasibleSlots]]:
    """Returns a block's pins to led sessions of students who are there, with the places that fit them."""
    return [
        (pin, list_feasible_slots(supply, pin, block))
        for pin in supply.problem.pins
        if pin.block == block.id and not pin.online and block.id in supply.students[pin.student].blocks
    ]
