"""Insight: where a team's students do worse than expected: skills, units, items, blocks, products, kinds of session.

Skills stand beside what the same students' other answers let expect, everything else beside the forecasts made just
before. Adults are nowhere among them: who sits with whom is assigned by need, so that a comparison would say who was
assigned. Skills are named by the answers of the whole school: of one team's, chance would name too many.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import pandas as pd

from features.errors import MissingError, UnavailableError
from features.events.live.answers import read_students_events, to_table
from features.events.log.store import read_events
from features.roster import SkillMap, Team
from serving.access.caller import Caller
from serving.access.visibility import find_roster
from serving.models.insight.comparison import (
    ALARM,
    NAMED,
    Comparison,
    Funnel,
    compare_items,
    draw_funnel,
    group_by,
)
from serving.models.insight.residuals import Ints, Residuals, measure_residuals
from serving.models.insight.shifts import Expected, expect_answers
from serving.models.snapshot import Snapshot
from serving.plans.practice.insight.session_contrast import (
    WAITED,
    Contrast,
    HeldSession,
    contrast_sessions,
    group_by_session,
    list_held,
)
from serving.plans.problem import skill_name
from serving.plans.recommend import Planner

WEEKS = 3
"""Weeks whose answers are compared."""

ITEM_WEEKS = 12
"""The same for items, each of which few students meet in so short a time."""

MOST_STUDENTS = 600
"""Students of a school whose answers are read, those of the team first."""

OUTSIDE = "outside of blocks"

SCHOOL: Literal["skill"] = "skill"
TEAM: Literal["skill in this team"] = "skill in this team"

Kind = Literal["skill", "skill in this team", "unit", "item", "block", "product", "session kind"]

KINDS: tuple[Kind, ...] = (SCHOOL, TEAM, "unit", "item", "block", "product", "session kind")
"""What is compared, in order: skills, items and products over the school, everything else within the team."""


@dataclass(frozen=True)
class Part:
    """Things of one kind beside each other.

    Attributes:
        kind: One of `KINDS`.
        funnel: The comparison; keys are ids of skills, items and products, and names of the others.
        names: What people call a key, where that differs.
    """

    kind: Kind
    funnel: Funnel
    names: Mapping[str, str]

    def name(self, each: Comparison) -> str:
        """What people call one of those compared."""
        return self.names.get(each.key, each.key)

    @property
    def named(self) -> tuple[Comparison, ...]:
        """Those that are behind, so that it is worth saying; only skills of the whole school and items ever are.

        There are many items, so that only the widest limit leaves few to chance.
        """
        limit = {SCHOOL: NAMED, "item": ALARM}.get(self.kind, math.inf)
        return tuple(each for each in self.funnel.compared if each.deviations < -limit)


@dataclass(frozen=True)
class Insight:
    """What the answers of a team's students say of the teaching, and of nobody.

    Attributes:
        team: The team.
        skills: Names of skills.
        snapshot: What it rests on.
        until: Answers before this moment count, UTC; null where there is nothing to compare.
        parts: The comparisons, in the order of `KINDS`.
        contrasts: Answers before and after sessions beside those of similar students who waited.
    """

    team: Team
    skills: SkillMap
    snapshot: Snapshot
    until: datetime | None
    parts: tuple[Part, ...]
    contrasts: tuple[Contrast, ...]


def make_insight(planner: Planner, caller: Caller, team_id: str) -> Insight:
    """Compares what a team's students answered with what was to be expected.

    Raises:
        NotFoundError: There is no such team, or none that the caller may know of.
        NotReadyError: There is no model or no roster yet.
    """
    served = planner.served()
    team, roster = find_roster(planner.rosters, caller, team_id)
    others = sorted(roster.school_students.difference(team.members))
    students = (*team.members, *others)[:MOST_STUDENTS]
    snapshot = planner.live.restrict(served, students, roster.school_students, roster.latest_event)
    until = snapshot.data_as_of
    expected = None
    if until is not None:
        expected = snapshot.cache.get(
            ("residuals", team_id),
            lambda: _read_answers(planner, served, students, until),
            version=(students, snapshot.live_through),
        )
    if expected is None or until is None:
        nothing = tuple(Part(kind, Funnel(), {}) for kind in KINDS)
        return Insight(team, roster.skills, snapshot, None, nothing, ())
    held = list_held(planner, caller, team, (until - timedelta(weeks=WEEKS)).date(), until.date())
    parts, answers = compare_answers(expected, team, roster.skills, held), expected.answers
    own = answers.take(answers.students.isin(team.members)[answers.student] & np.isfinite(answers.forecast))
    return Insight(team, roster.skills, snapshot, until, parts, contrast_sessions(own, held, roster.skills))


def _read_answers(planner: Planner, served: Snapshot, students: Sequence[str], until: datetime) -> Expected | None:
    """The students' answers and what was to be expected; null where the event log or the statistics are not at hand."""
    statistics = served.statistics
    try:
        events = read_events(planner.settings.home, students=students)
        live = to_table(read_students_events(planner.database, students))
    except (MissingError, UnavailableError):
        return None
    if statistics is None:
        return None
    joined = pd.concat([events, live[~live["event_id"].isin(events["event_id"])]], ignore_index=True)
    weeks_ago = {weeks: to_microseconds(until - timedelta(weeks=weeks)) for weeks in (0, WEEKS, ITEM_WEEKS)}
    answers = measure_residuals(served.mastery, statistics, joined, weeks_ago[ITEM_WEEKS], weeks_ago[0])
    return expect_answers(answers, weeks_ago[WEEKS])


def compare_answers(expected: Expected, team: Team, skills: SkillMap, held: Sequence[HeldSession]) -> tuple[Part, ...]:
    """Every comparison, in the order of `KINDS`.

    Args:
        expected: The school's answers and what was to be expected, with forecasts in the last twelve weeks.
        team: The team, whose unit, blocks and sessions are compared.
        skills: Names, subjects and grades of skills.
        held: Its sessions with an adult.
    """
    recent = expected.answers.take(expected.answers.moment >= expected.since)
    forecast = expected.answers.take(np.isfinite(expected.answers.forecast))
    mine = recent.students.isin(team.members)
    own = recent.take(mine[recent.student])
    by_skill = own.by_skill()
    usual = draw_funnel(own, by_skill)
    units = {
        unit: _unite([by_skill[skill] for skill in its]) for unit, its in name_units(team, skills, by_skill).items()
    }
    sessions = group_by_session(own, held)
    found = {
        SCHOOL: expected.compare_skills(),
        TEAM: expected.compare_skills(mine),
        "unit": draw_funnel(own, units, usual),
        "item": compare_items(forecast),
        "block": draw_funnel(own, group_by(name_blocks(own, team)), usual),
        "product": draw_funnel(recent, group_by(recent.source.tolist()), usual),
        "session kind": draw_funnel(own, sessions if set(sessions) - {WAITED} else {}, usual),
    }
    names = {skill: skill_name(skills, skill) for skill in recent.by_skill()}
    return tuple(Part(kind, found[kind], names if kind in {SCHOOL, TEAM} else {}) for kind in KINDS)


def name_units(team: Team, skills: SkillMap, practiced: Collection[str]) -> dict[str, list[str]]:
    """The practiced skills of each unit by its name: the current one, those of series, and subjects by grade.

    What holds all skills that the team practiced, or none, is left out: it has nothing to stand beside.
    """
    units = {"the current unit": set(team.focus)}
    for series in team.series:
        units["series: " + ", ".join(skill_name(skills, skill) for skill in series.skills)] = set(series.skills)
    for skill in skills.skills.values():
        if skill.subject is not None:
            words = skill.subject if skill.grade is None else f"{skill.subject}, grade {skill.grade}"
            units.setdefault(words, set()).add(skill.skill_id)
    return {
        name: sorted(its & set(practiced))
        for name, its in units.items()
        if its & set(practiced) and set(practiced) - its
    }


def name_blocks(answers: Residuals, team: Team) -> list[str]:
    """The block of each answer by the school's own clock, such as `mon 08:30-09:20` without its day."""
    blocks = [(block.weekday, f"{block.start:%H:%M}", f"{block.end:%H:%M}") for block in team.blocks]
    names = []
    for moment in answers.moment.tolist():
        local = datetime.fromtimestamp(moment / 1_000_000, UTC).astimezone()
        day, clock = f"{local:%a}".lower(), f"{local:%H:%M}"
        inside = (f"{start}-{end}" for weekday, start, end in blocks if weekday == day and start <= clock < end)
        names.append(next(inside, OUTSIDE))
    return names


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return int(moment.timestamp() * 1_000_000)


def _unite(parts: Sequence[Ints]) -> Ints:
    return np.unique(np.concatenate(parts))
