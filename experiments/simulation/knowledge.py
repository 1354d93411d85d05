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
Grid = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Counts = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Marks = np.ndarray[tuple[int, int], np.dtype[np.int8]]

STREAK = 3
"""Correct responses in a row after which the software counts a skill as mastered."""

CHOICES = 3
"""Skills or items looked at before one is taken that was mastered or met before."""

REVIEWED = 0.35
"""Chance to take a mastered skill all the same."""


class Bank(NamedTuple):
    """What is taught; see `Curriculum`. `weakness` lowers the log-odds of right answers on each skill by so much."""

    strand: Ints
    requires: Ints
    also_requires: Ints
    skill_difficulty: Floats
    item_start: Ints
    item_both: Ints
    item_second: Ints
    item_difficulty: Floats
    weakness: Floats


class Knowledge(NamedTuple):
    """One student; a row of `Minds`.

    Attributes:
        innate: Ability on each skill before any practice, in logits.
        gained: What practice has added, in logits.
        taught: What sessions led by an adult have added, in logits.
        known: Innate, gained and taught together, as of the last practice or session.
        last_s: Last practice or session of each skill, seconds since 1970; 0 = never.
        streak: Correct responses in a row on each skill.
        met: 1 where the streak once sufficed.
        seen: 1 for items met before.
        recent: First item of the last stint, by skill and whether a second skill was needed; `NONE` = no stint.
    """

    innate: Floats
    gained: Floats
    taught: Floats
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
def answers_right(stream: Stream, knows: float, weakness: float, b: Behavior) -> bool:
    """Whether an answer is right, given the chance to know the item, and by how many logits the skill is weak."""
    chance = b.guess + (1.0 - b.guess - b.slip) * knows
    if weakness != 0.0:
        chance = sigmoid(math.log(chance / (1.0 - chance)) - weakness)
    return bool(uniform(stream) < chance)


class Minds(NamedTuple):
    """What all students know: `Knowledge` with a row per student."""

    innate: Grid
    gained: Grid
    taught: Grid
    known: Grid
    last_s: Counts
    streak: Counts
    met: Marks
    seen: Marks
    recent: Counts

    @classmethod
    def empty(cls, students: int, skills: int, items: int) -> "Minds":
        """Returns minds to be drawn."""
        by_skill = students, skills
        return cls(
            innate=np.zeros(by_skill),
            gained=np.zeros(by_skill),
            taught=np.zeros(by_skill),
            known=np.zeros(by_skill),
            last_s=np.zeros(by_skill, np.int64),
            streak=np.zeros(by_skill, np.int64),
            met=np.zeros(by_skill, np.int8),
            seen=np.zeros((students, items), np.int8),
            recent=np.zeros((students, 2 * skills), np.int64),
        )

    def take(self, students: Ints) -> "Minds":
        """Returns a copy of some students' rows."""
        return Minds(**{name: part[students] for name, part in self._asdict().items()})


@numba.njit(cache=True)
def mind_of(minds: Minds, student: int) -> Knowledge:
    """Returns one student's knowledge; what changes in it changes in the minds."""
    return Knowledge(
        minds.innate[student],
        minds.gained[student],
        minds.taught[student],
        minds.known[student],
        minds.last_s[student],
        minds.streak[student],
        minds.met[student],
        minds.seen[student],
        minds.recent[student],
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
    knowledge.taught[:] = 0.0
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
def retained(knowledge: Knowledge, skill: int, now_s: int, b: Behavior) -> float:
    """Returns the share that is left at a moment of what was gained and taught."""
    if knowledge.last_s[skill] == 0:
        return 0.0
    idle_days = (now_s - knowledge.last_s[skill]) / DAY_S
    return 1.0 - b.forgotten * (1.0 - math.exp(-idle_days / b.forgetting_days))


@numba.njit(cache=True)
def kept(knowledge: Knowledge, skill: int, now_s: int, b: Behavior) -> float:
    """Returns what is left at a moment of what was gained and taught, in logits."""
    return float(knowledge.gained[skill] + knowledge.taught[skill]) * retained(knowledge, skill, now_s, b)


@numba.njit(cache=True)
def recall(knowledge: Knowledge, skill: int, now_s: int, b: Behavior) -> float:
    """Returns what the student knows of a skill now, in logits; time since the last practice counts from here on."""
    share = retained(knowledge, skill, now_s, b)
    knowledge.gained[skill] *= share
    knowledge.taught[skill] *= share
    knowledge.known[skill] = knowledge.innate[skill] + knowledge.gained[skill] + knowledge.taught[skill]
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
    knowledge.known[skill] = knowledge.innate[skill] + knowledge.gained[skill] + knowledge.taught[skill]


@numba.njit(cache=True)
def teach(knowledge: Knowledge, skill: int, logits: float, now_s: int, bank: Bank, b: Behavior) -> tuple[float, float]:
    """Adds what a session led by an adult teaches; says what the student knew before and knows after it.

    All of it is learned where the prerequisites are ready and there is much to learn, nothing by a student who is not
    ready, and little of a skill known well already; `b` has the limits.

    Args:
        knowledge: The student's.
        skill: What the session is about.
        logits: What the session adds where nothing is in its way.
        now_s: The end of the session, seconds since 1970.
        bank: What is taught.
        b: How students learn.

    Returns:
        Logits above the skill's difficulty, before and after.
    """
    ready = 1.0
    for required in (bank.requires[skill], bank.also_requires[skill]):
        if required != NONE:
            known = knowledge.innate[required] + kept(knowledge, required, now_s, b)
            ready = min(ready, sigmoid(known - bank.skill_difficulty[required]))
    ready = min(1.0, max(0.0, (ready - b.not_ready) / (b.ready - b.not_ready)))
    before = recall(knowledge, skill, now_s, b) - bank.skill_difficulty[skill]
    left = min(1.0, max(b.known_well, (b.taught_to - before) / b.near))
    knowledge.taught[skill] += logits * ready * left
    knowledge.known[skill] = knowledge.innate[skill] + knowledge.gained[skill] + knowledge.taught[skill]
    return before, float(knowledge.known[skill] - bank.skill_difficulty[skill])


@numba.njit(cache=True)
def note_result(knowledge: Knowledge, skill: int, item: int, correct: bool) -> None:
    """Records what the software and the student remember of a response."""
    knowledge.seen[item] = 1
    knowledge.streak[skill] = knowledge.streak[skill] + 1 if correct else 0
    if knowledge.streak[skill] >= STREAK:
        knowledge.met[skill] = 1
