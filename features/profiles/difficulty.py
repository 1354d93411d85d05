"""How hard items and skills are (target encoding of correctness): the only thing fitted across students."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.kernel import build_pair_table, build_transition_table
from features.profiles.rasch import RaschModel
from features.profiles.vocabulary import SEPARATOR, Vocabulary, build_vocabulary

ITEM_PRIOR = 10.0
"""Responses that an item's skill counts for when the item's own share is estimated."""

SKILL_PRIOR = 20.0
"""Responses that the whole log counts for when a skill's share is estimated."""

TRANSITION_PRIOR = 20.0
"""Responses that a skill's share counts for at a place of a run, and a place's share for a transition into it."""

PAIR_PRIOR = 15.0
"""Responses that the Rasch model counts for when the residual of an item pair is estimated."""

LEAST_PAIR = 3
"""An item pair of fewer responses is not kept: most pairs are, and they say next to nothing."""

Floats = npt.NDArray[np.float64]
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Transitions:
    """First attempts by what the student had worked on before: the order of a curriculum, seen in its traces.

    Attributes:
        key: Distinct values that `features.profiles.kernel.find_transitions` wrote, ascending.
        responses: First attempts per key.
        correct: Correct first attempts per key.
    """

    key: Offsets
    responses: Floats
    correct: Floats

    @classmethod
    def count(cls, key: Offsets, correct: npt.NDArray[np.bool_]) -> Self:
        """Counts the first attempts that have these keys."""
        found, code = np.unique(key, return_inverse=True)
        ones = np.ones(len(key))
        return cls(found, _add_up(code, ones, len(found)), _add_up(code, correct.astype(np.float64), len(found)))

    @property
    def node(self) -> Offsets:
        """The skill node that each key leads to."""
        return self.key >> 32

    @property
    def starts(self) -> Offsets:
        """1 where the key is the first response of a run on the node, else 0."""
        return self.key & 1

    def __sub__(self, other: Self) -> Self:
        """The counts without those of `other`, whose keys are all among these."""
        responses, correct = self.responses.copy(), self.correct.copy()
        at = np.searchsorted(self.key, other.key)
        responses[at] -= other.responses
        correct[at] -= other.correct
        return replace(self, responses=responses, correct=correct)


@dataclass(frozen=True)
class Pairs:
    """First attempts by item, the item answered before, and whether that was right: steps of one problem hang together.

    Attributes:
        key: Distinct values that `features.profiles.kernel.find_pairs` wrote, ascending; those of at least
            `LEAST_PAIR` responses.
        responses: First attempts per key.
        residual: Sum of what they were beyond the Rasch model's expectation.
    """

    key: Offsets
    responses: Floats
    residual: Floats

    @classmethod
    def count(cls, key: Offsets, residual: Floats) -> Self:
        """Adds up the first attempts that have these keys."""
        found, code, responses = np.unique(key, return_inverse=True, return_counts=True)
        kept = responses >= LEAST_PAIR
        sums = _add_up(code, residual, len(found))[kept]
        return cls(found[kept], responses[kept].astype(np.float64), sums.round(3))


NO_PAIRS = Pairs(np.empty(0, np.int64), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Statistics:
    """Counts of first attempts, and shares of correct ones shrunk item → skill → everything (target encoding).

    Attributes:
        vocabulary: What the positions of the arrays stand for.
        item_responses: First attempts per item.
        item_correct: Correct first attempts per item.
        transitions: First attempts by skill and the skill before it.
        rasch: The Rasch model of the same responses; without one, shares of correct answers stand in.
        pairs: Residuals of that model by item and item before; nothing without one.
        usual_share: Share of correct first attempts to expect where none was counted.
    """

    vocabulary: Vocabulary
    item_responses: Floats
    item_correct: Floats
    transitions: Transitions
    rasch: RaschModel | None = None
    pairs: Pairs = NO_PAIRS
    usual_share: float = 0.5

    def __sub__(self, other: Self) -> Self:
        """The counts without the responses that `other` counted: what one fold of students may see, not fitted yet."""
        return replace(
            self,
            item_responses=self.item_responses - other.item_responses,
            item_correct=self.item_correct - other.item_correct,
            transitions=self.transitions - other.transitions,
            rasch=None,
            pairs=NO_PAIRS,
        )

    @cached_property
    def global_mean(self) -> float:
        """The share of correct first attempts in the whole log; `usual_share` when nothing was seen."""
        return float((self.item_correct.sum() + 2 * self.usual_share) / (self.item_responses.sum() + 2))

    @cached_property
    def node_responses(self) -> Floats:
        """First attempts counted per skill node: those that practiced it, whatever else their items are about."""
        return _add_up(self.transitions.node, self.transitions.responses, len(self.vocabulary.nodes))

    @cached_property
    def node_mean(self) -> Floats:
        """Share of correct first attempts per skill node, shrunk to the whole log's."""
        correct = _add_up(self.transitions.node, self.transitions.correct, len(self.vocabulary.nodes))
        return (correct + SKILL_PRIOR * self.global_mean) / (self.node_responses + SKILL_PRIOR)

    @cached_property
    def item_mean(self) -> Floats:
        """Share of correct first attempts per item, shrunk to that of the skill that it mostly is about."""
        prior = self.node_mean[self.vocabulary.node_of_item]
        return (self.item_correct + ITEM_PRIOR * prior) / (self.item_responses + ITEM_PRIOR)

    @cached_property
    def rasch_item_logit(self) -> Floats:
        """Logit of a correct answer of an average student, per item."""
        return to_logit(self.item_mean) if self.rasch is None else self.rasch.item

    @cached_property
    def rasch_node_logit(self) -> Floats:
        """Logit of a correct answer of an average student, per skill node."""
        return to_logit(self.node_mean) if self.rasch is None else self.rasch.node

    @cached_property
    def place_mean(self) -> Floats:
        """Share of correct first attempts per node, within a run (0) and at its start (1), shrunk to the node's."""
        place = self.transitions.node * 2 + self.transitions.starts
        size = 2 * len(self.vocabulary.nodes)
        responses = _add_up(place, self.transitions.responses, size).reshape(-1, 2)
        correct = _add_up(place, self.transitions.correct, size).reshape(-1, 2)
        return (correct + TRANSITION_PRIOR * self.node_mean[:, None]) / (responses + TRANSITION_PRIOR)

    @cached_property
    def transition_mean(self) -> Floats:
        """Share of correct first attempts per key of `transitions`, shrunk to the place's."""
        counts = self.transitions
        prior = TRANSITION_PRIOR * self.place_mean[counts.node, counts.starts]
        return (counts.correct + prior) / (counts.responses + TRANSITION_PRIOR)

    @cached_property
    def item_level(self) -> Floats:
        """Per item as the kernel reads them: share correct, its logit, the Rasch model's logit, and the responses."""
        return np.column_stack([self.item_mean, to_logit(self.item_mean), self.rasch_item_logit, self.item_responses])

    @cached_property
    def transition_table(self) -> tuple[Offsets, Floats, Floats]:
        """The kernel's hash table of transitions with its logits, and the logits per node and place."""
        place_ease = to_logit(self.place_mean)
        table = build_transition_table(self.transitions.key, to_logit(self.transition_mean), place_ease)
        return *table, place_ease

    @cached_property
    def pair_table(self) -> npt.NDArray[np.void]:
        """The kernel's hash table of item pairs: mean residuals, shrunk to none, and counts."""
        pairs, shrunk = self.pairs, self.pairs.residual / (self.pairs.responses + PAIR_PRIOR)
        table: npt.NDArray[np.void] = build_pair_table(pairs.key, shrunk, pairs.responses)
        return table

    def extend(
        self, item_skills: pd.DataFrame, items: "pd.Series[Any]", skills: "pd.Series[Any] | None" = None
    ) -> Self:
        """The same statistics over a vocabulary that also knows new items and skills, at their priors.

        Args:
            item_skills: Rows of `ItemSkills`.
            items: Ids of items, as in `Events.item_id`.
            skills: The skills of the response in the same place of `items`, as in `Events.skills`.
        """
        responses = None if skills is None else pd.DataFrame({"item_id": items, "skills": skills})
        return self.over(build_vocabulary(item_skills, items.dropna().unique(), self.vocabulary, responses))

    def over(self, vocabulary: Vocabulary) -> Self:
        """The same statistics over a vocabulary that begins with their own; what comes after is at its prior."""
        missing = len(vocabulary.items) - len(self.item_responses)
        rasch = self.rasch
        if rasch is not None:
            new_nodes = len(vocabulary.nodes) - len(rasch.node)
            node = np.pad(rasch.node, (0, new_nodes), constant_values=rasch.overall)
            new_items = node[vocabulary.node_of_item[len(rasch.item) :]]
            rasch = RaschModel(np.concatenate([rasch.item, new_items]), node, rasch.overall)
        return replace(
            self,
            vocabulary=vocabulary,
            rasch=rasch,
            item_responses=np.pad(self.item_responses, (0, missing)),
            item_correct=np.pad(self.item_correct, (0, missing)),
        )

    def without_ids(self) -> "Statistics":
        """What these statistics say of items and skills that they have never seen: for a log with others."""
        rasch = self.rasch and RaschModel(np.empty(0), np.array([self.rasch.overall]), self.rasch.overall)
        return replace(empty_statistics(self.global_mean), rasch=rasch)

    def to_json(self) -> dict[str, Any]:
        """Plain lists that `from_json` turns back into equal statistics."""
        rasch, vocabulary, transitions, pairs = self.rasch, self.vocabulary, self.transitions, self.pairs
        return {
            "usual_share": self.usual_share,
            "rasch": rasch and {"item": rasch.item.tolist(), "node": rasch.node.tolist(), "overall": rasch.overall},
            "nodes": [list(vocabulary.skills_of(node)) for node in range(len(vocabulary.nodes))],
            "items": vocabulary.items.tolist(),
            "node_of_item": vocabulary.node_of_item.tolist(),
            "item_responses": self.item_responses.tolist(),
            "item_correct": self.item_correct.tolist(),
            "transition_key": transitions.key.tolist(),
            "transition_responses": transitions.responses.tolist(),
            "transition_correct": transitions.correct.tolist(),
            "pair_key": pairs.key.tolist(),
            "pair_responses": pairs.responses.tolist(),
            "pair_residual": pairs.residual.tolist(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The statistics that `to_json` wrote."""
        vocabulary = Vocabulary(
            pd.Index(stored["items"], dtype="str"),
            np.array(stored["node_of_item"], np.int32),
            pd.Index([SEPARATOR.join(skills) for skills in stored["nodes"]], dtype="str"),
        )
        responses, correct = (np.array(stored[f"item_{what}"], float) for what in ("responses", "correct"))
        by_key = (np.array(stored[f"transition_{what}"], float) for what in ("responses", "correct"))
        transitions = Transitions(np.array(stored["transition_key"], np.int64), *by_key)
        sums = (np.array(stored[f"pair_{what}"], float) for what in ("responses", "residual"))
        pairs = Pairs(np.array(stored["pair_key"], np.int64), *sums)
        fitted = stored["rasch"]
        rasch = fitted and RaschModel(np.array(fitted["item"]), np.array(fitted["node"]), fitted["overall"])
        return cls(vocabulary, responses, correct, transitions, rasch, pairs, float(stored.get("usual_share", 0.5)))


def fit_statistics(
    vocabulary: Vocabulary,
    item: npt.NDArray[np.int32],
    correct: npt.NDArray[np.bool_],
    transition: Offsets | None = None,
) -> Statistics:
    """Counts first attempts per item and per transition.

    Args:
        vocabulary: What the item codes stand for.
        item: Item code of each first attempt that may be seen.
        correct: Whether each first attempt was correct.
        transition: The transition that each first attempt is part of, from `features.profiles.kernel.find_transitions`;
            without it, each counts as the first of all, on what its item mostly is about.

    Example:
        >>> vocabulary = build_vocabulary(pd.DataFrame({"item_id": ["i"], "skill_id": ["s"]}))
        >>> statistics = fit_statistics(vocabulary, np.zeros(30, np.int32), np.ones(30, bool))
        >>> round(float(statistics.item_mean[0]), 3)
        0.997
    """
    size = len(vocabulary.items)
    responses, right = _add_up(item, np.ones(len(item)), size), _add_up(item, correct.astype(np.float64), size)
    if transition is None:
        transition = vocabulary.node_of_item[item].astype(np.int64) << 32 | 1
    return Statistics(vocabulary, responses, right, Transitions.count(transition, correct))


def empty_statistics(usual_share: float = 0.5) -> Statistics:
    """Statistics that know no item and no skill."""
    nothing = pd.DataFrame({"item_id": [], "skill_id": []}, dtype="str")
    empty = fit_statistics(build_vocabulary(nothing), np.empty(0, np.int32), np.empty(0, bool))
    return replace(empty, usual_share=usual_share)


def to_logit(share: Floats) -> Floats:
    """Logits of shares between 0 and 1."""
    return np.log(share / (1.0 - share))


def _add_up(codes: npt.NDArray[np.integer[Any]], values: Floats, size: int) -> Floats:
    return np.bincount(codes, weights=values, minlength=size).astype(np.float64)
