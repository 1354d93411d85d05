"""What every peer learns from and forecasts: the first attempts of some students, in order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from features.profiles.timeline import Timeline
from features.profiles.vocabulary import Vocabulary

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Answers = npt.NDArray[np.int8]

WEIGHT = 10.0
"""A share is drawn to the overall share as if by so many more responses."""


@dataclass(frozen=True)
class Responses:
    """First attempts by student and then in order, one entry per response.

    Attributes:
        student: Code of the student; equal codes are contiguous.
        item: Code of the item, from 0.
        skill: Code of the item's skill, from 0.
        correct: 1 if the answer was correct, else 0.
        items: Number of item codes.
        skills: Number of skill codes.
    """

    student: Ints
    item: Codes
    skill: Codes
    correct: Answers
    items: int
    skills: int


def to_responses(timeline: Timeline, vocabulary: Vocabulary, at: Ints) -> Responses:
    """Returns the first attempts at some positions of a timeline, as peers take them."""
    item = timeline.item[at]
    return Responses(
        student=timeline.student[at],
        item=item,
        skill=timeline.node[at],
        correct=timeline.correct[at],
        items=len(vocabulary.items),
        skills=len(vocabulary.nodes),
    )


class Fitted(Protocol):
    """A model with its parameters."""

    def __call__(self, test: Responses) -> Floats:
        """Returns the probability that each response is correct, from earlier responses of the same student only.

        Students are taken as unseen, whatever their codes; items and skills without training rows get the prior.
        """


@dataclass(frozen=True)
class Peer:
    """A published model, or a plain rule, that ours is compared with.

    Attributes:
        name: In tables.
        meaning: What it does, in one sentence.
        fit: Learns the parameters from training students, among whose answers are right and wrong ones.
    """

    name: str
    meaning: str
    fit: Callable[[Responses], Fitted]


@dataclass(frozen=True)
class Sequences:
    """Responses regrouped: each student's responses on the same code together, still in order.

    Attributes:
        order: Rows by code, then student, then order.
        place: For each of these, how many of the same sequence come before it.
    """

    order: Ints
    place: Ints


def sort_sequences(responses: Responses, codes: Codes) -> Sequences:
    """Sequences of the responses by student and code (their skills or items, or zeros for all responses)."""
    order = np.lexsort((responses.student, codes))
    opens = np.ones(len(order), bool)
    opens[1:] = (np.diff(codes[order]) != 0) | (np.diff(responses.student[order]) != 0)
    rows = np.arange(len(order))
    return Sequences(order, rows - np.maximum.accumulate(np.where(opens, rows, 0)))


def count_earlier(responses: Responses, codes: Codes) -> tuple[Ints, Ints]:
    """Returns the attempts and wins of the student on the code before each response."""
    sequences = sort_sequences(responses, codes)
    correct = responses.correct[sequences.order].astype(np.int64)
    before = np.cumsum(correct) - correct
    attempts, wins = np.empty_like(before), np.empty_like(before)
    attempts[sequences.order] = sequences.place
    wins[sequences.order] = before - before[np.arange(len(before)) - sequences.place]
    return attempts, wins


def share_by(codes: npt.NDArray[np.integer], correct: Answers, size: int) -> Floats:
    """Share correct of each code, drawn to the overall share; one entry more, for unseen codes, is that share."""
    wins = np.bincount(codes, correct, minlength=size + 1)
    share: Floats = (wins + WEIGHT * correct.mean()) / (np.bincount(codes, minlength=size + 1) + WEIGHT)
    return share


def fold_unseen(codes: Codes, size: int) -> Codes:
    """Returns the codes, with those that training had no number for as the one after its last."""
    return np.minimum(codes, np.int32(size))
