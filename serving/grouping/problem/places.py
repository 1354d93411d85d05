"""The times and places of a problem, and the seats that are pinned or that an earlier plan gave."""

from dataclasses import dataclass

from serving.grouping.errors import ProblemError, require_range
from serving.grouping.problem.people import StudentId
from serving.grouping.problem.policy import SessionType


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the day.

    Attributes:
        label: what people read, such as "09:00-09:45".
        order: sorts blocks.
        skills: those on which adult-led sessions may be held then, such as those of one subject; None: all.
    """

    id: str
    label: str
    order: int
    skills: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Skill:
    """What a session is about; `name` is what people read."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Room:
    """A room, or a corner of one, that holds one session at a time.

    Attributes:
        capacity: students it holds.
        blocks: those in which it is free; None: all.
        station: whether it is kept for online work; where these do not suffice, other rooms serve for it too.
    """

    id: str
    capacity: int
    blocks: frozenset[str] | None = None
    station: bool = False

    def __post_init__(self) -> None:
        require_range("Room.capacity", self.capacity, 0)


@dataclass(frozen=True, slots=True)
class Pin:
    """A fixed assignment: in this block the student sits in a session that matches all that is named.

    Unless it names online work, it asks for an adult-led session; if it names nothing, for any of those.
    """

    student: StudentId
    block: str
    session_type: SessionType | None = None
    skill: str | None = None
    adult: str | None = None

    def __post_init__(self) -> None:
        if self.online and (self.skill is not None or self.adult is not None):
            raise ProblemError("Pin", self.skill or self.adult, "without skill and adult where it names online work")

    @property
    def online(self) -> bool:
        """Whether the place is online work."""
        return self.session_type is SessionType.ONLINE


@dataclass(frozen=True, slots=True)
class Seat:
    """One student's place in one block of an earlier plan; `skill` and `adult` are None online."""

    student: StudentId
    block: str
    session_type: SessionType
    skill: str | None = None
    adult: str | None = None

    @property
    def led(self) -> bool:
        """Whether an adult led it."""
        return self.session_type is not SessionType.ONLINE
