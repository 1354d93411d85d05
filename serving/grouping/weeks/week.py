"""Plans several days in a row towards the targets of a week: each day knows the others, and which targets are due.

A first pass plans day after day. Later passes plan each day once more with all others as history, those before it and
those after it, and keep a new day that makes the week better (coordinate ascent). That is exact for repeat groupmates,
since a week counts meetings in any order, for needs, of which each session meets a share of what the others leave open,
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
    describe_outcomes,
    find_coaching_due,
    find_supervisors,
    find_teacher_time_due,
)

FULL = 10
"""Meetings added to those of two students who have shared as many sessions of the week as they should."""

TEACHER_TIME_DUE = 1.0
"""Least points of a seat with a teacher that is due: more than any need that the seat could meet instead.

Otherwise students in greatest need would take the places with a teacher every day.
"""

COACHED = 2.0
"""Least points of a coached session that is due: about a group that the second adult could lead.

Otherwise two adults who could both lead would never share a session.
"""

Sessions = tuple[Session, ...]


@dataclass(frozen=True, slots=True)
class WeekProblem:
    """Days in a row, their targets, and the days of the week that are over."""

    days: tuple[Problem, ...]
    targets: WeekTargets
    past: tuple[PastDay, ...]
    window_days: int

    def remember(self, held: Sequence[Sessions], seen_from: int) -> list[PastDay]:
        """Returns the planned days as the history of another day, which may lie before them."""
        return [
            remember_day(self.days[at], sessions, seen_from - at) for at, sessions in enumerate(held) if at != seen_from
        ]

    def build_day(self, at: int, held: Sequence[Sessions]) -> Problem:
        """Returns a day with the sessions of others as its history, and with the targets that are due on it.

        The day after those held takes its share of what the week still misses; a day among those held takes all of it.
        """
        days = self.days[at:] if at == len(held) else self.days[at : at + 1]
        others = self._list_others(at, held)
        due = find_teacher_time_due(days, self.targets, others)
        return self._build(at, held, due, find_coaching_due(days, self.targets, others))

    def value(self, held: Sequence[Sessions]) -> float:
        """Returns the points of all days in a row, with load and targets counted once for the week."""
        points = []
        for at, sessions in enumerate(held):
            problem = self._build(at, held[:at], frozenset(), ())
            weights = replace(problem.weights, load=0.0)
            points.append(score_plan(replace(problem, weights=weights), sessions).total)
        weights, days = self._raise_weights(self.days[0].weights), [*self.past, *self.remember(held, len(held))]
        seats = count_seats_with(days, find_supervisors(self.days))
        present = sorted({student.id for day in self.days for student in day.students if student.blocks})
        missing = sum(max(0, self.targets.teacher_seats - seats[student]) for student in present)
        coached = count_coached(days)
        shared = sum(min(asked.sessions, coached[asked.pair]) for asked in self.targets.coaching)
        off = math.fsum(abs(blocks) for blocks in count_load_off(days).values())
        points += [weights.coaching * shared, -weights.teacher_time_due * missing, -weights.load * off]
        return math.fsum(points)

    def allows(self, held: Sequence[Sessions]) -> bool:
        """Returns whether every day keeps the hard rules, with the days before it as history."""
        return not any(find_violations(self.build_day(at, held[:at]), sessions) for at, sessions in enumerate(held))

    def _list_others(self, at: int, held: Sequence[Sessions]) -> list[PastDay]:
        return [*(replace(day, days_ago=day.days_ago + at) for day in self.past), *self.remember(held, at)]

    def _build(self, at: int, held: Sequence[Sessions], due: frozenset[str], coaching: tuple[Coaching, ...]) -> Problem:
        day, others, open_share = self.days[at], self._list_others(at, held), self._open_shares(at, held)
        asked = sorted((*day.coaching, *coaching), key=lambda pair: pair.sessions)  # of a pair the most counts
        problem = replace(
            carry_history(day, others, self.window_days),
            needs=tuple(replace(n, need=n.need * open_share.get((n.student, n.skill), 1.0)) for n in day.needs),
            coaching=tuple({pair.pair: pair for pair in asked}.values()),
            weights=self._raise_weights(day.weights),
        )
        students = tuple(
            replace(student, teacher_time_due=student.teacher_time_due or student.id in due)
            for student in problem.students
        )
        return replace(problem, students=students, recent_groupmates=self._mark_groupmates(problem, others))

    def _raise_weights(self, weights: Weights) -> Weights:
        """Returns the weights of a day, at least as high as the targets need."""
        teacher_time_due = max(TEACHER_TIME_DUE if self.targets.teacher_seats else 0.0, weights.teacher_time_due)
        coaching = max(COACHED if self.targets.coaching else 0.0, weights.coaching)
        return replace(weights, teacher_time_due=teacher_time_due, coaching=coaching)

    def _open_shares(self, at: int, held: Sequence[Sessions]) -> dict[Pair, float]:
        """Returns the share of each need that the sessions of other days leave open."""
        shares: dict[Pair, float] = {}
        for day, sessions in enumerate(held):
            ledger = Ledger(self.days[day], sessions)
            for session in ledger.led if day != at else ():
                lead = ledger.adults[session.adults[0]]
                quality = ledger.qualification(lead.id, session.skill)
                for student in session.students:
                    pair = student, session.skill or ""
                    low_evidence = pair in ledger.needs and ledger.needs[pair].low_evidence
                    effect = ledger.effect(session.session_type, lead.role, low_evidence=low_evidence)
                    shares[pair] = shares.get(pair, 1.0) * (1 - quality * effect)
        return shares

    def _mark_groupmates(self, problem: Problem, others: Sequence[PastDay]) -> tuple[GroupmateCount, ...]:
        """Returns the groupmates; who shared as many sessions of the week as they should have met `FULL` times more."""
        most = self.targets.most_together
        if most is None:
            return problem.recent_groupmates
        shared = count_groupmates(others, {student.id for student in problem.students})
        counts = Counter({(mate.first, mate.second): mate.sessions for mate in problem.recent_groupmates})
        counts.update({pair: FULL for pair, sessions in shared.items() if sessions >= most})
        return tuple(GroupmateCount(*pair, sessions) for pair, sessions in counts.items())


WINDOW = 21
"""Days over which groupmates and contacts count."""


@dataclass(frozen=True, slots=True)
class Week:
    """Several days in a row.

    Attributes:
        problems: the days as planned, with the days before them as history and the targets due on each.
        plans: one for each day.
        outcomes: one for each target.
        value: the days' scores, with loads and targets counted over the whole week; only plans of one week compare.
        first_value: the value after the first pass.
    """

    problems: tuple[Problem, ...]
    plans: tuple[Plan, ...]
    outcomes: tuple[Outcome, ...]
    value: float
    first_value: float

    @property
    def cut_by_clock(self) -> bool:
        """Returns whether the time ran out on any day."""
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

    To plan the rest of a week each morning, pass the days that are left, and as `past` those that are over.

    Args:
        days: days in order, one day apart; the history in them lies before `past`.
        targets: targets of the whole week, the days in `past` included.
        budget: for each day and pass, so that all takes at most (1 + passes) times as long as the days alone.
        past: the week's days that are over; `days_ago` counts from the first of `days`.
        passes: how often each day is planned again with all others known.
        window_days: how far back, and forth, groupmates and contacts count.

    Raises:
        InfeasibleError: no plan of one of the days keeps every hard rule; the sentence names the day.

    Example:
        `plan_week([tuesday, wednesday], WeekTargets(teacher_seats=1), Budget(), [PastDay(1, monday)])`
    """
    week = WeekProblem(tuple(days), targets, tuple(past), window_days)
    held: list[Sessions] = []
    cut = [False] * len(days)
    quick = replace(budget, bound_rounds=0)
    for at in range(len(days)):
        found = _plan_day(week.build_day(at, held), at, quick)
        held.append(found.sessions)
        cut[at] = found.cut_by_clock
    value = first_value = week.value(held)
    for turn in range(passes):
        for at in range(len(days)):
            found = _plan_day(week.build_day(at, held), at, replace(quick, seed=budget.seed + turn + 1))
            trial = [*held[:at], found.sessions, *held[at + 1 :]]
            new = week.value(trial)
            if new > value and week.allows(trial):
                held, value = trial, new
            cut[at] |= found.cut_by_clock
    problems = tuple(week.build_day(at, held[:at]) for at in range(len(days)))
    plans = tuple(
        replace(
            prove_plan(build_data(problem), describe_plan(problem, sessions, "searched"), budget.bound_rounds),
            cut_by_clock=late,
        )
        for problem, sessions, late in zip(problems, held, cut, strict=True)
    )
    outcomes = describe_outcomes(days, targets, week.remember(held, len(days)), past)
    return Week(problems, plans, outcomes, value, first_value)


def _plan_day(problem: Problem, at: int, budget: Budget) -> Plan:
    try:
        return suggest_groups(problem, budget)
    except InfeasibleError as error:
        day = f"On day {at + 1} of those to plan: "
        conflicts = tuple(replace(conflict, sentence=day + conflict.sentence) for conflict in error.conflicts)
        raise InfeasibleError(conflicts) from None
