"""The order in which the product gives skills, as everybody's answers show it: what usually comes next."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from features.logs.rows import SKILL_MARK
from features.profiles.difficulty import Statistics

FEW = 5.0
"""Runs of practice by which shares are shrunk towards none: after a skill that few left, little is known."""

LOOKED_BACK, FADING = 4, 0.8
"""Skills before the last one that say what comes next too, and how much less each than the one after it."""

GO_ON, GO_ON_FADING = 0.4, 0.8
"""How likely the skill that was practiced last is gone on with, and how much less each before it."""


@dataclass(frozen=True)
class ProductOrder:
    """What was practiced after what; the numbers above were chosen with `benchmark playlist --choose`.

    Attributes:
        after: For each skill, the share of runs of practice after one on it that were on each other skill, 0-1.
    """

    after: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, statistics: Statistics) -> Self:
        """Reads the order from the transitions that the statistics counted."""
        moves, names = statistics.transitions, statistics.vocabulary.names
        begun = moves.starts == 1
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        before = ((moves.key[begun] & 0xFFFFFFFF) >> 1) - 1
        for source, target, runs in zip(
            before.tolist(), moves.node[begun].tolist(), moves.responses[begun].tolist(), strict=True
        ):
            if source >= 0 and SKILL_MARK not in names[target] and names[target]:
                counts[names[source]][names[target]] += runs
        return cls(
            {
                skill: {target: runs / (found.total() + FEW) for target, runs in found.items()}
                for skill, found in counts.items()
            }
        )

    def weigh_next(self, recent: Sequence[str]) -> dict[str, float]:
        """How likely each skill comes next, as a weight of 0 or more.

        Args:
            recent: Skills that the student practiced, the latest first.

        Example:
            >>> weights = ProductOrder({"add": {"carry": 0.5}}).weigh_next(["add"])
            >>> sorted(weights.items())
            [('add', 0.4), ('carry', 0.5)]
        """
        weights: dict[str, float] = defaultdict(float)
        for back, skill in enumerate(recent[:LOOKED_BACK]):
            for target, share in self.after.get(skill, {}).items():
                weights[target] += FADING**back * share
        for back, skill in enumerate(recent):
            weights[skill] += GO_ON * GO_ON_FADING**back
        return dict(weights)
