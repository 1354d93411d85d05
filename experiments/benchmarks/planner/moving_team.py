"""A made-up team whose needs move: students learn what they are taught, and what builds on it comes next.

Mastery starts as in `days.py`, after more lessons on the first skill of each strand, which most have mastered since.
Every sixth student came later: without those lessons, they have to catch up before anything else is ready for them. A
led session adds to the student's mastery of its skill the session's effect, times how well the adult is qualified, of
what is missing. Skills mastered leave the student's needs, and skills that they make ready enter. Nobody learns
anything else, so that what a plan leaves out stays to be done.
"""

from dataclasses import replace

import numpy as np

from experiments.benchmarks.planner.days import (
    ABSENT,
    MASTERED,
    SIZES,
    STRAND,
    draw_blocks,
    draw_day,
    draw_mastery,
    draw_weights,
    list_needs,
)
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.objective import Ledger

MOST = 0.5
"""Share of the team that has mastered a skill from which on the others are catching up on it."""

LESSONS = 0.7
"""Of what is missing, the share that the lessons before the first day add."""

EVERY, LATE = 6, 0.3
"""One student in so many came later, with this share of the mastery drawn."""


class MovingTeam:
    """A team over school days, counted from 0.

    Attributes:
        mastery: students x skills, 0-1, as of the day to come.
    """

    def __init__(self, students: int, seed: int) -> None:
        size, lots = SIZES[students], np.random.default_rng([students, seed, 2])
        self._seed = seed
        self._team = replace(draw_day(students, seed), mates=(), contacts=())
        self._weight = draw_weights(size, lots)
        self.mastery = np.array([draw_mastery(size, lots) for _ in range(students)])
        self.mastery[:, ::STRAND] += LESSONS * (1 - self.mastery[:, ::STRAND])
        self.mastery[::EVERY] *= LATE

    def draw_problem(self, day: int) -> Problem:
        """The day as a problem: who is there, by lot, and what everybody needs by now."""
        lots = np.random.default_rng([len(self.mastery), self._seed, 3, day])
        hours = frozenset(block.id for block in self._team.blocks)
        students = tuple(replace(s, blocks=draw_blocks(hours, lots, ABSENT)) for s in self._team.students)
        most = (self.mastery >= MASTERED).mean(axis=0) >= MOST
        needs = [
            replace(need, catch_up=bool(most[int(need.skill[1:])]))
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
            effect = quality * ledger.effect(session.modality, ledger.adults[lead].role, thin=False)
            for student in session.students:
                at = place[student], int((session.skill or "")[1:])
                self.mastery[at] += effect * (1 - self.mastery[at])
