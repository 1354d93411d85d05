"""The bodies of sessions as people edit them, and as they can be sent back."""

from pydantic import Field

from serving.grouping import SessionType
from serving.schemas.common import Body, Probability

MOST_SESSIONS, MOST_PEOPLE = 500, 500
"""Of one day, and of one session: beyond any team's."""


class AdultIn(Body):
    """One adult in a session, as a plan tells it."""

    staff_id: str = Field(description="an adult of the team", examples=["a.rivera"])
    role: str | None = Field(default=None, description="left aside", examples=["collaborating_teacher"])


class SeatIn(Body):
    """One student in a session, as a plan tells it; all but the id is left aside."""

    student_id: str = Field(description="a student of the day", examples=["s0412"])
    why: str | None = Field(default=None, description="left aside", examples=["needs Ratios most"])
    facts: list[str] | None = Field(default=None, description="left aside", examples=[["3 of the last 5 wrong"]])
    need: Probability | None = Field(default=None, description="left aside", examples=[0.42])
    struggle_risk: Probability | None = Field(default=None, description="left aside", examples=[0.7])
    mastery: Probability | None = Field(default=None, description="left aside", examples=[0.4])
    benefit: float | None = Field(default=None, description="left aside", examples=[0.21])


class SessionIn(Body):
    """One session of an edited plan: as a plan tells it, or with ids in place of adults and students."""

    id: str = Field(min_length=1, description="any name that no other session has", examples=["mon-1-small_group-1"])
    block_id: str = Field(description="a block of the day", examples=["mon-1"])
    session_type: SessionType = Field(description="kind of session", examples=["small_group"])
    skill_id: str | None = Field(default=None, description="null online", examples=["ratios"])
    adults: list[str | AdultIn] = Field(
        max_length=MOST_PEOPLE,
        description="the lead first, then who sits beside; online, who monitors",
        examples=[["a.rivera"]],
    )
    room_id: str | None = Field(default=None, description="null where the team plans no rooms", examples=["r12"])
    students: list[str | SeatIn] = Field(
        max_length=MOST_PEOPLE,
        description="who sits there; a session without anybody is not held",
        examples=[["s0412", "s0417"]],
    )
    time: str | None = Field(default=None, description="left aside", examples=["09:00-09:45"])
    skill: str | None = Field(default=None, description="left aside", examples=["Ratios"])
    why: str | None = Field(default=None, description="left aside", examples=["meets 1.4 whole needs"])


class SessionSeats(Body):
    """One session with ids alone; it can be sent back as it is."""

    id: str = Field(description="unique in the plan", examples=["mon-1-small_group-1"])
    block_id: str = Field(description="a block of the day", examples=["mon-1"])
    session_type: SessionType = Field(description="kind of session", examples=["small_group"])
    skill_id: str | None = Field(description="null online", examples=["ratios"])
    adults: list[str] = Field(
        description="staff ids: the lead first, then who sits beside; online, who monitors", examples=[["a.rivera"]]
    )
    room_id: str | None = Field(description="null where the team plans no rooms", examples=["r12"])
    students: list[str] = Field(description="student ids", examples=[["s0412", "s0417"]])
