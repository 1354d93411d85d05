"""Plans one school day after the other for a team, by any policy, with what happened as the next day's history.

The day is stated as the service states it, and what was planned is held as planned. Who is absent is drawn by the
school's seed and the day alone, so that all policies plan the same days.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Protocol

import numpy as np

from experiments.benchmarks.planner.days.schools import OpenSchool
from features.roster import PastSession, Team
from serving.grouping import Budget, InfeasibleError, Plan, Problem, Session, suggest_groups
from serving.models.forecasts import SkillForecast
from serving.plans.cycles.cycle import Grouping, carry_grouping, read_grouping
from serving.plans.cycles.series import Unit
from serving.plans.need.needs import Candidate, list_candidates
from serving.plans.problem import Absence, DayRequest
from serving.plans.problem import state_day as state_request
from serving.plans.rules.policy import load_policy
from serving.settings import Settings

STUDENT_AWAY, ADULT_AWAY = 0.06, 0.02
"""Chance of an absence on a school day; at most one adult is away at once, and a substitute comes if nobody else can
supervise the students."""

SCHOOL_WEEK = 5
"""Days from Monday to Friday."""


@dataclass(frozen=True)
class StatedDay:
    """A day as a policy sees it.

    Attributes:
        number: School days since the first, from 0.
        day: The date.
        team: The team, whose past sessions are all that was held before.
        forecasts: What is known of its students this morning.
        candidates: The needs that the service finds, and the forecasts that they come from.
        problem: The day as the service states it.
        history: The days before, oldest first.
        weekly: Whether the team regroups once a week.
        grouping: Of such a team's week, on later days than its first; null otherwise.
    """

    number: int
    day: date
    team: Team
    forecasts: Sequence[SkillForecast]
    candidates: Sequence[Candidate]
    problem: Problem
    history: "Sequence[HeldDay]"
    weekly: bool = False
    grouping: Grouping | None = None

    @property
    def unit(self) -> Unit:
        """What a cycle asks of the students."""
        known = {(forecast.student, forecast.skill): forecast for forecast in self.forecasts}
        return Unit(known, load_policy().need.extend, {skill.id: skill.name for skill in self.problem.skills})


@dataclass(frozen=True)
class HeldDay:
    """A day that was planned and held.

    Attributes:
        stated: The day as it was planned.
        sessions: What was held; empty where the policy found no plan.
        plan: The plan with its reasons; null for a policy that gives none.
    """

    stated: StatedDay
    sessions: tuple[Session, ...]
    plan: Plan | None = None

    @property
    def refused(self) -> bool:
        """Whether no plan was found."""
        return not self.sessions

    @property
    def problem(self) -> Problem:
        """The problem that the service planned: within a week, with the week's groups wanted."""
        return carry_grouping(self.stated.problem, self.stated.grouping, self.stated.unit)


Proposed = tuple[tuple[Session, ...], Plan | None]
"""Sessions, and the plan that says why; null where the policy gives no reasons."""

Policy = Callable[[StatedDay], Proposed]
"""Plans a day; raises `InfeasibleError` where it finds no plan."""


class Life(Protocol):
    """What students know from day to day."""

    def forecast(self, number: int, day: date) -> Sequence[SkillForecast]:
        """Returns the forecasts on the morning of a school day."""

    def hold(self, held: HeldDay) -> None:
        """Lets the students live through a day that was planned."""


@dataclass(frozen=True)
class Standstill:
    """Students who learn and forget nothing, so that their needs stay as they are on the first day."""

    forecasts: Sequence[SkillForecast]

    def forecast(self, number: int, day: date) -> Sequence[SkillForecast]:  # noqa: ARG002 - the same every day
        """Returns the forecasts of the first day."""
        return self.forecasts

    def hold(self, held: HeldDay) -> None:
        """Changes nothing."""


def plan_as_served(budget: Budget) -> Policy:
    """Returns the policy of the service: its own planner in the team's rhythm, with this budget."""

    def plan(stated: StatedDay) -> Proposed:
        found = suggest_groups(carry_grouping(stated.problem, stated.grouping, stated.unit), budget)
        return found.sessions, found

    return plan


def run_days(school: OpenSchool, policy: Policy, days: int, life: Life | None = None) -> Iterator[HeldDay]:
    """Plans and holds school days one after the other, from the first Monday after the school's log.

    Args:
        school: The school on the morning of the first day.
        policy: Plans each day.
        days: How many school days.
        life: What students know; null = needs stay as they are.
    """
    living = Standstill(school.forecasts) if life is None else life
    held: list[HeldDay] = []
    for number in range(days):
        stated = state_day(school, living, held, number)
        try:
            sessions, plan = policy(stated)
        except InfeasibleError:
            sessions, plan = (), None
        held.append(HeldDay(stated, sessions, plan))
        living.hold(held[-1])
        yield held[-1]


def state_day(school: OpenSchool, life: Life, held: Sequence[HeldDay], number: int) -> StatedDay:
    """Returns a school day as the service would state it, after the days that were held.

    Args:
        school: The school.
        life: What students know.
        held: The days before.
        number: School days since the first, from 0.
    """
    day = date_of(school, number)
    happened = tuple(session for before in held for session in to_past_sessions(before))
    team = replace(school.team, past_sessions=(*school.team.past_sessions, *happened))
    forecasts = life.forecast(number, day)
    policy = load_policy()
    most = Settings.model_fields["max_candidates"].default
    candidates = list_candidates(team, school.skills, forecasts, policy.need, most, school.as_of)
    students, adults = draw_absences(school, number)
    grouping = _find_grouping(held, number)
    request = DayRequest(day, absences=(*students, *adults), grouping=grouping)
    stated = state_request(team, school.skills, request, candidates, policy, school.practice)
    if adults and not _can_be_supervised(stated.problem):
        request = replace(request, absences=students)
        stated = state_request(team, school.skills, request, candidates, policy, school.practice)
    weekly = stated.policy.settings["regroup"] == "weekly"
    return StatedDay(number, day, team, forecasts, candidates, stated.problem, tuple(held), weekly, grouping)


def draw_absences(school: OpenSchool, number: int) -> tuple[tuple[Absence, ...], tuple[Absence, ...]]:
    """Returns who is away on a school day: students, and at most one adult."""
    random = np.random.default_rng([school.seed, 16, number])
    away = random.random(len(school.team.members)) < STUDENT_AWAY
    students = tuple(Absence(student=student) for student, it in zip(school.team.members, away, strict=True) if it)
    adults = [adult.staff_id for adult in school.team.staff]
    sick = random.random() < ADULT_AWAY * len(adults)
    return students, (Absence(staff=adults[random.integers(len(adults))]),) if sick else ()


def to_past_sessions(held: HeldDay) -> Iterator[PastSession]:
    """Yields what a day adds to the roster, as the service records an accepted plan."""
    for session in held.sessions:
        lead = session.adults[0] if session.led else None
        yield PastSession(
            held.stated.day, held.stated.team.team_id, session.block, lead, session.skill, session.students
        )


def date_of(school: OpenSchool, number: int) -> date:
    """Returns the date of a school day, counted from 0: the first is the first Monday after the school's log."""
    first = school.simulated.config.end
    monday = first + timedelta(days=-first.weekday() % 7)
    return monday + timedelta(days=number // SCHOOL_WEEK * 7 + number % SCHOOL_WEEK)


def _find_grouping(held: Sequence[HeldDay], number: int) -> Grouping | None:
    """Returns what the week began with, on its later days, where the team regroups once a week."""
    first = number - number % SCHOOL_WEEK
    if first == number or not held[first].stated.weekly or held[first].refused:
        return None
    return read_grouping(held[first].stated.problem, held[first].sessions, ())


def _can_be_supervised(problem: Problem) -> bool:
    """Says whether in every block the adults there may supervise all students online."""
    for block in problem.blocks:
        students = sum(block.id in student.blocks for student in problem.students)
        adults = sum(block.id in adult.blocks and "online" in adult.session_types for adult in problem.adults)
        if students > adults * problem.students_per_monitor:
            return False
    return True
