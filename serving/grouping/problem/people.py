"""The people of a problem: students and their needs, adults and what they may lead, and who met whom lately."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from serving.grouping.errors import ProblemError, require_range, require_share
from serving.grouping.problem.policy import TEACHERS, Role, SessionType

STUDENT = "id of a student"

StudentId = Annotated[str, STUDENT]
"""The id of a student; fields with this type, and no others, are how an erasure finds the student in stored JSON."""

MOST_AHEAD = 1000.0
"""Blocks that an adult's duties may lie off an even load at most, far beyond any real history."""


@dataclass(frozen=True, slots=True)
class Student:
    """One student of the team on the day.

    Attributes:
        blocks: the blocks in which the student is there; empty for an absence, fewer for a late arrival.
        needs_certified: whether an adult-led session needs a certified adult (an accommodation).
        subgroup: an opaque label for the audit of shares, never a feature; None without.
        group_time_due: whether the student should have a small group or tutoring today, having had none for days.
        adult_time_due: whether the student should have an adult-led seat today, having had none on the last school day.
    """

    id: StudentId
    blocks: frozenset[str]
    needs_certified: bool = False
    subgroup: str | None = None
    group_time_due: bool = False
    adult_time_due: bool = False


@dataclass(frozen=True, slots=True)
class Adult:
    """One adult of the team on the day.

    Attributes:
        role: one of `policy.Role`, or a role of the school's own; it decides effects, and what None reads below.
        blocks: the blocks in which the adult is there.
        session_types: what the adult may lead; with `online` the adult may supervise online work.
        skills: how well qualified the adult is in each skill, above 0 to 1; the adult leads no others; None: all, at 1.
        max_group: most students the adult teaches at once, in a session of any type; None: the general bound.
        certified: whether the adult may lead students with that accommodation.
        coach: the adult who coaches this one, None without.
        in_training: whether the adult needs a supervising adult on duty; None: as `Role.TEACHER_IN_TRAINING` does.
        supervises: whether adults in training may work while this one is on duty; None: as `policy.TEACHERS` do,
            unless in training.
        stage_most: most students whom the adult may lead at the present stage of growth; 0: leads and supervises
            nothing yet; None: no stage says so. It narrows `session_types` and `max_group`, and gives way to nothing.
        load_ahead: blocks by which the adult's duties lay above an even share on the days before; below 0: under it.
    """

    id: str
    role: str
    blocks: frozenset[str]
    session_types: frozenset[SessionType]
    skills: Mapping[str, float] | None = None
    max_group: int | None = None
    certified: bool = False
    coach: str | None = None
    in_training: bool | None = None
    supervises: bool | None = None
    load_ahead: float = 0.0
    stage_most: int | None = None

    def __post_init__(self) -> None:
        if not self.role.strip():
            raise ProblemError("Adult.role", self.role, "the name of a role")
        if self.in_training and self.supervises:
            raise ProblemError("Adult.supervises", self.supervises, "null or false for an adult in training")
        for skill, qualification in (self.skills or {}).items():
            require_range(f"Adult.skills[{skill!r}]", qualification, 1e-6, 1.0)
        require_range("Adult.load_ahead", self.load_ahead, -MOST_AHEAD, MOST_AHEAD)
        if self.max_group is not None:
            require_range("Adult.max_group", self.max_group, 1)
        if self.stage_most is not None:
            require_range("Adult.stage_most", self.stage_most, 0)
            self._narrow(self.stage_most)

    def _narrow(self, most: int) -> None:
        """Leaves no session that the stage does not allow, whoever made the adult, also to relax a rule."""
        if most == 0:
            object.__setattr__(self, "session_types", frozenset())
        else:
            object.__setattr__(self, "max_group", min(most, self.max_group or most))

    @property
    def trainee(self) -> bool:
        """Whether the adult has sessions only while a supervising adult is on duty."""
        return self.role == Role.TEACHER_IN_TRAINING if self.in_training is None else self.in_training

    @property
    def supervisor(self) -> bool:
        """Whether those in training may have sessions while this adult is on duty."""
        return self.role in TEACHERS and not self.trainee if self.supervises is None else self.supervises


@dataclass(frozen=True, slots=True)
class Coaching:
    """How many adult-led sessions a coach and a trainee should share today, one as lead and one as co-teacher.

    Attributes:
        coach: the adult who coaches, whether as lead or as co-teacher.
        trainee: the adult who learns, of any role.
        sessions: the number asked for; sessions beyond it are worth nothing.
        observes: whether only sessions count that the trainee leads and the coach joins to observe; false: either
            leads.
    """

    coach: str
    trainee: str
    sessions: int
    observes: bool = False

    def __post_init__(self) -> None:
        require_range("Coaching.sessions", self.sessions, 0)

    @property
    def pair(self) -> tuple[str, str]:
        """Both adults, in order of ids."""
        return min(self.coach, self.trainee), max(self.coach, self.trainee)

    @property
    def roles(self) -> tuple[tuple[str, str], ...]:
        """Who may lead and who may join then, each way that counts."""
        observed = (self.trainee, self.coach)
        return (observed,) if self.observes else (observed, (self.coach, self.trainee))


class Aim(StrEnum):
    """What a session is for all of its students; students of different aims share none."""

    SUPPORT = "support"
    INTRODUCE = "introduce"
    EXTEND = "extend"


class Purpose(StrEnum):
    """What a session on a skill would be for, for one student."""

    RETEACH = "reteach"
    GUIDED_PRACTICE = "guided_practice"
    CHECK_IN = "check_in"
    REVIEW = "review"
    INTRODUCE = "introduce"
    EXTEND = "extend"

    @property
    def words(self) -> str:
        """The purpose as people say it."""
        return self.replace("_", " ")

    @property
    def aim(self) -> Aim:
        """What a session with this purpose aims at: a skill not begun, a skill known well, or help with any other."""
        if self is Purpose.INTRODUCE:  # asked for thousands of times in a plan
            return Aim.INTRODUCE
        return Aim.EXTEND if self is Purpose.EXTEND else Aim.SUPPORT


@dataclass(frozen=True, slots=True)
class Need:
    """How much a student needs a skill now; the pair is eligible just by being listed.

    Attributes:
        need: 0-1; usually struggle risk x weight.
        struggle_risk: 0-1; None where there is too little evidence for a forecast.
        mastery: 0-1; None where there is too little evidence.
        readiness: 0-1; 1 where prerequisites are unknown.
        weight: how much the skill counts for the student now, 0-1.
        purpose: what a session would be for; None where nobody says.
        because_of: the skill that the student really works on, where this is a weak prerequisite of it; None otherwise.
        urgent: how urgent the need is, 0 for not, 1 usually; a seat on it has `Weights.urgent` points times this on top
            of the need that it meets, whoever leads it and however many sit there.
    """

    student: StudentId
    skill: str
    need: float
    struggle_risk: float | None = None
    mastery: float | None = None
    readiness: float = 1.0
    weight: float = 1.0
    purpose: Purpose | None = None
    because_of: str | None = None
    urgent: float = 0.0

    def __post_init__(self) -> None:
        require_range("Need.urgent", self.urgent, 0.0)
        for name in ("need", "struggle_risk", "mastery", "readiness", "weight"):
            require_share(f"Need.{name}", getattr(self, name))

    @property
    def low_evidence(self) -> bool:
        """Whether there is too little evidence for a forecast, so that sessions that gather some are worth more."""
        return self.struggle_risk is None

    @property
    def aim(self) -> Aim:
        """The aim of a session on it: that of its purpose, and support where nobody says a purpose."""
        return Aim.SUPPORT if self.purpose is None else self.purpose.aim


@dataclass(frozen=True, slots=True)
class GroupmateCount:
    """How many adult-led sessions two students shared lately."""

    first: StudentId
    second: StudentId
    sessions: int

    def __post_init__(self) -> None:
        require_range("GroupmateCount.sessions", self.sessions, 0)
        if self.first > self.second:  # a pair has no order, so it is kept in one
            first, second = self.second, self.first
            object.__setattr__(self, "first", first)
            object.__setattr__(self, "second", second)


@dataclass(frozen=True, slots=True)
class Contact:
    """How many sessions an adult led for a student lately, and whether the adult says to know the student."""

    student: StudentId
    adult: str
    sessions: int
    known: bool = False

    def __post_init__(self) -> None:
        require_range("Contact.sessions", self.sessions, 0)

    @property
    def times(self) -> int:
        """Sessions, the adult's own word counting as one more."""
        return self.sessions + self.known


@dataclass(frozen=True, slots=True)
class Wish:
    """What a student wishes for adult-led sessions today; one of the four is named.

    Attributes:
        other: a student with whom to share them.
        adult: who leads one.
        skill: what one is about.
        rooms: where one is held; several are parts of one large room, each as good.
    """

    student: StudentId
    other: StudentId | None = None
    adult: str | None = None
    skill: str | None = None
    rooms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.other, self.adult, self.skill, self.rooms or None)) != 1:
            raise ProblemError("Wish", "several or none", "with one of other, adult, skill and rooms", private=True)
