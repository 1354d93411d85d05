"""In which skills a team's students do worse than they do elsewhere: a funnel comparison of skills, never of adults.

A student's answers on a skill are held against the same student's answers to everything, each answer against how often
others get that question right. So neither hard questions nor students who find everything hard make a skill look bad.

Source: Spiegelhalter 2005, Funnel plots for comparing institutional performance, doi 10.1002/sim.1970, with his
multiplicative correction where skills differ by more than chance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.profiles.kernel import COLUMNS
from serving.models.snapshot import Snapshot

ON_SKILL, OWN = "skill_residual_ewm_20", "student_residual_ewm_05"
"""Columns of profiles: how far a student's answers on a skill, and to everything, lie from what others reach."""

LEAST_STUDENTS = 20
"""Students of whom a skill is compared, at least: of fewer one could be known, and chance says more than the skill."""

LEAST_ANSWERS = 5
"""First attempts on a skill from which on a student counts for it."""

WARN, ALARM = 1.96, 3.09
"""Standard errors of the limits within which 95 % and 99.8 % of skills lie by chance."""

WINSORIZED = 0.1
"""Share of skills at each end that do not tell how much skills differ anyway."""


@dataclass(frozen=True)
class SkillComparison:
    """One skill.

    Attributes:
        skill_id: The skill.
        students: How many students count.
        difference: By how much the share of right answers lies above what the same students reach elsewhere, -1 to 1.
        deviations: The same in standard errors.
    """

    skill_id: str
    students: int
    difference: float
    deviations: float

    @property
    def is_behind(self) -> bool:
        """Whether it lies below the wide limit: hardly by chance."""
        return self.deviations < -ALARM


@dataclass(frozen=True)
class Funnel:
    """The skills of a team beside each other.

    Attributes:
        skills: Those with enough students, the one furthest behind first.
        center: The mean difference of all students on all skills, from which skills are measured.
        spread: Standard deviation of one student's difference, with what skills differ by more than chance.
        too_few: Skills that too few students have practiced.
    """

    skills: tuple[SkillComparison, ...]
    center: float
    spread: float
    too_few: int

    def limit(self, students: int, deviations: float) -> float:
        """The difference at so many standard errors from the center."""
        return self.center + deviations * self.spread / math.sqrt(students)


def compare_skills(snapshot: Snapshot, students: Sequence[str]) -> Funnel:
    """The skills that a team's students practiced, with the limits of chance.

    Args:
        snapshot: Profiles.
        students: Ids of the team's students.
    """
    at = snapshot.rows_of(students)
    known = [student for student in students if student in snapshot.position]
    owner = np.repeat(known, [snapshot.row_count(student) for student in known])
    overall = {student: snapshot.student_facts.of(student).get(OWN, math.nan) for student in known}
    rows = snapshot.rows[at]
    gap = rows[:, COLUMNS.index(ON_SKILL)] - np.array([overall[student] for student in owner.tolist()])
    enough = (rows[:, COLUMNS.index("skill_opportunities")] >= LEAST_ANSWERS) & ~np.isnan(gap)
    names = snapshot.skills[at]
    single = np.array([skill in snapshot.skill_ids for skill in names.tolist()], bool)
    return draw_limits(names[enough & single].tolist(), gap[enough & single].astype(float))


def draw_limits(skills: Sequence[str], gaps: npt.NDArray[np.float64]) -> Funnel:
    """The funnel of differences.

    Args:
        skills: The skill of each difference.
        gaps: What each student reaches on a skill beyond the student's own usual.

    Example:
        >>> gaps = np.array([0.1, -0.1] * 12 + [-0.4, -0.6] * 12)
        >>> funnel = draw_limits(["a"] * 24 + ["b"] * 24, gaps)
        >>> [skill.skill_id for skill in funnel.skills]
        ['b', 'a']
    """
    named = np.array(skills)
    groups = {skill: gaps[named == skill] for skill in sorted(set(skills))}
    large = {skill: found for skill, found in groups.items() if len(found) >= LEAST_STUDENTS}
    if not large:
        return Funnel((), 0.0, 0.0, len(groups))
    center = float(np.mean(np.concatenate(list(large.values()))))
    within = math.sqrt(
        sum(float(np.var(found, ddof=1)) * len(found) for found in large.values()) / sum(map(len, large.values()))
    )
    scores = np.array([(found.mean() - center) * math.sqrt(len(found)) / max(within, 1e-9) for found in large.values()])
    low, high = np.quantile(scores, [WINSORIZED, 1 - WINSORIZED])
    spread = within * math.sqrt(max(1.0, float(np.mean(np.clip(scores, low, high) ** 2))))
    found = [
        SkillComparison(
            skill,
            len(values),
            float(values.mean()),
            float((values.mean() - center) * math.sqrt(len(values)) / max(spread, 1e-9)),
        )
        for skill, values in large.items()
    ]
    return Funnel(tuple(sorted(found, key=lambda each: each.deviations)), center, spread, len(groups) - len(large))
