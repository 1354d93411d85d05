"""School days after a simulated log: students practice, are taught, forget, and answer a few items after a session.

What happens by chance to a student on a day comes from streams of that student and day, whatever anybody plans, so that
two plans of the same days differ by what they do and by nothing else.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

import numba
import numpy as np
import pandas as pd

from experiments.simulation.config import Behavior
from experiments.simulation.curriculum import NONE, make_curriculum
from experiments.simulation.engagement import (
    BLOCK_S,
    BLOCK_STARTS_S,
    DAY_S,
    HOMEWORK_S,
    HOMEWORK_SPAN_S,
    LATE_S,
    MOST,
    Bytes,
    Habits,
    Ints,
)
from experiments.simulation.kernel import TOOK_LOG, Log, work
from experiments.simulation.knowledge import (
    Bank,
    Counts,
    Grid,
    Knowledge,
    Minds,
    answers_right,
    choose_item,
    mind_of,
    note_result,
    sigmoid,
    teach,
)
from experiments.simulation.people import UNIT_AHEAD
from experiments.simulation.school import (
    OWNERS_PER_TEAM,
    TRAITS,
    School,
    event_table,
    make_bank,
    make_habits,
    teams_ahead,
    unit_middle,
)
from experiments.simulation.streams import Stream, below, normal, open_stream, uniform
from experiments.simulation.teaching import Level, draw_places, session_logits
from serving.grouping.problem.plan import Session

CHECK_ITEMS = 3
"""Items of the skill that a student answers in the software at the end of a session; answering them teaches nothing."""

BLOCKS = len(BLOCK_STARTS_S)

FIRST_PURPOSE = 10
"""Purpose of a student's first stream for days after the log."""

RUN, LIMIT = 3, 10
"""The mastery rule: so many correct first attempts in a row, within so many."""


Values = np.ndarray[Any, np.dtype[np.float64]]


class Seats(NamedTuple):
    """Who is taught what, by student and block.

    Attributes:
        skill: Skill of the session led by an adult; `NONE` = works online.
        logits: What the session adds where nothing is in its way.
    """

    skill: Counts
    logits: Grid


@dataclass(frozen=True)
class Taught:
    """One student's place in one session led by an adult, as it turned out.

    Attributes:
        student: The student's id.
        skill: The skill's id.
        session: The session's id.
        before: Logits above the skill's difficulty that the student knew before.
        after: The same at the end of the session.
    """

    student: str
    skill: str
    session: str
    before: float
    after: float


@dataclass(frozen=True)
class HeldDay:
    """What a day left: rows as in `School.events`, in order of time for each student, and what was taught."""

    events: pd.DataFrame
    taught: tuple[Taught, ...]


class FollowingDays:
    """The days of one team after the log; the school itself stays as it is.

    Args:
        school: The school.
        team: Number of the team, from 0.
        level: Which third of the published effects applies.
        weak: By how many logits right answers on a skill are less likely from now on, by its id.

    Attributes:
        students: Ids of the team's students.
        minds: What they know.
    """

    def __init__(
        self, school: School, team: int, level: Level = Level.MIDDLE, weak: Mapping[str, float] = MappingProxyType({})
    ) -> None:
        self._config = school.config
        self._curriculum = make_curriculum(school.config)
        self._bank, self._habits = make_bank(self._curriculum), make_habits(school.config)
        for skill, logits in weak.items():
            self._bank.weakness[self._curriculum.skill_ids.index(skill)] = logits
        traits = school.truth["students"]
        here = np.flatnonzero(traits["team_id"] == f"t{team + 1:02d}")
        self.students: list[str] = traits["student_id"].iloc[here].to_list()
        self._place = {student: at for at, student in enumerate(self.students)}
        self._skill = {skill: at for at, skill in enumerate(self._curriculum.skill_ids)}
        self._owners = team * OWNERS_PER_TEAM + np.arange(len(here))
        self._traits = traits[list(TRAITS)].to_numpy()[here]
        self._ahead = float(teams_ahead(school.config)[team])
        self._first = school.config.end.toordinal() - 7 * school.config.weeks
        self.minds = school.minds.take(here)
        responses = school.truth["mastery"]["responses"].to_numpy().reshape(-1, school.config.skills)
        self._responses = np.ascontiguousarray(responses[here])
        self._places = draw_places(school.config, self._owners, level)

    @property
    def behavior(self) -> Behavior:
        """How the school's students learn."""
        return self._config.behavior

    @property
    def skill_ids(self) -> list[str]:
        """Ids of the skills in teaching order."""
        return self._curriculum.skill_ids

    def middle(self, day: date) -> float:
        """Returns the middle of the team's unit on a day, in skills of the teaching order."""
        days = np.array([day.toordinal() - self._first])
        return float(min(unit_middle(self._config, days)[0] + self._ahead, self._config.skills - 1))

    def taught_by(self, day: date) -> int:
        """Returns how many skills of the teaching order come up to the end of the unit of a day."""
        return min(int(self.middle(day)) + UNIT_AHEAD, self._config.skills)

    def known(self, day: date) -> Grid:
        """Returns logits above each skill's difficulty on the morning of a day, by student and skill."""
        now_s = _number(day) * DAY_S
        idle_days = (now_s - self.minds.last_s) / DAY_S
        b = self._config.behavior
        share = 1 - b.forgotten * (1 - np.exp(-idle_days / b.forgetting_days))
        known: Grid = self.minds.innate + (self.minds.gained + self.minds.taught) * share
        return known - self._bank.skill_difficulty

    def chance_to_struggle(self, above: Values) -> Values:
        """Returns the chance not to have three in a row right within ten average items, from logits above difficulty.

        It is that of a student who learns nothing meanwhile; items' spread is in it.
        """
        b = self._config.behavior
        knows = 1 / (1 + np.exp(-above / np.sqrt(1 + 0.346 * b.item_difficulty_sd**2)))
        right = b.guess + (1 - b.guess - b.slip) * knows
        run = [np.ones_like(right), *(np.zeros_like(right) for _ in range(RUN - 1))]  # chance of each current run
        for _ in range(LIMIT):
            run = [(1 - right) * sum(run), *(right * shorter for shorter in run[:-1])]
        chance: Values = sum(run)
        return chance

    def hold(
        self,
        day: date,
        sessions: Sequence[Session],
        block_at: Mapping[str, int],
        roles: Mapping[str, str],
        absent: Collection[str] = (),
    ) -> HeldDay:
        """Lives through a school day.

        Args:
            day: The date; days must be held in order.
            sessions: The plan.
            block_at: Number of each block of the day, from 0.
            roles: Role of each adult.
            absent: Students who miss the day.
        """
        shape = len(self.students), BLOCKS
        seats = Seats(np.full(shape, NONE, np.int64), np.zeros(shape))
        held: dict[tuple[int, int], Session] = {}
        for session in sessions:
            if not session.led or session.skill not in self._skill:
                continue
            at, block = np.array([self._place[s] for s in session.students], np.int64), block_at[session.block]
            role, size = roles[session.adults[0]], len(at)
            seats.skill[at, block] = self._skill[session.skill]
            seats.logits[at, block] = session_logits(
                self._config, session.session_type, role, size, BLOCK_S / 60, self._places[at]
            )
            held |= {(student, block): session for student in at.tolist()}
        present = np.array([student not in absent for student in self.students], np.int8)
        most = len(self.students) * (2 * MOST + BLOCKS * CHECK_ITEMS)
        log = Log.empty(most)
        owner = np.zeros(most, np.int64)
        before, after = np.zeros(shape), np.zeros(shape)
        count = live_day(
            self._config.seed,
            self._owners,
            _number(day),
            self.middle(day),
            present,
            seats,
            self._habits,
            self._config.behavior,
            self._bank,
            self.minds,
            self._traits,
            self._responses,
            log,
            owner,
            before,
            after,
        )
        events = event_table(log.first(count), owner[:count], self.students, self._curriculum)
        taught = tuple(
            Taught(
                self.students[student],
                str(session.skill),
                session.id,
                float(before[student, block]),
                float(after[student, block]),
            )
            for (student, block), session in held.items()
            if present[student]
        )
        return HeldDay(events, taught)


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


@numba.njit(cache=True)
def live_day(
    seed: int,
    owners: Ints,
    number: int,
    middle: float,
    present: Bytes,
    seats: Seats,
    habits: Habits,
    b: Behavior,
    bank: Bank,
    minds: Minds,
    traits: Grid,
    responses: Counts,
    log: Log,
    owner: Ints,
    before: Grid,
    after: Grid,
) -> int:
    """Lives through one school day of one team; says how many entries of the log are filled.

    A student practices in one block, in the next free one where a session is in the way, and not in school where
    sessions fill the day; some work on at home.

    Args:
        seed: Random seed of all streams.
        owners: Stream number of each student.
        number: Days since 1970.
        middle: Middle of the unit, in skills of the teaching order.
        present: 1 for students who are there; the others neither practice nor are taught.
        seats: Who is taught what.
        habits: How much students work.
        b: How they learn and answer.
        bank: What is taught.
        minds: What they know; changed.
        traits: Columns of `Truth.traits` by student.
        responses: Responses of each student to items of each skill; changed.
        log: To be filled.
        owner: To be filled with the student of each entry.
        before: To be filled with what students knew of a session's skill before it, in logits above its difficulty.
        after: The same after it.
    """
    place = 0
    blocks = seats.skill.shape[1]
    for student in range(len(owners)):
        if present[student] == 0:
            continue
        plan = open_stream(seed, owners[student], FIRST_PURPOSE + 2 * number)
        stream = open_stream(seed, owners[student], FIRST_PURPOSE + 2 * number + 1)
        knowledge = mind_of(minds, student)
        trait = traits[student]
        manner = (trait[1], trait[4], trait[5])
        works = uniform(plan) < trait[2]
        again = uniform(plan) < habits.homework_share and works
        wanted, late = below(plan, blocks), below(plan, LATE_S)
        size = _size(plan, trait[3], habits)
        home_s, home_size = HOMEWORK_S + below(plan, HOMEWORK_SPAN_S), _size(plan, trait[3], habits)
        chosen = -1
        for step in range(blocks):
            if works and chosen < 0 and seats.skill[student, (wanted + step) % blocks] == NONE:
                chosen = (wanted + step) % blocks
        first = place
        time_s = number * DAY_S
        for block in range(blocks):
            start_s = number * DAY_S + BLOCK_STARTS_S[block]
            skill = seats.skill[student, block]
            if skill != NONE:
                end_s = start_s + BLOCK_S
                logits = seats.logits[student, block]
                known, knows = teach(knowledge, skill, logits, end_s, bank, b)
                before[student, block], after[student, block] = known, knows
                check = open_stream(seed, owners[student], -1 - (number * blocks + block))
                place = _check(check, knowledge, skill, end_s, place, b, bank, log, responses[student])
                time_s = end_s
            elif block == chosen:
                time_s = max(time_s + 1, start_s + late)
                time_s = work(stream, knowledge, manner, middle, size, time_s, place, b, bank, log, responses[student])
                place += size
        if again:
            time_s = max(time_s + 1, number * DAY_S + home_s)
            work(stream, knowledge, manner, middle, home_size, time_s, place, b, bank, log, responses[student])
            place += home_size
        owner[first:place] = student
    return place


@numba.njit(cache=True)
def _size(plan: Stream, pace: float, habits: Habits) -> int:
    size = pace * habits.session_median * math.exp(habits.session_sd * normal(plan))
    return min(MOST, max(1, int(size + 0.5)))


@numba.njit(cache=True)
def _check(
    stream: Stream,
    knowledge: Knowledge,
    skill: int,
    time_s: int,
    place: int,
    b: Behavior,
    bank: Bank,
    log: Log,
    responses: Ints,
) -> int:
    """Fills the entries of the few items at the end of a session; says where the next entry is."""
    for entry in range(place, place + CHECK_ITEMS):
        item = choose_item(stream, bank.item_start[skill], bank.item_both[skill], knowledge)
        knows = sigmoid(knowledge.known[skill] - bank.item_difficulty[item])
        correct = answers_right(stream, knows, bank.weakness[skill], b)
        log.item[entry], log.time_s[entry], log.correct[entry] = item, time_s - CHECK_ITEMS + entry - place, correct
        log.hints[entry], log.duration_s[entry] = 0, math.exp(TOOK_LOG)
        responses[skill] += 1
        note_result(knowledge, skill, item, correct)
    return place + CHECK_ITEMS
