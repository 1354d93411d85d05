"""Plans three weeks of one school by one policy after the other, and judges each by what students know by then."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import logit

from experiments.benchmarks.planner.baselines import plan_baseline
from experiments.benchmarks.planner.days.run import (
    SCHOOL_WEEK,
    HeldDay,
    Policy,
    Proposed,
    StatedDay,
    date_of,
    plan_as_served,
    state_day,
)
from experiments.benchmarks.planner.days.schools import OpenSchool, open_school
from experiments.benchmarks.planner.days.teacher_greedy import find_urgent_or_lost, plan_greedily
from experiments.benchmarks.planner.policies.before import state_before
from experiments.benchmarks.planner.policies.learning import LearningLife
from experiments.simulation.knowledge import Grid
from experiments.simulation.teaching import Level
from features.roster import Block, SkillMap
from serving.grouping import Budget, InfeasibleError, remember_day, suggest_groups
from serving.grouping.problem.history import count_load_off

OURS = "regroup"

BUDGET = Budget(seatings=1, bound_rounds=0)
"""Of each day, ours and the one of before; counted in rounds, so that plans are the same everywhere."""

AT_ONCE = 5
"""Students whom the greedy teacher takes at a time."""

QUARTER, HALF = 0.25, 0.5


@dataclass(frozen=True)
class Outcome:
    """What three weeks by one policy came to; the truth is the simulator's.

    Skills that count are those up to the unit of the last day: no policy gains by teaching what is not due yet.

    Attributes:
        need_met: Main figure. Need met by the truth: chance to struggle before a session x logits that the student
            learned in it, summed over the places in sessions led by an adult, by student.
        need_met_forecast: The same with the morning's struggle risk in place of the true chance.
        struggle_removed: Chance to struggle before the session less after it, summed likewise.
        lowest_quartile: Chance to know an average item of the skills that count on the morning after the last day,
            mean over the quarter of the students who knew least before the first.
        proficiency: The same, over all students.
        still_struggling: Share of pairs that count with a true chance to struggle of a half or more at the end.
        load: Blocks by which an adult's duties lie off an even share, mean over adults and weeks.
        led: Sessions led by an adult, a day.
        seats: Places in them, by student and day.
        refused: Days without a plan.
        skills_a_week: Skills that count and that a student came to master, less those forgotten, by week: mastered is
            where the chance to know an average item is what the simulation holds enough to build on (`Behavior.ready`).
        skills_a_week_well: The same up to where there is little left to teach (`Behavior.taught_to`).
        gap: What the quarter who knew most on the first morning knows on the last, less what the lowest one knows.
        adult_minutes: Minutes in sessions led by an adult, by student and day.
        lowest_adult_minutes: The same of the lowest quartile.
    """

    need_met: float
    need_met_forecast: float
    struggle_removed: float
    lowest_quartile: float
    proficiency: float
    still_struggling: float
    load: float
    led: float
    seats: float
    refused: int
    skills_a_week: float
    skills_a_week_well: float
    gap: float
    adult_minutes: float
    lowest_adult_minutes: float


def _before(skills: SkillMap) -> Policy:
    def plan(stated: StatedDay) -> Proposed:
        problem = state_before(stated.problem, stated.team, skills, stated.forecasts, stated.day)
        found = suggest_groups(problem, BUDGET)
        return found.sessions, found

    return plan


def _teacher(stated: StatedDay) -> Proposed:
    return plan_greedily(stated.problem, find_urgent_or_lost(stated.forecasts), AT_ONCE), None


def _baseline(name: str) -> Policy:
    return lambda stated: (plan_baseline(stated.problem, name, stated.number), None)


def list_policies(skills: SkillMap) -> dict[str, Policy]:
    """Returns every policy by name, ours first.

    Args:
        skills: Prerequisites, which the needs of before are computed with.
    """
    return {
        OURS: plan_as_served(BUDGET),
        "random": _baseline("random"),
        "score_bands": _baseline("bands"),
        "clusters": _baseline("clusters"),
        "teacher_greedy": _teacher,
        "before": _before(skills),
    }


@dataclass(frozen=True)
class Compared:
    """One school by every policy.

    Attributes:
        teams: What each policy came to in each team that was planned.
    """

    kind: str
    seed: int
    level: Level
    teams: Mapping[str, Sequence[Outcome]]

    @cached_property
    def outcomes(self) -> Mapping[str, Outcome]:
        """What each policy came to, in the mean over teams."""
        return {policy: mean_of(outcomes) for policy, outcomes in self.teams.items()}


def compare_policies(
    kind: str,
    seed: int,
    levels: Sequence[Level],
    days: int,
    models: Path,
    without: Collection[str] = (),
    *,
    every_team: bool = False,
) -> list[Compared]:
    """Plans the same days of the same school by every policy.

    Args:
        kind: A kind of school.
        seed: Its seed.
        levels: Which thirds of the published effects of teaching apply, one after the other.
        days: School days.
        models: Folder of the models.
        without: Policies that are left out.
        every_team: Whether each team of the school is planned; else one is.
    """
    school = open_school(kind, seed, models)
    teams = list(school.each_team()) if every_team else [school]
    policies = {name: policy for name, policy in list_policies(school.skills).items() if name not in without}
    found = []
    for level in levels:
        lived = {name: [_live(team, level, policy, days) for team in teams] for name, policy in policies.items()}
        found.append(Compared(kind, seed, level, lived))
    return found


def mean_of(outcomes: Sequence[Outcome]) -> Outcome:
    """Returns the mean of every figure over the teams of a school; of `refused`, the sum."""
    each = {field.name: [getattr(outcome, field.name) for outcome in outcomes] for field in fields(Outcome)}
    means: dict[str, Any] = {name: float(np.mean(values)) for name, values in each.items()}
    return Outcome(**means | {"refused": sum(each["refused"])})


def _live(school: OpenSchool, level: Level, policy: Policy, days: int) -> Outcome:
    """Returns what some days of one team by one policy came to."""
    life = LearningLife(school, level)
    start = life.known(date_of(school, 0))
    return judge(life, hold_days(school, life, policy, days), start)


def hold_days(school: OpenSchool, life: LearningLife, policy: Policy, days: int) -> list[HeldDay]:
    """Plans and holds school days one after the other; a day that the policy cannot plan is spent online.

    Args:
        school: The school on the morning of the first day.
        life: What its students know; changed.
        policy: Plans each day.
        days: How many.
    """
    held: list[HeldDay] = []
    for number in range(days):
        stated = state_day(life.school_on(date_of(school, number)), life, held, number)
        try:
            sessions, plan = policy(stated)
        except InfeasibleError:
            sessions, plan = (), None
        held.append(HeldDay(stated, sessions, plan))
        life.hold(held[-1])
    return held


def judge(life: LearningLife, held: Sequence[HeldDay], before: Grid) -> Outcome:
    """Returns what the days that were held came to.

    Args:
        life: What the students know by now, and their lessons.
        held: The days.
        before: Logits above difficulty on the first morning, by student and skill.
    """
    after = held[-1].stated.day + timedelta(days=1)
    counted = life.truth.taught_by(held[-1].stated.day)
    known = life.known(after)[:, :counted]
    start, end = _proficiency(before[:, :counted]), _proficiency(known)
    order, quarter = np.argsort(start, kind="stable"), round(QUARTER * len(start))
    lowest, highest = order[:quarter], order[len(order) - quarter :]
    skill = {name: at for at, name in enumerate(life.truth.skill_ids)}
    lessons = [lesson for day in life.lessons for lesson in day if skill[lesson.taught.skill] < counted]
    earlier = np.array([lesson.taught.before for lesson in lessons])
    gained = np.array([lesson.taught.after for lesson in lessons]) - earlier
    chance, left = life.truth.chance_to_struggle(earlier), life.truth.chance_to_struggle(earlier + gained)
    risk = np.array([lesson.risk or 0.0 for lesson in lessons])
    students = len(start)
    led = [session for day in held for session in day.sessions if session.led]
    past = [remember_day(d.stated.problem, d.sessions, (after - d.stated.day).days) for d in held]
    off = list(count_load_off(past).values())
    weeks, behavior = len(held) / SCHOOL_WEEK, life.truth.behavior
    levels = float(logit(behavior.ready)), behavior.taught_to
    mastered = [((known >= level).sum() - (before[:, :counted] >= level).sum()) / students / weeks for level in levels]
    minutes = _count_minutes(held)
    of_lowest = [minutes[life.truth.students[at]] for at in lowest.tolist()]
    return Outcome(
        need_met=float((chance * gained).sum()) / students,
        need_met_forecast=float((risk * gained).sum()) / students,
        struggle_removed=float((chance - left).sum()) / students,
        lowest_quartile=float(end[lowest].mean()),
        proficiency=float(end.mean()),
        still_struggling=float((life.truth.chance_to_struggle(known) >= HALF).mean()),
        load=float(np.abs(off).mean()) / weeks,
        led=len(led) / len(held),
        seats=sum(len(session.students) for session in led) / students / len(held),
        refused=sum(day.refused for day in held),
        skills_a_week=float(mastered[0]),
        skills_a_week_well=float(mastered[1]),
        gap=float(end[highest].mean() - end[lowest].mean()),
        adult_minutes=sum(minutes.values()) / students / len(held),
        lowest_adult_minutes=sum(of_lowest) / len(lowest) / len(held),
    )


def _count_minutes(held: Sequence[HeldDay]) -> Counter[str]:
    """Returns the minutes of each student in sessions led by an adult."""
    minutes = Counter[str]()
    for day in held:
        length = {block.block_id: _minutes_of(block) for block in day.stated.team.blocks}
        for session in day.sessions:
            if session.led:
                minutes.update(dict.fromkeys(session.students, length[session.block]))
    return minutes


def _minutes_of(block: Block) -> int:
    return (block.end.hour - block.start.hour) * 60 + block.end.minute - block.start.minute


def _proficiency(above: Grid) -> Grid:
    share: Grid = (1 / (1 + np.exp(-above))).mean(axis=1)
    return share
