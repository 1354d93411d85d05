"""Plans several days in a row, so that the week reaches its targets: each day knows the others, and what is still owed.

A first pass plans day after day. Later passes plan each day once more with all others as history, those before it and
those after it, and keep what makes the week better (coordinate ascent). That is exact for repeat mates, since a week
counts pairs of meetings in whatever order, for needs, of which each session meets its share of what the others leave,
and for relationships, where the worth of the n-th meeting of two is 1 / n.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from serving.grouping.errors import InfeasibleError
from serving.grouping.history import PastDay
from serving.grouping.improve import Budget
from serving.grouping.layout import index_problem
from serving.grouping.plan import Plan
from serving.grouping.problem import Problem
from serving.grouping.solve import describe_plan, prove_plan, suggest_groups
from serving.grouping.weeks.outcomes import Outcome, tell_outcomes
from serving.grouping.weeks.targets import WeekTargets
from serving.grouping.weeks.week_problem import Sessions, WeekProblem

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
            prove_plan(index_problem(problem), describe_plan(problem, sessions, "searched"), budget.bound_rounds),
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
