"""Plans several days in a row, so that the week reaches its targets: each day knows the others, and what is still owed.

A first pass plans day after day. Later passes plan each day once more with all others as history, those before it and
those after it, and keep what makes the week better (coordinate ascent). That is exact for repeat mates, since a week
counts pairs of meetings in whatever order, for needs, of which each session meets its share of what the others leave,
and for relationships, where the worth of the n-th meeting of two is 1 / n.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from serving.grouping.errors import InfeasibleError
from serving.grouping.problem.history import (
    PastDay,
    carry_history,
    count_coached,
    count_groupmates,
    count_load_off,
    count_seats_with,
    remember_day,
)
from serving.grouping.problem.people import Coaching, GroupmateCount
from serving.grouping.problem.plan import Plan, Session
from serving.grouping.problem.policy import Weights
from serving.grouping.problem.problem import Pair, Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import Ledger, score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import describe_plan, prove_plan, suggest_groups
from serving.grouping.state.arrays import build_data
from serving.grouping.weeks.targets import (
    Outcome,
    WeekTargets,
    find_supervisors,
    owe_coaching,
    owe_teacher,
    tell_outcomes,
)

FULL = 10
"""Meetings that are added to those of two students who have shared as many sessions of the week as they should."""

TEACHER_TIME_DUE = 1.0
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
        week = weights.coaching * done - weights.teacher_time_due * short - weights.load * off
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
        teacher_time_due: frozenset[str],
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
        students = tuple(
            replace(each, teacher_time_due=each.teacher_time_due or each.id in teacher_time_due)
            for each in problem.students
        )
        return replace(problem, students=students, recent_groupmates=self._part(problem, others))

    def _press(self, weights: Weights) -> Weights:
        """The weights of a day, with what the week asks for at its least price or more."""
        return replace(
            weights,
            teacher_time_due=max(TEACHER_TIME_DUE, weights.teacher_time_due)
            if self.targets.teacher_seats
            else weights.teacher_time_due,
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
                    low_evidence = pair in ledger.needs and ledger.needs[pair].low_evidence
                    met = quality * ledger.effect(
                        session.session_type, ledger.adults[lead].role, low_evidence=low_evidence
                    )
                    left[pair] = left.get(pair, 1.0) * (1 - met)
        return left

    def _part(self, problem: Problem, others: Sequence[PastDay]) -> tuple[GroupmateCount, ...]:
        """The mates, with those marked who have shared as many sessions of the week as they should."""
        most = self.targets.most_together
        if most is None:
            return problem.recent_groupmates
        shared = count_groupmates(others, {student.id for student in problem.students})
        counts = Counter({(each.first, each.second): each.sessions for each in problem.recent_groupmates})
        counts.update({pair: FULL for pair, sessions in shared.items() if sessions >= most})
        return tuple(GroupmateCount(*pair, sessions) for pair, sessions in counts.items())


WINDOW = 21
"""Days in which sessions count as lately."""


@dataclass(frozen=True, slots=True)
class Week:
    """Several days in a row.

    Attributes:
        problems: the days as they are planned, with the days before them as history and what is owed on each.
        plans: one for each of them.
        outcomes: what becomes of each target.
        value: the days' scores, with loads and targets counted over the whole week; only plans of one week compare.
        first_value: the value before any day was planned again.
    """

    problems: tuple[Problem, ...]
    plans: tuple[Plan, ...]
    outcomes: tuple[Outcome, ...]
    value: float
    first_value: float

    @property
    def cut_by_clock(self) -> bool:
        """Whether the time ran out on any day."""
        return any(plan.cut_by_clock for plan in self.plans)


def plan_week(
    days: Sequence[Problem],
    targets: WeekTargets,
    budget: Budget,
    past: Sequence[PastDay] = (),
    *,
    passes: int = 1,
    window_days: int = WINDOW,
) -> Week:
    """Plans days in a row; without a clock, the same days, targets and budget give the same week.

    To plan the rest of a week each morning, give the days that are left, and as `past` those that are over.

    Args:
        days: In order, one day apart. The history in them is of before `past`.
        targets: Of the week, those days included that are over.
        budget: Of each day and pass, so that all takes at most (1 + passes) times as long as the days alone.
        past: The week's days that are over; `days_ago` counts from the first of `days`.
        passes: How often each day is planned again with all others known.
        window_days: How far mates and contacts count.

    Raises:
        InfeasibleError: No plan of one of the days keeps every hard rule; the sentence says on which.

    Example:
        `plan_week([tuesday, wednesday], WeekTargets(teacher_seats=1), Budget(), [PastDay(1, monday)])`
    """
    week = WeekProblem(tuple(days), targets, tuple(past), window_days)
    held: list[Sessions] = []
    cut = [False] * len(days)
    quick = replace(budget, bound_rounds=0)
    for at in range(len(days)):
        found = _plan_day(week.ask_next(at, held), at, quick)
        held.append(found.sessions)
        cut[at] = found.cut_by_clock
    value = first_value = week.value(held)
    for turn in range(passes):
        for at in range(len(days)):
            found = _plan_day(week.ask_again(at, held), at, replace(quick, seed=budget.seed + turn + 1))
            trial = [*held[:at], found.sessions, *held[at + 1 :]]
            new = week.value(trial)
            if new > value and week.allows(trial):
                held, value = trial, new
            cut[at] |= found.cut_by_clock
    problems = tuple(week.ask_next(at, held[:at]) for at in range(len(days)))
    plans = tuple(
        replace(
            prove_plan(build_data(problem), describe_plan(problem, sessions, "searched"), budget.bound_rounds),
            cut_by_clock=late,
        )
        for problem, sessions, late in zip(problems, held, cut, strict=True)
    )
    outcomes = tell_outcomes(days, targets, week.remember(held, len(days)), past)
    return Week(problems, plans, outcomes, value, first_value)


def _plan_day(problem: Problem, at: int, budget: Budget) -> Plan:
    try:
        return suggest_groups(problem, budget)
    except InfeasibleError as error:
        told = (
            replace(each, sentence=f"On day {at + 1} of those to plan: {each.sentence}") for each in error.conflicts
        )
        raise InfeasibleError(tuple(told)) from None
