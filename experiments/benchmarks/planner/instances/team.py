"""Synthetic days of teams: sizes as schools have them, and needs that build on each other.

Skills come in strands, each built on the one before; a student's mastery falls along a strand and differs by strand.
Needs are what a team would list: up to eight skills at the edge of what the student can do. History is that of a
random week. Nothing is taken from any student's data.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from serving.grouping.problem.people import Adult, Contact, GroupmateCount, Need, Student
from serving.grouping.problem.places import Block, Room, Skill
from serving.grouping.problem.policy import ADULT_LED, TEACHERS, Effect, Role, SessionType, Weights
from serving.grouping.problem.problem import Problem
from serving.grouping.state.arrays import Floats


def default_session_types(role: str, *, may_lead: bool = False) -> frozenset[SessionType]:
    """Returns what a role leads or, for tables and online work, supervises; support staff small groups if they may.

    Example:
        >>> sorted(map(str, default_session_types(Role.SUPPORT_STAFF)))
        ['collaborative', 'online', 'tutoring']
    """
    if role in TEACHERS:
        return frozenset(SessionType)
    if role == Role.TEACHER_IN_TRAINING:
        return frozenset({SessionType.SMALL_GROUP, SessionType.TUTORING})
    support = {SessionType.TUTORING, SessionType.COLLABORATIVE, SessionType.ONLINE}
    return frozenset(support | {SessionType.SMALL_GROUP} if may_lead else support)


EFFECT = {
    SessionType.SMALL_GROUP: (0.42, 0.42, 0.33, 0.30),
    SessionType.TUTORING: (0.50, 0.50, 0.42, 0.36),
    SessionType.COLLABORATIVE: (0.20, 0.20, 0.16, 0.16),
}
"""Effect by role in the order of `Role`, as in `serving/plans/policy.toml`."""

MASTERED, READY, EDGE = 0.8, 0.55, 8
STRAND = 4
"""Skills of a strand, each built on the one before."""

ABSENT, CERTIFIED, MET, KNOWN, UNSURE = 0.03, 0.06, 0.4, 0.7, 0.1
"""Shares: of blocks missed, of students with an accommodation, of adults met lately, of skills that an adult without
all of them may lead, of needs without a forecast."""


@dataclass(frozen=True)
class Size:
    """The size of a team."""

    students: int
    adults: int
    blocks: int
    skills: int


SIZES = {24: Size(24, 3, 2, 8), 60: Size(60, 4, 4, 24), 120: Size(120, 7, 5, 40), 240: Size(240, 12, 6, 60)}
ROLES = (
    Role.TEACHER_LEADER, Role.COLLABORATING_TEACHER, Role.SUPPORT_STAFF, Role.TEACHER_IN_TRAINING,
    Role.COLLABORATING_TEACHER, Role.SUPPORT_STAFF, Role.COLLABORATING_TEACHER,
)  # fmt: skip

WEIGHTS = Weights(perturbation=0.05)
"""A moved seat costs what it did when the stored figures were found; without an earlier plan it counts nothing."""


def draw_day(students: int | Size, seed: int) -> Problem:
    """Draws the day of a team of one of `SIZES`, or of a size of its own; equal seeds give equal days.

    Example:
        >>> len(draw_day(24, seed=1).students)
        24
    """
    size = students if isinstance(students, Size) else SIZES[students]
    rng = np.random.default_rng([size.students, seed])
    blocks = tuple(Block(f"b{at}", f"{8 + at:02}:00-{8 + at:02}:45", at) for at in range(size.blocks))
    day = frozenset(block.id for block in blocks)
    skills = tuple(Skill(f"k{at:02}", f"Skill {at}") for at in range(size.skills))
    people = tuple(
        Student(
            f"s{at:03}",
            draw_blocks(day, rng, ABSENT),
            needs_certified=bool(rng.random() < CERTIFIED),
            subgroup=str(rng.choice(["p", "q"], p=[0.7, 0.3])),
        )
        for at in range(size.students)
    )
    adults = tuple(_draw_adult(at, size, day, rng) for at in range(size.adults))
    names = [student.id for student in people]
    pairs = [(one, other) for one, other in combinations(names, 2)]
    rng.shuffle(pairs)
    some = size.students // 15
    return Problem(
        blocks=blocks,
        students=people,
        adults=adults,
        skills=skills,
        effects=tuple(Effect(kind, role, EFFECT[kind][at]) for kind in ADULT_LED for at, role in enumerate(Role)),
        rooms=(Room("hall", size.students), *(Room(f"r{at}", 18 if at % 3 else 10) for at in range(size.adults))),
        needs=_draw_needs(names, size, rng),
        keep_apart=tuple((str(one), str(other)) for one, other in pairs[:some]),
        keep_together=tuple((str(one), str(other)) for one, other in pairs[some : 2 * some]),
        recent_groupmates=_draw_groupmates(names, size, rng),
        contacts=tuple(
            Contact(name, adult.id, int(1 + rng.integers(3)))
            for name in names
            for adult in adults
            if rng.random() < MET
        ),
        weights=WEIGHTS,
        students_per_monitor=40,
    )


def draw_blocks(day: frozenset[str], rng: np.random.Generator, absent: float) -> frozenset[str]:
    """Returns the blocks in which somebody is there, who misses the day or each block with a chance of `absent`."""
    if rng.random() < absent:
        return frozenset()
    return frozenset(block for block in sorted(day) if rng.random() > absent)


def _draw_adult(at: int, size: Size, day: frozenset[str], rng: np.random.Generator) -> Adult:
    role = ROLES[at % len(ROLES)]
    teacher = role in (Role.TEACHER_LEADER, Role.COLLABORATING_TEACHER)
    known = {f"k{skill:02}": round(0.6 + 0.4 * rng.random(), 2) for skill in range(size.skills) if rng.random() < KNOWN}
    return Adult(
        f"t{at:02}",
        role,
        day if teacher else draw_blocks(day, rng, ABSENT),
        default_session_types(role, may_lead=True),
        None if teacher and at % 2 == 0 else known,
        max_group=5 if role is Role.TEACHER_IN_TRAINING else None,
        certified=teacher,
    )


def _draw_needs(names: list[str], size: Size, rng: np.random.Generator) -> tuple[Need, ...]:
    weight = draw_weights(size, rng)
    return tuple(need for name in names for need in list_needs(name, draw_mastery(size, rng), weight, rng))


def draw_weights(size: Size, rng: np.random.Generator) -> Floats:
    """Returns how much each skill counts for the team now, 0.3-1."""
    return np.round(0.3 + 0.7 * rng.random(size.skills), 2)


def draw_mastery(size: Size, rng: np.random.Generator) -> Floats:
    """Returns one student's mastery of each skill, 0-1."""
    ability, strands = rng.normal(), np.arange(size.skills) // STRAND
    reach = ability + 0.7 * rng.normal(size=strands.max() + 1)
    depth = np.arange(size.skills) % STRAND
    logit: Floats = reach[strands] + 0.8 - 0.9 * depth + 0.3 * rng.normal(size=size.skills)
    return 1 / (1 + np.exp(-logit))


def list_needs(name: str, mastery: Floats, weight: Floats, rng: np.random.Generator) -> list[Need]:
    """Returns what a student needs: skills not mastered whose prerequisite is ready, the greatest needs of them."""
    ready = np.where(np.arange(len(mastery)) % STRAND == 0, 1.0, np.roll(mastery, 1))
    risk = np.clip(1 - mastery + 0.15 * rng.normal(size=len(mastery)), 0.02, 0.98)
    worth = risk * (1 - mastery) * ready * weight
    edge = [at for at in np.argsort(-worth) if mastery[at] < MASTERED and ready[at] >= READY][:EDGE]
    return [
        Need(
            name,
            f"k{at:02}",
            float(worth[at]),
            None if rng.random() < UNSURE else float(risk[at]),
            float(mastery[at]),
            float(ready[at]),
            float(weight[at]),
        )
        for at in edge
    ]


def _draw_groupmates(names: list[str], size: Size, rng: np.random.Generator) -> tuple[GroupmateCount, ...]:
    counts: dict[tuple[str, str], int] = {}
    for _ in range(5 * size.blocks * (size.adults - 1) // 2):
        group = sorted(str(name) for name in rng.choice(names, size=5, replace=False))
        for pair in combinations(group, 2):
            counts[pair] = counts.get(pair, 0) + 1
    return tuple(GroupmateCount(one, other, count) for (one, other), count in sorted(counts.items()))
