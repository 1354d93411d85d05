"""Integer codes of items and of the knowledge components that they practice, so that the kernel works on arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.logs.rows import SKILL_MARK

NO_SKILL = ""
"""The node of responses whose skills are unknown; never an episode, never in a group."""

SEPARATOR = SKILL_MARK
"""Joins the skills of a combination into the name of its node, which is so the `skills` of its responses."""

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Vocabulary:
    """Every known item and node (knowledge component).

    A node is one skill, or the combination of skills that some responses need together. A combination has a history of
    its own, and the histories of its members move with it.

    Attributes:
        items: Item ids; an item's code is its position.
        node_of_item: The node that most responses to each item practice: also that of responses which name no skill.
        nodes: Names of nodes, a skill's id or the ids of a combination joined; code 0 is `NO_SKILL`.
    """

    items: "pd.Index[str]"
    node_of_item: Ints
    nodes: "pd.Index[str]"

    @cached_property
    def member_start(self) -> Ints:
        """Where each node's members begin in `members`; one longer than `nodes`."""
        return np.cumsum([0, *map(len, self._skills)], dtype=np.int32)

    @cached_property
    def members(self) -> Ints:
        """Codes of the single skills that each node consists of; a single skill is its own only member."""
        code_of = {name: code for code, name in enumerate(self.nodes.tolist())}
        return np.array([code_of[skill] for skills in self._skills for skill in skills], dtype=np.int32)

    @property
    def is_combination(self) -> npt.NDArray[np.bool_]:
        """Whether each node stands for several skills."""
        return np.diff(self.member_start) > 1

    @cached_property
    def is_skill(self) -> npt.NDArray[np.bool_]:
        """Whether each node stands for one skill."""
        return np.array([len(skills) == 1 for skills in self._skills], bool)

    @cached_property
    def names(self) -> npt.NDArray[np.object_]:
        """The nodes, as an array."""
        return self.nodes.to_numpy(dtype=object)

    @cached_property
    def rank(self) -> npt.NDArray[np.int64]:
        """The place of each node in the order of their names."""
        return np.argsort(np.argsort(self.names.astype(str)))

    @property
    def skills(self) -> Sequence[tuple[str, ...]]:
        """The ids of the skills that each node consists of."""
        return self._skills

    def skills_of(self, node: int) -> tuple[str, ...]:
        """The ids of the skills that a node consists of."""
        return self._skills[node]

    def encode(self, item_ids: "pd.Series[Any]") -> Ints:
        """The code of each item id; -1 for a null.

        Raises:
            KeyError: An id is not in the vocabulary; extend it first.
        """
        unique_codes, unique_ids = pd.factorize(item_ids)
        codes = self.items.get_indexer(pd.Index(unique_ids, dtype="str")).astype(np.int32)
        if (codes < 0).any():
            raise KeyError("an item is not in the vocabulary")
        return np.where(unique_codes < 0, np.int32(-1), codes[unique_codes] if len(codes) else np.int32(-1))

    def encode_skills(self, skills: "pd.Series[Any]", item: Ints) -> Ints:
        """The node that each response practices: that of its own skills or, where it names none, of its item.

        Args:
            skills: `Events.skills` of each response.
            item: Code of its item; where that is -1, so is the node.

        Raises:
            KeyError: The skills of a response are not in the vocabulary; extend it first.
        """
        unique_codes, unique_names = pd.factorize(skills)
        codes = self.nodes.get_indexer(pd.Index(unique_names, dtype="str"))
        own = np.append(codes, -1)[unique_codes]
        named = (unique_codes >= 0) & (item >= 0)
        if (own[named] < 0).any():
            raise KeyError("the skills of a response are not in the vocabulary")
        return np.where(named, own, np.append(self.node_of_item, -1)[item]).astype(np.int32)

    def encode_response(self, item_id: str | None, skills: str | None) -> tuple[int, int]:
        """The codes of one response, as `encode` and `encode_skills` give them for many.

        Raises:
            KeyError: The item or the skills are not in the vocabulary; extend it first.
        """
        if item_id is None:
            return -1, -1
        item = cast("int", self.items.get_loc(item_id))  # ids are distinct
        node = self.node_of_item[item] if skills is None else cast("int", self.nodes.get_loc(skills))
        return item, int(node)

    @cached_property
    def _skills(self) -> list[tuple[str, ...]]:
        return [() if name == NO_SKILL else tuple(name.split(SEPARATOR)) for name in self.nodes.tolist()]


def build_vocabulary(
    item_skills: pd.DataFrame,
    items: Iterable[str] = (),
    known: Vocabulary | None = None,
    responses: pd.DataFrame | None = None,
) -> Vocabulary:
    """The vocabulary of all items tagged or named, with stable codes for those already known.

    An item practices what most of its responses say that they do, and what the catalog says where none says anything.

    Args:
        item_skills: Rows of `ItemSkills`.
        items: Further item ids that may have no skill.
        known: A vocabulary whose codes must stay; new items and nodes get codes after them. Its items keep their nodes.
        responses: `item_id` and `skills` of responses, as `count_skills` takes them.

    Example:
        >>> tags = pd.DataFrame({"item_id": ["i", "i", "j"], "skill_id": ["b", "a", "a"]})
        >>> vocabulary = build_vocabulary(tags)
        >>> [vocabulary.skills_of(node) for node in vocabulary.node_of_item]
        [('a', 'b'), ('a',)]
    """
    tagged = item_skills.sort_values(["item_id", "skill_id"])
    node_of: dict[str, str] = {}
    for item, skill in zip(tagged["item_id"].tolist(), tagged["skill_id"].tolist(), strict=True):
        node_of[item] = f"{node_of[item]}{SEPARATOR}{skill}" if item in node_of else skill
    node_of |= {item: NO_SKILL for item in items if item not in node_of}
    named = count_skills(pd.DataFrame({"item_id": [], "skills": []}, dtype="str") if responses is None else responses)
    node_of |= usual_skills(named)
    old_items: list[str] = [] if known is None else known.items.tolist()
    old_nodes = [NO_SKILL] if known is None else known.nodes.tolist()
    if known is not None:
        node_of |= dict(zip(old_items, known.nodes[known.node_of_item].tolist(), strict=True))

    names = set(node_of.values()) | set(tagged["skill_id"]) | set(named["skills"])
    names |= {skill for name in names if SEPARATOR in name for skill in name.split(SEPARATOR)}
    nodes = old_nodes + sorted(names - set(old_nodes))
    all_items = old_items + sorted(node_of.keys() - set(old_items))
    code_of = {name: code for code, name in enumerate(nodes)}
    node_of_item = np.array([code_of[node_of[item]] for item in all_items], dtype=np.int32)
    return Vocabulary(pd.Index(all_items, dtype="str"), node_of_item, pd.Index(nodes, dtype="str"))


def count_skills(responses: pd.DataFrame) -> pd.DataFrame:
    """How many responses to each item name which skills: `item_id`, `skills`, `responses`; nulls are not counted.

    Args:
        responses: `item_id` and `skills` of responses, as in `Events`; with `responses`, a row stands for so many.
    """
    if "responses" in responses:
        return responses.groupby(["item_id", "skills"], sort=True)["responses"].sum().reset_index()
    return responses.groupby(["item_id", "skills"], sort=True).size().rename("responses").reset_index()


def usual_skills(counts: pd.DataFrame) -> dict[str, str]:
    """The skills that most responses to each item name; of equally many, the first in the alphabet.

    Args:
        counts: From `count_skills`.

    Example:
        >>> usual_skills(count_skills(pd.DataFrame({"item_id": ["i", "i", "i"], "skills": ["b", "a", "b"]})))
        {'i': 'b'}
    """
    most = counts.sort_values("responses", ascending=False, kind="stable").drop_duplicates("item_id")
    return dict(zip(most["item_id"], most["skills"], strict=True))
