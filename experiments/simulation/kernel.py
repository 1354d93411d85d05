"""The compiled heart of the simulation: lives through every student's sessions, response by response.

Everything of a student comes from two streams of the student's own: one for when and how much, one for what and
how well. So the volume is counted before the answers are made, and output arrays have their final size.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

from experiments.simulation.config import Behavior
from experiments.simulation.curriculum import NONE
from experiments.simulation.engagement import BLOCK_S, DAY_S, Bytes, Days, Habits, Ints, plan_sessions
from experiments.simulation.knowledge import (
    STREAK,
    Bank,
    Counts,
    Floats,
    Grid,
    Knowledge,
    Minds,
    answers_right,
    choose_item,
    choose_skill,
    draw_student,
    kept,
    mind_of,
    note_result,
    practice,
    recall,
    sigmoid,
)
from experiments.simulation.streams import Stream, below, normal, open_stream, uniform

Seconds = np.ndarray[tuple[int], np.dtype[np.float32]]

PLAN, ANSWERS = 0, 1
"""Purposes of a student's two streams."""

LIMIT = 10
"""A mastery stint ends after so many attempts, or with three in a row."""

USUAL_S = 75.0
"""Seconds from one response to the next in a session that is not hurried."""

LONGEST_S, LONGEST_PAUSE_S, PAUSE_S = 600.0, 300.0, 35.0
"""Longest response, longest and mean pause, in seconds."""

TOOK_LOG, TOOK_LOG_SD = 3.4, 0.6
"""Of the time a response takes, in seconds: mean and spread of the logarithm."""


class Log(NamedTuple):
    """One entry per response, each student's together and in time order; times are seconds since 1970."""

    item: Ints
    time_s: Ints
    correct: Bytes
    hints: Bytes
    duration_s: Seconds

    @classmethod
    def empty(cls, entries: int) -> "Log":
        """Returns a log to be filled."""
        return cls(
            item=np.zeros(entries, np.int64),
            time_s=np.zeros(entries, np.int64),
            correct=np.zeros(entries, np.int8),
            hints=np.zeros(entries, np.int8),
            duration_s=np.zeros(entries, np.float32),
        )

    def first(self, entries: int) -> "Log":
        """Returns the first entries."""
        return Log(**{name: part[:entries] for name, part in self._asdict().items()})


class Truth(NamedTuple):
    """What the log hides, one row per student.

    Attributes:
        start: Logit of knowing an average item of each skill before the first response.
        end: Likewise after the last day, with what is forgotten by then.
        responses: Responses to items of each skill.
        traits: Ability, learning rate, attendance, pace, share of rapid guesses, speed (logarithm).
    """

    start: Grid
    end: Grid
    responses: Counts
    traits: Grid


@numba.njit(cache=True)
def simulate_responses(
    seed: int,
    owners: Ints,
    days: Days,
    habits: Habits,
    b: Behavior,
    bank: Bank,
    ahead: Floats,
    offsets: Ints,
    log: Log,
    truth: Truth,
    minds: Minds,
) -> None:
    """Fills the log, the truth and the minds.

    Args:
        seed: Random seed of all streams.
        owners: Stream number of each student.
        days: When the school or homework goes on, and what the unit is.
        habits: How much students work.
        b: How they learn and answer.
        bank: What is taught.
        ahead: How far each student's team is ahead of the unit, in skills of the teaching order.
        offsets: First response of each student; one more entry ends the last.
        log: To be filled.
        truth: To be filled.
        minds: To be filled, as of the end.
    """
    starts, sizes = np.empty(2 * len(days.number), np.int64), np.empty(2 * len(days.number), np.int64)
    for student in range(len(owners)):
        plan = open_stream(seed, owners[student], PLAN)
        stream = open_stream(seed, owners[student], ANSWERS)
        knowledge = mind_of(minds, student)
        sessions, attendance, pace = plan_sessions(plan, days, habits, starts, sizes)
        ability, rate, gaming, speed = draw_student(stream, knowledge, bank, b)
        place, time_s, day = offsets[student], 0, 0
        for session in range(sessions):
            while days.number[day] < starts[session] // DAY_S:
                day += 1
            time_s = max(time_s + 1, starts[session])
            manner = (rate, gaming, speed)
            middle, size, responses = days.middle[day] + ahead[student], sizes[session], truth.responses[student]
            time_s = work(stream, knowledge, manner, middle, size, time_s, place, b, bank, log, responses)
            place += size
        finish_s = (days.number[-1] + 1) * DAY_S
        for skill in range(len(bank.strand)):
            above = knowledge.innate[skill] - bank.skill_difficulty[skill]
            truth.start[student, skill] = above
            truth.end[student, skill] = above + kept(knowledge, skill, finish_s, b)
        traits = truth.traits[student]
        traits[0], traits[1], traits[2], traits[3], traits[4] = ability, rate, attendance, pace, gaming
        traits[5] = speed


@numba.njit(cache=True)
def work(
    stream: Stream,
    knowledge: Knowledge,
    manner: tuple[float, float, float],
    middle: float,
    size: int,
    time_s: int,
    place: int,
    b: Behavior,
    bank: Bank,
    log: Log,
    responses: Ints,
) -> int:
    """Lives through one session of stints on a skill, from entry `place` of the log on; says when it ended."""
    # a long session is hurried, so that it ends with its block
    hurry = min(1.0, BLOCK_S / (USUAL_S * size))
    skill, left, row, building = 0, 0, 0, False
    first, end, kind, again = 0, 0, 0, NONE
    for entry in range(place, place + size):
        if left == 0:
            skill = choose_skill(stream, middle, knowledge, b)
            building = uniform(stream) < b.builder_share
            left, row = LIMIT, 0
            if not building:
                left = 1 + int(math.log(1.0 - uniform(stream)) / math.log(1.0 - 1.0 / b.stint_mean))
            first, split, end = bank.item_start[skill], bank.item_both[skill], bank.item_start[skill + 1]
            kind = 2 * skill
            if uniform(stream) * (end - first) < split - first:
                end = split
            else:
                first, kind = split, kind + 1
            again, knowledge.recent[kind] = knowledge.recent[kind], NONE
        item = choose_item(stream, first, end, knowledge)
        if uniform(stream) < b.repeat_share and again != NONE:
            item, again = again, NONE
        if knowledge.recent[kind] == NONE:
            knowledge.recent[kind] = item
        correct, seconds = _respond(
            stream, knowledge, manner, skill, item, time_s, entry, hurry, b, bank, log, responses
        )
        time_s += seconds
        row = row + 1 if correct else 0
        left = 0 if building and row >= STREAK else left - 1
    return time_s


@numba.njit(cache=True)
def _respond(
    stream: Stream,
    knowledge: Knowledge,
    manner: tuple[float, float, float],
    skill: int,
    item: int,
    time_s: int,
    entry: int,
    hurry: float,
    b: Behavior,
    bank: Bank,
    log: Log,
    responses: Ints,
) -> tuple[bool, int]:
    """Fills one entry of the log and lets the student learn; says whether it was correct and the seconds it took."""
    rate, gaming, speed = manner
    second = bank.item_second[item]
    strength = recall(knowledge, skill, time_s, b)
    if second != NONE:
        strength = min(strength, recall(knowledge, second, time_s, b))  # as good as the weaker of the two
    if responses[skill] == 0:
        strength -= b.novelty
    rapid = uniform(stream) < gaming
    knows = 0.0 if rapid else sigmoid(strength - bank.item_difficulty[item])
    correct = answers_right(stream, knows, bank.weakness[skill], b)
    took = 2.0 + below(stream, 3) if rapid else math.exp(TOOK_LOG + speed + TOOK_LOG_SD * normal(stream))
    took = min(took, LONGEST_S) * hurry
    asked = uniform(stream) < b.hint_share
    log.item[entry], log.time_s[entry], log.correct[entry] = item, time_s, correct
    log.hints[entry] = 1 + below(stream, 3) if asked and not correct and not rapid else 0
    log.duration_s[entry] = took
    pause = min(-PAUSE_S * math.log(1.0 - uniform(stream)), LONGEST_PAUSE_S) * hurry
    responses[skill] += 1
    if not rapid:
        practice(knowledge, skill, rate, bank, b)
    if second != NONE:
        responses[second] += 1
        if not rapid:
            practice(knowledge, second, rate, bank, b)
    note_result(knowledge, skill, item, correct)
    return correct, 1 + int(took + pause)
