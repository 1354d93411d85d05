"""Rotation alone: social golfers whose groups, sizes and rounds are known to allow that nobody meets twice."""

import time
from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from serving.grouping.rotation.rotate import Rotation, rotate_groups

GOLFERS = ((5, 3, 7), (7, 3, 9), (8, 4, 7), (8, 5, 6), (10, 3, 13), (10, 4, 10), (15, 4, 14), (8, 4, 8), (8, 4, 9))
"""Groups, students of each, rounds."""

SECONDS = 5.0
"""CPU time of one."""


@dataclass(frozen=True, slots=True)
class Golfers:
    """One instance: `repeats` and `cpu_s` of the groups found, and whether they are groups at all."""

    name: str
    repeats: int
    cpu_s: float
    sound: bool


def measure_golfers(seconds: float = SECONDS) -> list[Golfers]:
    """Searches each of `GOLFERS`, and counts who meets whom without the search's own code."""
    rotate_groups([str(at) for at in range(7)], [3, 2, 2], 3, swaps=1)  # compiles
    return [_measure(*golfers, seconds) for golfers in GOLFERS]


def count_repeats(rotation: Rotation) -> int:
    """Meetings of two students beyond their first."""
    met = Counter(pair for groups in rotation.rounds for group in groups for pair in combinations(sorted(group), 2))
    return sum(times - 1 for times in met.values())


def _measure(groups: int, size: int, rounds: int, seconds: float) -> Golfers:
    students = [f"{at:03}" for at in range(groups * size)]
    began = time.process_time()
    rotation = rotate_groups(students, [size] * groups, rounds, seconds=seconds)
    spent = time.process_time() - began
    sound = len(rotation.rounds) == rounds and all(
        sorted(student for group in each for student in group) == students and {len(group) for group in each} == {size}
        for each in rotation.rounds
    )
    return Golfers(f"{groups}-{size}-{rounds}", count_repeats(rotation), spent, sound)
