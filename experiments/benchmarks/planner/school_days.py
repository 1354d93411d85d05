"""Many school days in a row, each planned with the days before it as history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from experiments.benchmarks.planner.moving_team import MovingTeam
from serving.grouping.problem.history import PastDay, carry_history, remember_day
from serving.grouping.problem.places import Seat
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

SCHOOL_WEEK = 5
"""Days from Monday to Friday."""

WINDOW = 21
"""Days, weekends counted, in which sessions count as lately; as in `serving/plans/policy.toml`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How the dials stand.

    Attributes:
        weights: Of soft terms, the others at their defaults.
        keep_yesterday: Whether yesterday's seats are given as an earlier plan, so that changing one has its price.
        most_catch_up_days: The cap; none if null.
        rooms: Besides the hall; all that the team has if null.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    keep_yesterday: bool = False
    most_catch_up_days: int | None = None
    rooms: int | None = None


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """One day as it was planned and held.

    Attributes:
        date: Days since the first Monday, weekends counted.
        problem: With the history that the planner saw.
    """

    date: int
    problem: Problem
    sessions: tuple[Session, ...]


def simulate_days(students: int, seed: int, days: int, setting: Setting, budget: Budget) -> list[SchoolDay]:
    """Plans and holds one day after the other.

    Args:
        students: A size of `days.SIZES`.
        seed: Of the team and its absences.
        days: School days, five to a week.
        setting: Of the dials.
        budget: For each day.
    """
    team, held = MovingTeam(students, seed), list[SchoolDay]()
    for at in range(days):
        date = at // SCHOOL_WEEK * 7 + at % SCHOOL_WEEK
        drawn = team.draw_problem(at)
        problem = replace(
            carry_history(drawn, remember(held, date), WINDOW),
            most_catch_up_days=setting.most_catch_up_days,
            weights=replace(drawn.weights, **setting.weights),
            rooms=(drawn.rooms or ())[: None if setting.rooms is None else 1 + setting.rooms],
            previous=list_seats(held[-1]) if held and setting.keep_yesterday else (),
        )
        sessions = suggest_groups(problem, budget).sessions
        held.append(SchoolDay(date, problem, sessions))
        team.learn(problem, sessions)
    return held


def remember(held: Sequence[SchoolDay], date: int) -> list[PastDay]:
    """Days that were held, as a later day's history."""
    return [remember_day(day.problem, day.sessions, date - day.date) for day in held]


def list_seats(day: SchoolDay) -> tuple[Seat, ...]:
    """Every seat of a day, online ones too."""
    return tuple(
        Seat(student, s.block, s.modality, s.skill, s.adults[0] if s.led else None)
        for s in day.sessions
        for student in s.students
    )
