"""Counts what a problem has: who is there, who needs what, how many students an adult takes at once."""

from functools import cached_property

from serving.grouping.people import Adult
from serving.grouping.places import Block, Room
from serving.grouping.policy import LED, Modality, SizeBound
from serving.grouping.problem import Problem


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
        self.bounds: dict[Modality, SizeBound] = {bound.modality: bound for bound in problem.sizes}

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

    def most(self, adult: Adult, modality: Modality) -> int:
        """The most students an adult can take in one session of a kind."""
        bound = self.bounds.get(modality)
        if bound is None or modality not in adult.modalities:
            return 0
        most = bound.most * bound.tables
        if modality is not Modality.COLLABORATIVE and adult.max_group is not None:
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
        return min(likeliest, max((self.most(adult, kind) for kind in LED), default=0))

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
