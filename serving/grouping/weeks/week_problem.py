"""A week as a question: each of its days as a problem that knows the others, and what the days score together."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from serving.grouping.check import find_violations
from serving.grouping.history import (
    PastDay,
    carry_history,
    count_coached,
    count_load_off,
    count_mates,
    count_seats_with,
    remember_day,
)
from serving.grouping.objective import Ledger, score_plan
from serving.grouping.people import Coaching, MateCount
from serving.grouping.plan import Session
from serving.grouping.policy import Weights
from serving.grouping.problem import Pair, Problem
from serving.grouping.weeks.targets import WeekTargets, find_supervisors, owe_coaching, owe_teacher

FULL = 10
"""Meetings that are added to those of two students who have shared as many sessions of the week as they should."""

OWED = 1.0
"""Least points that a seat which the week owes a student is worth: more than any need that the seat could meet instead.

Otherwise those in greatest need would take the places with a teacher every day.
"""

COACHED = 2.0
"""Least points that a coached session which the week asks for is worth: about a group that the second adult could lead.

Otherwise two adults who could both lead would never sit in one session.
"""

Sessions = tuple[Session, ...]


@dataclass(frozen=True, slots=True)
class WeekProblem:
    """Days in a row, what they should reach together, and the days of the week that are over."""

    days: tuple[Problem, ...]
    targets: WeekTargets
    past: tuple[PastDay, ...]
    window_days: int

    def remember(self, held: Sequence[Sessions], seen_from: int) -> list[PastDay]:
        """Planned days as the history of another, which may lie before them."""
        return [
            remember_day(self.days[at], sessions, seen_from - at) for at, sessions in enumerate(held) if at != seen_from
        ]

    def ask_next(self, at: int, held: Sequence[Sessions]) -> Problem:
        """A day after those that are held, with its share of what the week is still owed."""
        others = [*self._over(at), *self.remember(held, at)]
        return self._ask(
            at,
            others,
            held,
            owe_teacher(self.days[at:], self.targets, others),
            owe_coaching(self.days[at:], self.targets, others),
        )

    def ask_again(self, at: int, held: Sequence[Sessions]) -> Problem:
        """A day between others that are held, with all that these leave open."""
        others, day = [*self._over(at), *self.remember(held, at)], (self.days[at],)
        return self._ask(
            at, others, held, owe_teacher(day, self.targets, others), owe_coaching(day, self.targets, others)
        )

    def value(self, held: Sequence[Sessions]) -> float:
        """The points of all days in a row, with the load and what is owed counted once for the week."""
        points = []
        for at, sessions in enumerate(held):
            problem = self._ask(at, [*self._over(at), *self.remember(held[:at], at)], held[:at], frozenset(), ())
            weights = replace(problem.weights, load=0.0)
            points.append(score_plan(replace(problem, weights=weights), sessions).total)
        weights, every = self._press(self.days[0].weights), [*self.past, *self.remember(held, len(held))]
        seats = count_seats_with(every, find_supervisors(self.days))
        there = sorted({student.id for day in self.days for student in day.students if student.blocks})
        short = sum(max(0, self.targets.teacher_seats - seats[student]) for student in there)
        coached = count_coached(every)
        done = sum(
            min(each.sessions, coached[min(each.coach, each.trainee), max(each.coach, each.trainee)])
            for each in self.targets.coaching
        )
        off = math.fsum(abs(blocks) for blocks in count_load_off(every).values())
        week = weights.coaching * done - weights.owed * short - weights.load * off
        return math.fsum(points) + week

    def allows(self, held: Sequence[Sessions]) -> bool:
        """Whether every day still keeps the hard rules, with the days before it as they are now."""
        return not any(find_violations(self.ask_next(at, held[:at]), sessions) for at, sessions in enumerate(held))

    def _over(self, at: int) -> list[PastDay]:
        return [replace(day, days_ago=day.days_ago + at) for day in self.past]

    def _ask(
        self,
        at: int,
        others: Sequence[PastDay],
        held: Sequence[Sessions],
        owed: frozenset[str],
        coaching: tuple[Coaching, ...],
    ) -> Problem:
        day = self.days[at]
        left = self._left(at, held)
        asked = {frozenset((each.coach, each.trainee)): each for each in (*coaching, *day.coaching)}
        asked |= {
            frozenset((each.coach, each.trainee)): each
            for each in coaching
            if each.sessions >= asked[frozenset((each.coach, each.trainee))].sessions
        }
        problem = replace(
            carry_history(day, others, self.window_days),
            needs=tuple(
                replace(each, need=each.need * left.get((each.student, each.skill), 1.0)) for each in day.needs
            ),
            coaching=tuple(asked.values()),
            weights=self._press(day.weights),
        )
        students = tuple(replace(each, owed_teacher=each.owed_teacher or each.id in owed) for each in problem.students)
        return replace(problem, students=students, mates=self._part(problem, others))

    def _press(self, weights: Weights) -> Weights:
        """The weights of a day, with what the week asks for at its least price or more."""
        return replace(
            weights,
            owed=max(OWED, weights.owed) if self.targets.teacher_seats else weights.owed,
            coaching=max(COACHED, weights.coaching) if self.targets.coaching else weights.coaching,
        )

    def _left(self, at: int, held: Sequence[Sessions]) -> dict[Pair, float]:
        """The share of each need that the sessions of other days leave."""
        left: dict[Pair, float] = {}
        for day, sessions in enumerate(held):
            ledger = Ledger(self.days[day], sessions)
            for session in ledger.led if day != at else ():
                lead = session.adults[0]
                quality = ledger.qualification(lead, session.skill)
                for student in session.students:
                    pair = student, session.skill or ""
                    thin = pair in ledger.needs and ledger.needs[pair].thin
                    met = quality * ledger.effect(session.modality, ledger.adults[lead].role, thin=thin)
                    left[pair] = left.get(pair, 1.0) * (1 - met)
        return left

    def _part(self, problem: Problem, others: Sequence[PastDay]) -> tuple[MateCount, ...]:
        """The mates, with those marked who have shared as many sessions of the week as they should."""
        most = self.targets.most_together
        if most is None:
            return problem.mates
        shared = count_mates(others, {student.id for student in problem.students})
        counts = Counter({(each.first, each.second): each.sessions for each in problem.mates})
        counts.update({pair: FULL for pair, sessions in shared.items() if sessions >= most})
        return tuple(MateCount(*pair, sessions) for pair, sessions in counts.items())
