"""What sessions led by an adult add to what simulated students know: published effects, and one conversion.

Published effects are of whole programs, in standard deviations of a test of a year's work. A session adds its share of
such a program to the one skill that it is about:

    logits = effect x role x size x (minutes / minutes of the program) x logits of a standard deviation
             x skills of the test / share still kept when the test is written

`Behavior` has what stands in its way (`knowledge.teach`): all of it is learned by a student who is ready and has much
to learn, nothing by one who is not ready for the skill, little of a skill that is known well.

Every range has a low end, a middle and a high end. Each student's place in all ranges is drawn from a third of them, so
that `low`, `middle` and `high` tell how far a finding rests on the effects. What students gain by practicing online is
not in this table: the simulator's practice is made to resemble real logs, and published trials of practice online are
of the same size (a year of online homework .18 SD, .29 for students with low results before: Roschelle et al. 2016).
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from experiments.simulation.config import SchoolConfig
from experiments.simulation.knowledge import Floats
from serving.grouping.problem.policy import Role, SessionType


@dataclass(frozen=True)
class Published:
    """A published range, and where it is from."""

    low: float
    middle: float
    high: float
    source: str

    def at(self, place: Floats) -> Floats:
        """Returns the value at places from 0 (the low end) over 0.5 (the middle) to 1 (the high end)."""
        value: Floats = np.interp(place, (0.0, 0.5, 1.0), (self.low, self.middle, self.high))
        return value


class Level(StrEnum):
    """The third of every range from which students' places are drawn."""

    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"


ONE_TO_ONE = Published(
    0.16,
    0.32,
    0.40,
    "One-to-one tutoring .32 SD, over 90 randomized studies with independent tests (Nickow, Oreopoulos and Quan 2024, "
    "by format). Low: in large programs a third to a half of it is left (Kraft, Schueler and Falken 2024, over 265 "
    "trials). High: .18 to .40 SD of daily tutoring in mathematics (Guryan et al. 2023).",
)
"""Of tutoring one student, in SD of a program of `PROGRAM_HOURS`."""

CROWDING = Published(
    0.345,
    0.117,
    0.02,
    "Effect in a group of n, as a share of one-to-one = 1 / (1 + crowding x (n - 1)). Middle: small groups .26 beside "
    "one-to-one .32 (Nickow, Oreopoulos and Quan 2024), taken at three students. Low: three to a tutor .13 SD below "
    "one-to-one (Kraft and Lovison 2024, online). High: no difference between two and five (Clarke et al. 2017), and "
    "less only above six or seven (Education Endowment Foundation, small group tuition).",
)
"""How fast the effect falls with the size of a tutored or small group; the low end is that of low effects."""

TABLES = Published(
    0.085,
    0.17,
    0.19,
    "Small groups within the class beside whole-class lessons .17 SD (Lou et al. 1996); learning with technology "
    "together beside alone .15 SD (Lou, Abrami and d'Apollonia 2001). Low: half of it, as is left of tutoring in large "
    "programs. High: peer-assisted instruction .19 SD in grades 7 to 12 (Dietrichson et al. 2020). Found in whole "
    "classes, so that it does not fall with the size.",
)
"""Of working together at tables with an adult about, in SD of lessons of `LESSON_HOURS`."""

TEACHERS = Published(1.34, 1.34, 1.34, "Teachers .39 SD beside .29 of all tutors (Nickow, Oreopoulos and Quan 2024).")
PARAPROFESSIONALS = Published(1.03, 1.03, 1.03, "Paraprofessionals .30 SD beside .29 of all tutors (the same).")
TRAINEES = Published(
    0.59, 0.81, 1.03, "Between tutors without training, .17 SD beside .29 of all, and paraprofessionals (the same)."
)
ROLES = {
    Role.TEACHER_LEADER: TEACHERS,
    Role.COLLABORATING_TEACHER: TEACHERS,
    Role.SUPPORT_STAFF: PARAPROFESSIONALS,
    Role.TEACHER_IN_TRAINING: TRAINEES,
}
"""How the role of the lead multiplies an effect; other roles count as paraprofessionals."""

PROGRAM_HOURS = 30.0
"""Dose of a tutoring program: half an hour three times a week (the least that the National Student Support Accelerator
calls high-impact) over 20 weeks; longer programs did not have larger effects (Nickow, Oreopoulos and Quan 2024)."""

LESSON_HOURS = 60.0
"""Dose of lessons with tables: four of 45 minutes a week over 20 weeks. An assumption: the sources give no hours."""

PROGRAM_DAYS = 140.0
"""Length of both, to the test at the end."""


def draw_places(config: SchoolConfig, owners: "np.ndarray[tuple[int], np.dtype[np.int64]]", level: Level) -> Floats:
    """Returns each student's place in all ranges, drawn from the level's third; at each level in the same order."""
    third = list(Level).index(level)
    drawn = [np.random.default_rng([config.seed, 3, owner]).random() for owner in owners.tolist()]
    places: Floats = (third + np.array(drawn)) / len(Level)
    return places


def session_logits(
    config: SchoolConfig, session_type: SessionType, role: str, students: int, minutes: float, places: Floats
) -> Floats:
    """Returns what a session adds to its skill where nothing is in its way, in logits, by students' places.

    Args:
        config: The school, whose skills a year's test would be about.
        session_type: Kind of the session; online work is no session led by an adult and adds nothing.
        role: Role of the lead.
        students: All students of the session.
        minutes: Its length.
        places: Each student's place in the ranges, 0-1.

    Example:
        >>> place, led = np.array([0.5]), (SessionType.SMALL_GROUP, Role.SUPPORT_STAFF)
        >>> [round(float(session_logits(SchoolConfig(), *led, students, 50, place)[0]), 2) for students in (3, 8)]
        [0.41, 0.28]
    """
    if session_type is SessionType.ONLINE:
        return np.zeros(len(places))
    by_role = ROLES.get(Role(role), PARAPROFESSIONALS) if role in set(Role) else PARAPROFESSIONALS
    if session_type is SessionType.COLLABORATIVE:
        effect, hours = TABLES.at(places), LESSON_HOURS
    else:
        effect, hours = ONE_TO_ONE.at(places) / (1 + CROWDING.at(places) * (students - 1)), PROGRAM_HOURS
    share = minutes / (60 * hours)
    logits: Floats = effect * by_role.at(places) * share * _logits_of_deviation(config) * config.skills / _kept(config)
    return logits


def _logits_of_deviation(config: SchoolConfig) -> float:
    """Standard deviation between students of the mean over all skills."""
    b = config.behavior
    return math.sqrt(b.ability_sd**2 + b.strand_sd**2 / config.strands + b.skill_sd**2 / config.skills)


def _kept(config: SchoolConfig) -> float:
    """Share of what an evenly spread program has taught that is left when it ends."""
    b = config.behavior
    left = b.forgetting_days / PROGRAM_DAYS * (1 - math.exp(-PROGRAM_DAYS / b.forgetting_days))
    return 1 - b.forgotten * (1 - left)
