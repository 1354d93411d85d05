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

    def present(self, block: Block) -> set[str]:
        """Students in a block."""
        return {student.id for student in self.problem.students if block.id in student.blocks}

    def usable(self, block: Block) -> list[Adult]:
        """Adults who can have a duty in a block: trainees only where a supervising adult is there too."""
        here = [adult for adult in self.problem.adults if block.id in adult.blocks]
        supervised = any(adult.supervisor for adult in here)
        return [adult for adult in here if supervised or not adult.trainee]

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
        adults = self.usable(block)
        taught = {s for skill, students in self.needed_by.items() for s in students if self.taught(skill, adults)}
        online = {pin.student for pin in self.problem.pins if pin.block == block.id and pin.online}
        seats = sorted((max((self.most(a, kind) for kind in LED), default=0) for a in adults), reverse=True)
        return min(len(taught & self.present(block) - online), sum(seats[:leads]))

    @staticmethod
    def taught(skill: str, adults: list[Adult]) -> bool:
        """Whether any of the adults may lead a skill."""
        return any(adult.skills is None or skill in adult.skills for adult in adults)
