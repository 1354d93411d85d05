"""Choices that a school makes once: how well roles lead, how large groups are, and what each soft term is worth."""

from dataclasses import dataclass, fields
from enum import StrEnum

from serving.grouping.errors import ProblemError, require_range


class SessionType(StrEnum):
    """A kind of session; a student who is in no adult-led one works online."""

    SMALL_GROUP = "small_group"
    TUTORING = "tutoring"
    COLLABORATIVE = "collaborative"
    ONLINE = "online"


class Role(StrEnum):
    """The usual roles of adults; a school may have roles of its own beside these."""

    TEACHER_LEADER = "teacher_leader"
    COLLABORATING_TEACHER = "collaborating_teacher"
    SUPPORT_STAFF = "support_staff"
    TEACHER_IN_TRAINING = "teacher_in_training"


TEACHERS = (Role.TEACHER_LEADER, Role.COLLABORATING_TEACHER)
ADULT_LED = (SessionType.SMALL_GROUP, SessionType.TUTORING, SessionType.COLLABORATIVE)

GROUPS = (SessionType.SMALL_GROUP, SessionType.TUTORING)
"""Sessions in which an adult has few students."""


@dataclass(frozen=True, slots=True)
class Effect:
    """How much of a need one session meets, by kind of session and role of its lead.

    Attributes:
        role: one of `Role`, or a role of the school's own.
        effect: 0-1, the share of the need.
        low_evidence: the same for a student with too little evidence for a forecast, so that sessions that gather some
            can come first; None: as `effect`.
    """

    session_type: SessionType
    role: str
    effect: float
    low_evidence: float | None = None

    def __post_init__(self) -> None:
        if self.session_type not in ADULT_LED:
            raise ProblemError("Effect.session_type", self.session_type, f"one of {', '.join(ADULT_LED)}")
        require_range("Effect.effect", self.effect, 0.0, 1.0)
        if self.low_evidence is not None:
            require_range("Effect.low_evidence", self.low_evidence, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class SizeBound:
    """How many students one session of a kind takes: `least` to `most` at each of up to `tables` tables.

    Attributes:
        support: whether such sessions may have the aim support; without it they only introduce and extend.
    """

    session_type: SessionType
    least: int
    most: int
    tables: int = 1
    support: bool = True

    def __post_init__(self) -> None:
        if self.session_type not in ADULT_LED:
            raise ProblemError("SizeBound.session_type", self.session_type, f"one of {', '.join(ADULT_LED)}")
        require_range("SizeBound.least", self.least, 1)
        require_range("SizeBound.most", self.most, self.least)
        require_range("SizeBound.tables", self.tables, 1)


DEFAULT_SIZES = (
    SizeBound(SessionType.SMALL_GROUP, 3, 8),
    SizeBound(SessionType.TUTORING, 1, 2),
    SizeBound(SessionType.COLLABORATIVE, 4, 6),
)


@dataclass(frozen=True, slots=True)
class SizeCurve:
    """How much of a seat's effect is left as a session grows: all of it up to `full` students, then less with each.

    Attributes:
        full: students up to whom the lead gives each the full effect, at least 1.
        loss: how fast it falls beyond them, at least 0; 0: never.

    Example:
        >>> [round(SizeCurve().share(students), 2) for students in (1, 3, 5, 8, 18)]
        [1.0, 1.0, 0.83, 0.67, 0.4]
    """

    full: int = 3
    loss: float = 0.1

    def __post_init__(self) -> None:
        require_range("SizeCurve.full", self.full, 1)
        require_range("SizeCurve.loss", self.loss, 0.0)

    def share(self, students: int) -> float:
        """Returns the share of the effect that each student of a session of this size gets, above 0 to 1."""
        return 1.0 / (1.0 + self.loss * max(0, students - self.full))


DEFAULT_STUDENTS_PER_MONITOR = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What one unit of each soft term is worth, in need points; 0 switches a term off.

    One need point is a need of 1 that is met in full. The defaults are starting points for a team, not findings.

    Attributes:
        benefit: per unit of need met.
        urgent: per seat on an urgent need, times how urgent that is.
        coverage: lost per present student without an adult-led seat today.
        relationships: per student and adult who meet, halved once they met lately, a third after two times, ...
        repeat_groupmates: lost per earlier meeting of two students who share an adult-led session again.
        keep_together: per pair asked for that shares an adult-led session today.
        perturbation: lost per seat that differs from the plan given as `previous`.
        load: lost per block by which an adult's duties lie off an even load.
        share: lost per adult-led seat by which a subgroup falls short of its proportional share.
        adult_time_due: lost per present student who is due for time with an adult and has no adult-led seat today; on
            top of `coverage`.
        group_time_due: lost per present student who is due for a small group or tutoring and gets none today.
        coaching: per adult-led session that a coach and a trainee share, up to the number asked for.
        observations: per adult-led session that a coach joins to observe the lead, up to the number asked for.
        wishes: per wish of a student that is met, for somebody to work with in each session that they share.
    """

    benefit: float = 1.0
    coverage: float = 0.1
    relationships: float = 0.05
    repeat_groupmates: float = 0.02
    keep_together: float = 0.2
    perturbation: float = 0.1
    load: float = 0.02
    share: float = 0.05
    group_time_due: float = 0.3
    coaching: float = 0.5
    urgent: float = 0.5
    adult_time_due: float = 1.0
    wishes: float = 0.02
    observations: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            require_range(f"Weights.{field.name}", getattr(self, field.name), 0.0)
