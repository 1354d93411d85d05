"""What a simulated school teaches: skills in strands that build on each other, and an item bank."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from experiments.simulation.config import SchoolConfig

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]

NONE = -1
"""No second skill, or no prerequisite."""

STRANDS = ("Number", "Fractions", "Ratios", "Expressions", "Equations", "Functions", "Geometry", "Data", "Chance")


@dataclass(frozen=True)
class Curriculum:
    """Skills by number in teaching order, and items by number, those of one skill side by side.

    Attributes:
        strand: Strand of each skill.
        level: Place of each skill in its strand, from 0.
        requires: The skill before in the strand; `NONE` for the first.
        also_requires: A second prerequisite in another strand; `NONE` for most.
        skill_difficulty: In logits.
        item_start: First item of each skill; one more entry ends the last.
        item_both: First item of each skill that needs a second skill too; those come last.
        item_second: Second skill that the item needs; `NONE` for most.
        item_difficulty: In logits, the skill's own included.
    """

    strand: Ints
    level: Ints
    requires: Ints
    also_requires: Ints
    skill_difficulty: Floats
    item_start: Ints
    item_both: Ints
    item_second: Ints
    item_difficulty: Floats

    @property
    def skill_ids(self) -> list[str]:
        """Returns ids of the skills."""
        return [f"k{code + 1:03d}" for code in range(len(self.strand))]

    @property
    def item_skill(self) -> Ints:
        """First skill of each item."""
        return np.repeat(np.arange(len(self.strand)), np.diff(self.item_start))

    @property
    def item_ids(self) -> list[str]:
        """Returns ids of the items."""
        place = np.arange(len(self.item_second)) - self.item_start[self.item_skill]
        return [f"q{skill + 1:03d}-{number + 1:03d}" for skill, number in zip(self.item_skill, place, strict=True)]

    @property
    def item_skill_cells(self) -> list[str]:
        """Skills of each item in one cell, separated by semicolons."""
        ids = self.skill_ids
        pairs = zip(self.item_skill, self.item_second, strict=True)
        return [ids[first] if second == NONE else f"{ids[first]};{ids[second]}" for first, second in pairs]


def make_curriculum(config: SchoolConfig) -> Curriculum:
    """Returns the curriculum of the config's seed."""
    random = np.random.default_rng([config.seed, 1])
    behavior, count = config.behavior, config.skills
    number = np.arange(count)
    strand, level = number % config.strands, number // config.strands  # strands are taught side by side
    requires = np.where(level > 0, number - config.strands, NONE)
    earlier = number - 1  # the skill taught just before, always of another strand where there are several
    linked = (random.random(count) < 0.25) & (level > 0) & (earlier != requires)  # noqa: PLR2004 - a few
    # evenly spread in random order: with a few skills, chance would make some seeds' schools easy
    spread = np.array([NormalDist().inv_cdf((item + 0.5) / count) for item in random.permutation(count)])
    difficulty = behavior.skill_difficulty + behavior.skill_difficulty_sd * spread

    sizes = np.maximum(2, random.poisson(config.items_per_skill, count))
    start = np.concatenate([[0], np.cumsum(sizes)])
    skill = np.repeat(number, sizes)
    # each skill has one partner, taught a little earlier, so that combinations are skills worth counting
    partner = np.maximum(NONE, number - random.integers(1, 2 * config.strands + 1, count))
    shared = np.where(partner == NONE, 0, (config.two_skill_share * sizes).round().astype(np.int64))
    both = start[1:] - shared
    second = np.where(np.arange(len(skill)) >= both[skill], partner[skill], NONE)
    items = difficulty[skill] + behavior.item_difficulty_sd * random.standard_normal(len(skill))
    return Curriculum(strand, level, requires, np.where(linked, earlier, NONE), difficulty, start, both, second, items)
