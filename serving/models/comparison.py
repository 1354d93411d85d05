"""In which skills and units a team's students do worse than elsewhere: a funnel comparison of these, never of adults.

A student's answers on a skill are held against the same student's answers to everything, each answer against how often
others get that question right. So neither hard questions nor students who find everything hard make a skill look bad.

Source: Spiegelhalter 2005, Funnel plots for comparing institutional performance, doi 10.1002/sim.1970, with his
multiplicative correction where skills differ by more than chance.
"""

import math
from collections.abc import Collection, Mapping, Sequence
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
class Comparison:
    """One skill or unit.

    Attributes:
        key: Id of the skill, or what the unit is called.
        students: How many students count.
        difference: By how much the share of right answers lies above what the same students reach elsewhere, -1 to 1.
        deviations: The same in standard errors.
    """

    key: str
    students: int
    difference: float
    deviations: float

    @property
    def is_behind(self) -> bool:
        """Whether it lies below the wide limit: hardly by chance."""
        return self.deviations < -ALARM


@dataclass(frozen=True)
class Funnel:
    """The skills, or the units, of a team beside each other.

    Attributes:
        compared: Those with enough students, the one furthest behind first.
        center: The mean difference of all students on all skills, from which they are measured.
        spread: Standard deviation of one student's difference, times the inflation.
        inflation: By how much more skills differ than by chance, as a factor of 1 or more.
        too_few: Those that too few students have practiced.
    """

    compared: tuple[Comparison, ...]
    center: float
    spread: float
    inflation: float
    too_few: int

    def limit(self, students: int, deviations: float) -> float:
        """The difference at so many standard errors from the center."""
        return self.center + deviations * self.spread / math.sqrt(students)


@dataclass(frozen=True)
class Gaps:
    """What students reach on skills beyond their own usual: one element of each array is a student on a skill.

    Attributes:
        student: Ids of students.
        skill: Ids of skills.
        gap: The differences, -1 to 1.
    """

    student: npt.NDArray[np.str_]
    skill: npt.NDArray[np.str_]
    gap: npt.NDArray[np.float64]


def measure_gaps(snapshot: Snapshot, students: Sequence[str]) -> Gaps:
    """The gaps of a team's students on the single skills that they practiced enough.

    Args:
        snapshot: Profiles.
        students: Ids of the team's students.
    """
    at = snapshot.rows_of(students)
    known = [student for student in students if student in snapshot.position]
    owner = np.repeat(np.array(known, str), [snapshot.row_count(student) for student in known])
    overall = {student: snapshot.student_facts.of(student).get(OWN, math.nan) for student in known}
    rows = snapshot.rows[at]
    gap = rows[:, COLUMNS.index(ON_SKILL)] - np.array([overall[student] for student in owner.tolist()])
    names = snapshot.skills[at]
    single = np.array([skill in snapshot.skill_ids for skill in names.tolist()], bool)
    kept = (rows[:, COLUMNS.index("skill_opportunities")] >= LEAST_ANSWERS) & ~np.isnan(gap) & single
    return Gaps(owner[kept], names[kept].astype(str), gap[kept].astype(float))


def compare_units(gaps: Gaps, units: Mapping[str, Collection[str]], skills: Funnel) -> Funnel:
    """Units beside each other: a student counts once for each, by the mean gap on those of its skills that count.

    There are too few units to tell from them alone what is usual and how much they differ anyway, so both are those of
    the skills.

    Args:
        gaps: Of single skills.
        units: Ids of the skills of each unit, by what it is called.
        skills: The funnel of the skills.
    """
    names: list[str] = []
    means: list[float] = []
    for unit, its in units.items():
        inside = np.isin(gaps.skill, sorted(its))
        for student in np.unique(gaps.student[inside]):
            names.append(unit)
            means.append(float(gaps.gap[inside & (gaps.student == student)].mean()))
    return draw_limits(names, np.array(means, float), usual=skills)


def draw_limits(keys: Sequence[str], gaps: npt.NDArray[np.float64], usual: Funnel | None = None) -> Funnel:
    """The funnel of differences.

    Args:
        keys: The skill or unit of each difference.
        gaps: What each student reaches on it beyond the student's own usual.
        usual: A funnel with the center and inflation to take; null: they are those of the differences themselves.

    Example:
        >>> gaps = np.array([0.1, -0.1] * 12 + [-0.4, -0.6] * 12)
        >>> funnel = draw_limits(["a"] * 24 + ["b"] * 24, gaps)
        >>> [each.key for each in funnel.compared]
        ['b', 'a']
    """
    named = np.array(keys, str)
    groups = {key: gaps[named == key] for key in sorted(set(keys))}
    large = {key: found for key, found in groups.items() if len(found) >= LEAST_STUDENTS}
    if not large:
        return Funnel((), 0.0, 0.0, 1.0, len(groups))
    center = float(np.mean(np.concatenate(list(large.values())))) if usual is None else usual.center
    within = math.sqrt(
        sum(float(np.var(found, ddof=1)) * len(found) for found in large.values()) / sum(map(len, large.values()))
    )
    scores = np.array([(found.mean() - center) * math.sqrt(len(found)) / max(within, 1e-9) for found in large.values()])
    low, high = np.quantile(scores, [WINSORIZED, 1 - WINSORIZED])
    inflation = math.sqrt(max(1.0, float(np.mean(np.clip(scores, low, high) ** 2))))
    inflation = inflation if usual is None else usual.inflation
    spread = within * inflation
    compared = [
        Comparison(
            key,
            len(values),
            float(values.mean()),
            float((values.mean() - center) * math.sqrt(len(values)) / max(spread, 1e-9)),
        )
        for key, values in large.items()
    ]
    few = len(groups) - len(large)
    return Funnel(tuple(sorted(compared, key=lambda each: each.deviations)), center, spread, inflation, few)
