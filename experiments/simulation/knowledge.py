"""What one simulated student knows, and how practice and time change it; all compiled."""

import math
from typing import NamedTuple

import numba
import numpy as np

from experiments.simulation.config import Behavior
from experiments.simulation.curriculum import NONE
from experiments.simulation.engagement import DAY_S, Bytes, Ints
from experiments.simulation.streams import Stream, below, normal, uniform

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

STREAK = 3
"""Correct responses in a row after which the software counts a skill as mastered."""

CHOICES = 3
"""Skills or items looked at before one is taken that was mastered or met before."""

REVIEWED = 0.35
"""Chance to take a mastered skill all the same."""


class Bank(NamedTuple):
    """What is taught; see `Curriculum`."""

    strand: Ints
    requires: Ints
    also_requires: Ints
    skill_difficulty: Floats
    item_start: Ints
    item_both: Ints
    item_second: Ints
    item_difficulty: Floats


class Knowledge(NamedTuple):
    """One student; made once and drawn anew for each.

    Attributes:
        innate: Ability on each skill before any practice, in logits.
        gained: What practice has added, in logits.
        known: Innate and gained together, as of the last practice.
        last_s: Last practice of each skill, seconds since 1970; 0 = never.
        streak: Correct responses in a row on each skill.
        met: 1 where the streak once sufficed.
        seen: 1 for items met before.
        recent: First item of the last stint, by skill and whether a second skill was needed; `NONE` = no stint.
    """

    innate: Floats
    gained: Floats
    known: Floats
    last_s: Ints
    streak: Ints
    met: Bytes
    seen: Bytes
    recent: Ints


@numba.njit(cache=True)
def sigmoid(x: float) -> float:
    """Returns the logistic function."""
    return 1.0 / (1.0 + math.exp(-x))


@numba.njit(cache=True)
def empty_knowledge(skills: int, items: int) -> Knowledge:
    """Returns a knowledge to be drawn."""
    return Knowledge(
        np.zeros(skills),
        np.zeros(skills),
        np.zeros(skills),
        np.zeros(skills, np.int64),
        np.zeros(skills, np.int64),
        np.zeros(skills, np.int8),
        np.zeros(items, np.int8),
        np.zeros(2 * skills, np.int64),
    )


@numba.njit(cache=True)
def draw_student(stream: Stream, knowledge: Knowledge, bank: Bank, b: Behavior) -> tuple[float, float, float, float]:
    """A new student's knowledge; also the ability, the learning rate, the share of rapid guesses and the speed."""
    ability = b.ability_sd * normal(stream)
    rate = min(0.9, b.learning_rate * math.exp(b.learning_rate_sd * normal(stream)))
    gaming = b.gaming_most * uniform(stream)
    if uniform(stream) >= b.gaming_share:
        gaming = 0.0
    speed = b.speed_sd * normal(stream)
    by_strand = np.empty(bank.strand.max() + 1)
    for strand in range(len(by_strand)):
        by_strand[strand] = b.strand_sd * normal(stream)
    for skill in range(len(knowledge.innate)):
        knowledge.innate[skill] = ability + by_strand[bank.strand[skill]] + b.skill_sd * normal(stream)
    knowledge.known[:] = knowledge.innate
    knowledge.gained[:] = 0.0
    knowledge.last_s[:] = 0
    knowledge.streak[:] = 0
    knowledge.met[:] = 0
    knowledge.seen[:] = 0
    knowledge.recent[:] = NONE
    return ability, rate, gaming, speed


@numba.njit(cache=True)
def choose_skill(stream: Stream, middle: float, knowledge: Knowledge, b: Behavior) -> int:
    """Returns a skill of the unit or, for review, one before it; one mastered already is often passed over."""
    skill = 0
    for _ in range(CHOICES):
        if uniform(stream) < b.unit_share:
            skill = math.floor(middle + b.unit_width * normal(stream))
        else:
            skill = below(stream, int(middle) + 1)
        skill = min(max(skill, 0), len(knowledge.met) - 1)
        if not knowledge.met[skill] or uniform(stream) < REVIEWED:
            break
    return skill


@numba.njit(cache=True)
def choose_item(stream: Stream, first: int, end: int, knowledge: Knowledge) -> int:
    """Returns an item from the first to the one before the end; one met before is passed over twice."""
    item = first
    for _ in range(CHOICES):
        item = first + below(stream, end - first)
        if not knowledge.seen[item]:
            break
    return item


@numba.njit(cache=True)
def kept(knowledge: Knowledge, skill: int, now_s: int, b: Behavior) -> float:
    """Returns what is left of a gain at a moment, in logits."""
    if knowledge.last_s[skill] == 0:
        return 0.0
    idle_days = (now_s - knowledge.last_s[skill]) / DAY_S
    return float(knowledge.gained[skill]) * (1.0 - b.forgotten * (1.0 - math.exp(-idle_days / b.forgetting_days)))


@numba.njit(cache=True)
def recall(knowledge: Knowledge, skill: int, now_s: int, b: Behavior) -> float:
    """Returns what the student knows of a skill now, in logits; time since the last practice counts from here on."""
    knowledge.gained[skill] = kept(knowledge, skill, now_s, b)
    knowledge.known[skill] = knowledge.innate[skill] + knowledge.gained[skill]
    knowledge.last_s[skill] = now_s
    return float(knowledge.known[skill])


@numba.njit(cache=True)
def practice(knowledge: Knowledge, skill: int, rate: float, bank: Bank, b: Behavior) -> None:
    """Adds what one response teaches: the more, the better the weaker prerequisite is known."""
    ready = 1.0
    for required in (bank.requires[skill], bank.also_requires[skill]):
        if required != NONE:
            ready = min(ready, sigmoid(knowledge.known[required] - bank.skill_difficulty[required]))
    share = rate * (b.unready + (1.0 - b.unready) * ready)
    knowledge.gained[skill] += share * (b.growth - knowledge.gained[skill])
    knowledge.known[skill] = knowledge.innate[skill] + knowledge.gained[skill]


@numba.njit(cache=True)
def note_result(knowledge: Knowledge, skill: int, item: int, correct: bool) -> None:
    """Records what the software and the student remember of a response."""
    knowledge.seen[item] = 1
    knowledge.streak[skill] = knowledge.streak[skill] + 1 if correct else 0
    if knowledge.streak[skill] >= STREAK:
        knowledge.met[skill] = 1
