"""How hard items and skills are: the only thing fitted across students."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalog import SEPARATOR, Catalog, build_catalog

ITEM_PRIOR = 10.0
"""Responses that an item's skill counts for when the item's own share is estimated."""

SKILL_PRIOR = 20.0
"""Responses that the whole log counts for when a skill's share is estimated."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Statistics:
    """Shares of correct first attempts, shrunk item → skill → everything.

    Attributes:
        catalog: What the positions of the arrays stand for.
        item_responses: First attempts counted per item.
        item_correct: Correct ones of them.
    """

    catalog: Catalog
    item_responses: Floats
    item_correct: Floats

    def __sub__(self, other: Self) -> Self:
        """The statistics without the responses that `other` counted: what one fold of students may see."""
        return replace(
            self,
            item_responses=self.item_responses - other.item_responses,
            item_correct=self.item_correct - other.item_correct,
        )

    @property
    def global_mean(self) -> float:
        """The share of correct first attempts in the whole log; one half when nothing was seen."""
        return float((self.item_correct.sum() + 1) / (self.item_responses.sum() + 2))

    @property
    def node_responses(self) -> Floats:
        """First attempts counted per skill node."""
        return self._sum_by_node(self.item_responses)

    @property
    def node_mean(self) -> Floats:
        """Share of correct first attempts per skill node, shrunk to the whole log's."""
        correct = self._sum_by_node(self.item_correct)
        return (correct + SKILL_PRIOR * self.global_mean) / (self.node_responses + SKILL_PRIOR)

    @property
    def item_mean(self) -> Floats:
        """Share of correct first attempts per item, shrunk to its skill's."""
        prior = self.node_mean[self.catalog.node_of_item]
        return (self.item_correct + ITEM_PRIOR * prior) / (self.item_responses + ITEM_PRIOR)

    def extend(self, item_skills: pd.DataFrame, items: "pd.Series[Any]") -> Self:
        """The same statistics over a catalog that also knows new items and skills, at their priors."""
        catalog = build_catalog(item_skills, items.dropna().unique(), known=self.catalog)
        missing = len(catalog.items) - len(self.item_responses)
        return replace(
            self,
            catalog=catalog,
            item_responses=np.pad(self.item_responses, (0, missing)),
            item_correct=np.pad(self.item_correct, (0, missing)),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain lists that `from_json` turns back into equal statistics."""
        return {
            "nodes": [list(self.catalog.skills_of(node)) for node in range(len(self.catalog.nodes))],
            "items": list(self.catalog.items),
            "node_of_item": self.catalog.node_of_item.tolist(),
            "item_responses": self.item_responses.tolist(),
            "item_correct": self.item_correct.tolist(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The statistics that `to_json` wrote."""
        position = {tuple(skills): code for code, skills in enumerate(stored["nodes"])}
        members = [[position[(skill,)] for skill in skills] for skills in stored["nodes"]]
        catalog = Catalog(
            items=pd.Index(stored["items"], dtype="str"),
            node_of_item=np.array(stored["node_of_item"], dtype=np.int32),
            nodes=pd.Index([SEPARATOR.join(skills) for skills in stored["nodes"]], dtype="str"),
            member_start=np.cumsum([0, *map(len, members)], dtype=np.int32),
            members=np.array([code for part in members for code in part], dtype=np.int32),
        )
        return cls(catalog, np.array(stored["item_responses"], float), np.array(stored["item_correct"], float))

    def _sum_by_node(self, per_item: Floats) -> Floats:
        return _add_up(self.catalog.node_of_item, per_item, len(self.catalog.nodes))


def fit_statistics(catalog: Catalog, item: npt.NDArray[np.int32], correct: npt.NDArray[np.bool_]) -> Statistics:
    """Counts first attempts per item.

    Args:
        catalog: What the item codes stand for.
        item: Item code of each first attempt of the students that may be seen.
        correct: Whether each was correct.

    Example:
        >>> catalog = build_catalog(pd.DataFrame({"item_id": ["i"], "skill_id": ["s"]}))
        >>> statistics = fit_statistics(catalog, np.zeros(30, np.int32), np.ones(30, bool))
        >>> round(float(statistics.item_mean[0]), 3)
        0.997
    """
    size = len(catalog.items)
    return Statistics(
        catalog=catalog,
        item_responses=_add_up(item, np.ones(len(item)), size),
        item_correct=_add_up(item, correct.astype(np.float64), size),
    )


def _add_up(codes: npt.NDArray[np.int32], values: Floats, size: int) -> Floats:
    return np.bincount(codes, weights=values, minlength=size).astype(np.float64)
