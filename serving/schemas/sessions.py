"""The bodies of sessions: as a plan shows them, as people edit them, and short enough to be sent back."""

from typing import Annotated

from pydantic import Field

from serving.grouping import STUDENT
from serving.schemas.common import (
    FACTS,
    NAMES_STUDENTS,
    NEEDED,
    BlockId,
    BlockIdIn,
    Body,
    Clock,
    Facts,
    Ignored,
    Kind,
    Mastery,
    Probability,
    PurposeOf,
    Room,
    StaffId,
    StaffIdIn,
    StruggleRisk,
    StudentId,
    StudentIdIn,
    TaughtSkill,
)
from serving.schemas.texts import Identity, Note

AIM = "what the team wants of the session, in its own words; null: nothing was written down"
AIMS = ["Everybody explains one step to a partner."]

MOST_SESSIONS, MOST_PEOPLE = 500, 500
"""The largest number of sessions of one day and of people in one session, both beyond any team's."""

ADULTS = "the lead first, then co-teachers; online, the adult who supervises independent work"
ROLE, ROLES = "role of the adult in the roster", ["collaborating_teacher"]
SESSION_ID, SESSION_IDS = "a name that no other session of the plan has", ["mon-1-small_group-1"]
WHY, REASONS = "why the student sits here", ["Ratios is the greatest need of today."]


class AdultIn(Body):
    """One adult in a session; the service reads the id and ignores the rest."""

    staff_id: StaffIdIn
    role: Ignored = Field(default=None, description="ignored", examples=ROLES)


class AdultOut(Body):
    """One adult in a session."""

    staff_id: StaffId
    role: str = Field(description=ROLE, examples=ROLES)


class SeatIn(Body):
    """One student in a session; the service reads the id and ignores the rest."""

    student_id: StudentIdIn
    why: Ignored = Field(default=None, description="ignored", examples=REASONS)
    facts: Ignored = Field(default=None, description="ignored", examples=[[FACTS]])
    need: Ignored = Field(default=None, description="ignored", examples=[0.42])
    purpose: Ignored = Field(default=None, description="ignored", examples=["reteach"])
    struggle_risk: Ignored = Field(default=None, description="ignored", examples=[0.42])
    mastery: Ignored = Field(default=None, description="ignored", examples=[0.61])
    benefit: Ignored = Field(default=None, description="ignored", examples=[0.21])


class SeatOut(Body):
    """One student in one session, and why there."""

    student_id: StudentId
    why: str = Field(description=WHY, examples=REASONS)
    facts: Facts
    need: Probability | None = Field(
        default=None,
        description="how much the student needs the skill now, 0-1, and a twentieth more where it is a goal of the "
        "student; null online",
        examples=[0.42],
    )
    purpose: PurposeOf = None
    struggle_risk: StruggleRisk = None
    mastery: Mastery = None
    benefit: float | None = Field(
        default=None,
        description="need met by the seat, in need points: need x effect x qualification; null online",
        examples=[0.21],
    )


class MissedItemOut(Body):
    """An item that students of a session had wrong at their latest attempt."""

    item_id: str = Field(description="id of the item in the event log", examples=["ratios-12"])
    students: int = Field(description="students of the session who had it wrong at their latest attempt", examples=[4])


class SharedSkillOut(Body):
    """A further skill that several of the missed items need."""

    skill_id: str = Field(description="id of the skill", examples=["percent"])
    skill: str = Field(description="name of the skill, or its id where no name is known", examples=["Percent"])
    items: int = Field(description="number of the missed items that need it", examples=[3])


class TeachOut(Body):
    """What to teach in a session, by what its students answered."""

    missed_items: list[MissedItemOut] = Field(
        description="items of the skill that most students of the session had wrong at their latest attempt, at most "
        "five, the most missed first"
    )
    shared_skills: list[SharedSkillOut] = Field(
        description="what these items have in common: further skills that several of them need; empty where items have "
        "one skill each"
    )
    exit_check: list[str] = Field(
        description="ids of items of the skill that no student of the session has seen, of middling difficulty, at "
        "most three; empty where all were seen",
        examples=[["ratios-31", "ratios-40", "ratios-44"]],
    )
    sentence: str = Field(
        description="the same in plain words",
        examples=["Missed last time: ratios-12 by 4, ratios-07 by 3. Exit check, not seen yet: ratios-31, ratios-40."],
    )


class SessionBody(Body):
    """What a session has in every answer."""

    id: str = Field(min_length=1, description=SESSION_ID, examples=SESSION_IDS)
    block_id: BlockId
    session_type: Kind
    skill_id: TaughtSkill
    room_id: Room


class SessionIn(Body):
    """One session of an edited plan: as the plan shows it, or with ids in place of adults and students."""

    id: Identity = Field(description=SESSION_ID, examples=SESSION_IDS)
    block_id: BlockIdIn
    session_type: Kind
    skill_id: Identity | None = Field(
        default=None, description="id of the skill taught; null online", examples=["ratios"]
    )
    adults: list[Identity | AdultIn] = Field(max_length=MOST_PEOPLE, description=ADULTS, examples=[["a.rivera"]])
    room_id: Identity | None = Field(
        default=None, description="id of the room; null where the team plans no rooms", examples=["r12"]
    )
    students: list[Identity | SeatIn] = Field(
        max_length=MOST_PEOPLE,
        description="the students of the session; a session without students is not held",
        examples=[["s0412", "s0417"]],
    )
    aim: Note | None = Field(default=None, description=AIM, examples=AIMS)
    room: Ignored = Field(default=None, description="ignored", examples=["hall"])
    time: Ignored = Field(default=None, description="ignored", examples=["09:00-09:45"])
    skill: Ignored = Field(default=None, description="ignored", examples=["Ratios"])
    purpose: Ignored = Field(default=None, description="ignored", examples=["reteach"])
    why: Ignored = Field(default=None, description="ignored", examples=["It meets 1.4 need points of 5."])
    series_id: Ignored = Field(default=None, description="ignored", examples=["ratios-1"])
    teach: Ignored = Field(default=None, description="ignored", examples=[None])


class SessionSeats(SessionBody):
    """One session with ids alone; it can be sent back as it is."""

    adults: list[str] = Field(description=f"staff ids: {ADULTS}", examples=[["a.rivera"]])
    students: Annotated[list[Annotated[str, STUDENT]], NEEDED] = Field(
        description="ids of the students of the session", examples=[["s0412", "s0417"]]
    )
    aim: Annotated[str | None, NAMES_STUDENTS] = Field(default=None, description=AIM, examples=AIMS)


class SessionOut(SessionBody):
    """One session of a plan, with reasons."""

    room: str | None = Field(
        default=None,
        description="the roster's room; where it holds several sessions at once, `room_id` is a place in it. Null "
        "where the team plans no rooms",
        examples=["hall"],
    )
    time: Clock
    skill: str | None = Field(
        description="name of the skill, or its id where no name is known; null online", examples=["Ratios"]
    )
    adults: list[AdultOut] = Field(description=ADULTS)
    students: Annotated[list[SeatOut], NEEDED] = Field(description="the students of the session")
    purpose: PurposeOf = Field(default=None, description="what the session is for, for most of its students")
    why: str = Field(description="why the session is held", examples=["It meets 1.4 need points of 5."])
    series_id: str | None = Field(default=None, description="the series that it is of; null: none", examples=[None])
    teach: TeachOut | None = Field(
        default=None,
        description="what to teach; null online, and where profiles of an earlier version do not say which items "
        "students answered",
    )
