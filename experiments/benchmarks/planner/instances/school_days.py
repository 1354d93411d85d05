"""Synthetic school days in a row: students learn what they are taught, and what builds on it comes next.

Mastery starts as in `team.py`, after more lessons on the first skill of each strand, which most have mastered since.
Every sixth student came later: without those lessons, they have to catch up before anything else is ready for them. A
led session adds to the student's mastery of its skill the session's effect, times how well the adult is qualified, of
what is missing. Skills mastered leave the student's needs, and skills that they make ready enter. Nobody learns
anything else, so that what a plan leaves out stays to be done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from experiments.benchmarks.planner.instances.team import (
    ABSENT,
    SIZES,
    STRAND,
    draw_blocks,
    draw_day,
    draw_mastery,
    draw_weights,
    list_needs,
)
from serving.grouping.problem.history import PastDay, carry_history, remember_day
from serving.grouping.problem.places import Seat
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.objective import Ledger
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

LESSONS = 0.7
"""Share of the missing mastery that the lessons before the first day add."""

EVERY, LATE = 6, 0.3
"""One student in so many came later, with this share of the mastery drawn."""


class LearningTeam:
    """A team over school days, counted from 0.

    Attributes:
        mastery: students x skills, 0-1, as of the day to come.
    """

    def __init__(self, students: int, seed: int) -> None:
        size, rng = SIZES[students], np.random.default_rng([students, seed, 2])
        self._seed = seed
        self._team = replace(draw_day(students, seed), recent_groupmates=(), contacts=())
        self._weight = draw_weights(size, rng)
        self.mastery = np.array([draw_mastery(size, rng) for _ in range(students)])
        self.mastery[:, ::STRAND] += LESSONS * (1 - self.mastery[:, ::STRAND])
        self.mastery[::EVERY] *= LATE

    def draw_problem(self, day: int) -> Problem:
        """Returns the day as a problem: who is there, at random, and what everybody needs by now."""
        rng = np.random.default_rng([len(self.mastery), self._seed, 3, day])
        hours = frozenset(block.id for block in self._team.blocks)
        students = tuple(replace(s, blocks=draw_blocks(hours, rng, ABSENT)) for s in self._team.students)
        needs = [
            need
            for at, student in enumerate(students)
            for need in list_needs(
                student.id,
                self.mastery[at],
                self._weight,
                np.random.default_rng([self._seed, 4, at]),  # the same every day, so that needs move by learning alone
            )
        ]
        return replace(self._team, students=students, needs=tuple(needs))

    def learn(self, problem: Problem, sessions: tuple[Session, ...]) -> None:
        """Moves mastery by what was held."""
        ledger = Ledger(problem, sessions)
        place = {student.id: at for at, student in enumerate(problem.students)}
        for session in ledger.led:
            lead = session.adults[0]
            quality = ledger.qualification(lead, session.skill)
            effect = quality * ledger.effect(session.session_type, ledger.adults[lead].role, low_evidence=False)
            for student in session.students:
                at = place[student], int((session.skill or "")[1:])
                self.mastery[at] += effect * (1 - self.mastery[at])


SCHOOL_WEEK = 5
"""Days from Monday to Friday."""

WINDOW = 21
"""Days, weekends counted, in which sessions count as lately; as in `serving/plans/policy.toml`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Settings of the planner.

    Attributes:
        weights: Weights of soft terms; the others are at their defaults.
        keep_yesterday: Whether yesterday's seats are the earlier plan, so that changing one lowers the score.
        rooms: Rooms besides the hall; null = all that the team has.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    keep_yesterday: bool = False
    rooms: int | None = None


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """A day as it was planned, with the history that the planner saw, and held.

    `date` counts the days since the first Monday, weekends included.
    """

    date: int
    problem: Problem
    sessions: tuple[Session, ...]


def simulate_days(students: int, seed: int, days: int, setting: Setting, budget: Budget) -> list[SchoolDay]:
    """Plans and holds one school day after the other, five to a week.

    Args:
        students: A size of `team.SIZES`.
        seed: Random seed of the team and its absences.
        days: How many school days.
        setting: Settings of the planner.
        budget: Budget of each day's search.
    """
    team, held = LearningTeam(students, seed), list[SchoolDay]()
    for at in range(days):
        date = at // SCHOOL_WEEK * 7 + at % SCHOOL_WEEK
        drawn = team.draw_problem(at)
        problem = replace(
            carry_history(drawn, remember(held, date), WINDOW),
            weights=replace(drawn.weights, **setting.weights),
            rooms=(drawn.rooms or ())[: None if setting.rooms is None else 1 + setting.rooms],
            previous=list_seats(held[-1].sessions) if held and setting.keep_yesterday else (),
        )
        sessions = suggest_groups(problem, budget).sessions
        held.append(SchoolDay(date, problem, sessions))
        team.learn(problem, sessions)
    return held


def remember(held: Sequence[SchoolDay], date: int) -> list[PastDay]:
    """Returns days that were held as a later day's history."""
    return [remember_day(day.problem, day.sessions, date - day.date) for day in held]


def list_seats(sessions: Sequence[Session]) -> tuple[Seat, ...]:
    """Returns every seat of a plan, online ones too."""
    return tuple(
        Seat(student, s.block, s.session_type, s.skill, s.adults[0] if s.led else None)
        for s in sessions
        for student in s.students
    )
