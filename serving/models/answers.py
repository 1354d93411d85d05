"""Which items each student answered, and whether the latest answer was right: what a group can be taught from."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.bundle import MANIFEST, file_hash
from features.errors import RegroupError
from features.profiles.difficulty import Statistics
from features.profiles.kernel import Item
from features.profiles.state import State
from features.publications import read_publication

logger = logging.getLogger("regroup")

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class ItemAnswers:
    """The latest first attempt of each student at each item.

    Attributes:
        items: Item ids; an item's code is its position.
        node: Position in `nodes` of what each item practices.
        nodes: Skills that are practiced together; empty where they are unknown.
        share: Share of right first attempts of each item, shrunk to that of its skill, 0-1.
        position: Number of each student in `start`.
        start: Where each student's items begin; one longer than there are students.
        item: Code of the item of each row.
        right: Whether the latest first attempt at it was right.
        published: How many of the items the night knew; null for all. A later one counts for its own answerers only,
            since any caller may name items.
    """

    items: "pd.Index[str]"
    node: npt.NDArray[np.integer[Any]]
    nodes: Sequence[tuple[str, ...]]
    share: npt.NDArray[np.float64]
    position: dict[str, int]
    start: npt.NDArray[np.int64]
    item: Ints
    right: npt.NDArray[np.bool_]
    published: int | None = None

    @classmethod
    def from_state(cls, state: State, statistics: Statistics, published: int | None = None) -> Self:
        """Takes the answers that a state holds, with the statistics that it was folded with."""
        vocabulary = statistics.vocabulary
        return cls(
            items=vocabulary.items,
            node=vocabulary.node_of_item,
            nodes=vocabulary.skills,
            share=statistics.item_mean,
            position={student: at for at, student in enumerate(state.students)},
            start=state.item_start,
            item=state.item_code,
            right=state.item[:, Item.LAST_CORRECT] > 0,
            published=published,
        )

    @classmethod
    def read(cls, folder: Path, digest: str) -> Self | None:
        """Reads the answers of published profiles; None where these are gone.

        Args:
            folder: Holds the profiles.
            digest: Hash of their manifest when they were loaded.
        """
        try:
            published = read_publication(folder)
            replaced = file_hash(folder / MANIFEST) != digest
        except (RegroupError, OSError) as error:
            logger.warning("answers to items: cannot be read (%s)", type(error).__name__)
            return None
        return None if replaced else cls.from_state(published.state, published.statistics)

    def items_of(self, skill: str) -> Ints:
        """Returns the codes of the items that practice a skill, alone or with others."""
        practiced = np.array([skill in skills for skills in self.nodes], bool)[self.node]
        if self.published is not None:
            answered = np.zeros(len(self.items), bool)
            answered[self.item] = True
            practiced[self.published :] &= answered[self.published :]
        return np.flatnonzero(practiced).astype(np.int32)

    @property
    def nbytes(self) -> int:
        """How many bytes the answers take; not the items and skills, which all answers since a night share."""
        return self.start.nbytes + self.item.nbytes + self.right.nbytes

    def skills_of(self, item: int) -> tuple[str, ...]:
        """Returns the skills that an item practices."""
        skills: tuple[str, ...] = self.nodes[int(self.node[item])]
        return skills

    def answered(self, student: str) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Returns the codes of the items that a student answered, and whether the latest answer to each was right."""
        at = self.position.get(student)
        rows = slice(0, 0) if at is None else slice(int(self.start[at]), int(self.start[at + 1]))
        return self.item[rows], self.right[rows]
