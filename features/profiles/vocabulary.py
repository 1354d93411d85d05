"""Codes for items and skills, so that the kernel can work on arrays."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

NO_SKILL = ""
"""The node of items that no skill is known for; never an episode, never in a group."""

SEPARATOR = "\x1f"
"""Joins the skills of a combination into the name of its node."""

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Catalog:
    """Every known item and the skill node that it practises.

    A node is one skill, or the combination of skills that some items need together. A combination has a history of
    its own, and the histories of its members move with it.

    Attributes:
        items: Item ids; an item's code is its position.
        node_of_item: The node's code for each item.
        nodes: Names of nodes, a skill's id or the ids of a combination joined; code 0 is `NO_SKILL`.
        member_start: Where each node's members begin in `members`; one longer than `nodes`.
        members: Codes of the single skills that a node consists of; a single skill is its own only member.
    """

    items: "pd.Index[str]"
    node_of_item: Ints
    nodes: "pd.Index[str]"
    member_start: Ints
    members: Ints

    @property
    def is_combination(self) -> npt.NDArray[np.bool_]:
        """Whether each node stands for several skills."""
        return np.diff(self.member_start) > 1

    def skills_of(self, node: int) -> tuple[str, ...]:
        """The ids of the skills that a node consists of."""
        return tuple(self.nodes[self.members[self.member_start[node] : self.member_start[node + 1]]])

    def item_codes(self, item_ids: "pd.Series[Any]") -> Ints:
        """The code of each item id; -1 for a null.

        Raises:
            KeyError: An id is not in the catalog; extend it first.
        """
        unique_codes, unique_ids = pd.factorize(item_ids)
        codes = self.items.get_indexer(pd.Index(unique_ids, dtype="str")).astype(np.int32)
        if (codes < 0).any():
            raise KeyError("an item is not in the catalog")
        return np.where(unique_codes < 0, np.int32(-1), codes[unique_codes] if len(codes) else np.int32(-1))


def build_catalog(item_skills: pd.DataFrame, items: Iterable[str] = (), known: Catalog | None = None) -> Catalog:
    """The catalog of all items tagged or named, with stable codes for those already known.

    Args:
        item_skills: Rows of `ItemSkills`.
        items: Further item ids that may have no skill.
        known: A catalog whose codes must stay; what is new gets codes after them. Its items keep their nodes.

    Example:
        >>> tags = pd.DataFrame({"item_id": ["i", "i", "j"], "skill_id": ["b", "a", "a"]})
        >>> catalog = build_catalog(tags)
        >>> [catalog.skills_of(node) for node in catalog.node_of_item]
        [('a', 'b'), ('a',)]
    """
    tagged = item_skills.sort_values(["item_id", "skill_id"])
    combination = tagged.groupby("item_id", sort=True)["skill_id"].agg(SEPARATOR.join)
    names = dict(zip(combination.index, combination, strict=True))
    names |= {item: NO_SKILL for item in items if item not in names}
    old_items = [] if known is None else list(known.items)
    if known is not None:
        names |= dict(zip(known.items, known.nodes[known.node_of_item], strict=True))

    old_nodes = [NO_SKILL] if known is None else list(known.nodes)
    seen = set(old_nodes)
    new_names = set(names.values()) | set(tagged["skill_id"])
    new_names |= {skill for name in new_names if SEPARATOR in name for skill in name.split(SEPARATOR)}
    nodes = pd.Index(old_nodes + sorted(new_names - seen), dtype="str")
    all_items = pd.Index(old_items + sorted(names.keys() - set(old_items)), dtype="str")

    code_of = {name: code for code, name in enumerate(nodes)}
    parts = [[] if name == NO_SKILL else [code_of[skill] for skill in name.split(SEPARATOR)] for name in nodes]
    return Catalog(
        items=all_items,
        node_of_item=np.array([code_of[names[item]] for item in all_items], dtype=np.int32),
        nodes=nodes,
        member_start=np.cumsum([0, *map(len, parts)], dtype=np.int32),
        members=np.array([code for part in parts for code in part], dtype=np.int32),
    )
