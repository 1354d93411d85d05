"""The body of a team's own policy, in a request and, filled in, in the answer."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from serving.grouping import SessionType
from serving.schemas.common import Body, StaffIdIn, StudentIdIn
from serving.schemas.sessions import MOST_PEOPLE
from serving.schemas.texts import Identity, IdentityKey

Preset = Literal[
    "open_team_room", "station_rotation", "intervention_block", "high_dosage_tutoring", "weekly_regrouping"
]
TermName = Literal[
    "benefit",
    "urgent",
    "coverage",
    "adult_time_due",
    "relationships",
    "repeat_groupmates",
    "keep_together",
    "load",
    "share",
    "group_time_due",
    "coaching",
    "wishes",
    "observations",
]
TermWeight = Annotated[float, Field(ge=0, le=100)]
People = Annotated[int, Field(ge=1, le=MOST_PEOPLE)]
Weekly = Annotated[int, Field(ge=0, le=50)]
SchoolDays = Annotated[int, Field(ge=1, le=60)]


class SizeBody(Body):
    """How many students a session of one type takes."""

    session_type: Literal[SessionType.SMALL_GROUP, SessionType.TUTORING, SessionType.COLLABORATIVE] = Field(
        description="type of the session", examples=["small_group"]
    )
    least: int = Field(ge=1, le=MOST_PEOPLE, description="fewest students at a table", examples=[3])
    most: int = Field(ge=1, le=MOST_PEOPLE, description="most students at a table", examples=[6])
    tables: int = Field(default=1, ge=1, le=50, description="most tables of one session, so of one adult", examples=[1])
    support: bool = Field(
        default=True,
        description="whether such sessions may support students with a skill begun; without it they only introduce and "
        "extend, so that crowds are no rescue",
        examples=[True],
    )

    @model_validator(mode="after")
    def _is_range(self) -> "SizeBody":
        if self.most < self.least:
            raise ValueError("most is below least")
        return self


class Crowding(Body):
    """How much less of a need a session meets as it grows."""

    full: People = Field(description="students whom one lead serves in full", examples=[3])
    loss: float = Field(
        ge=0, le=10, description="with n students beyond `full`, each is served 1 / (1 + loss x n)", examples=[0.1]
    )


class RoomPolicy(Body):
    """How a large room is used."""

    sessions: int = Field(ge=1, le=50, description="sessions that the room holds at once", examples=[4])


class BlockPolicy(Body):
    """What adults may teach in a block: skills that are named or of a subject that is named."""

    skills: list[Identity] = Field(
        default_factory=list, max_length=1000, description="skills", examples=[["fractions"]]
    )
    subjects: list[Identity] = Field(
        default_factory=list, max_length=100, description="subjects of the roster's skills", examples=[["Mathematics"]]
    )


class AdultExclusion(Body):
    """An adult who never leads some students."""

    staff_id: StaffIdIn
    student_ids: list[StudentIdIn] = Field(
        min_length=1, max_length=MOST_PEOPLE, description="members of the team", examples=[["s0412"]]
    )


class TeamPolicy(Body):
    """A team's own choices: in a request, what is left out stays as the roster's policy or the planner has it.

    In an answer, everything is filled in as the plan rests on it.
    """

    preset: Preset | None = Field(
        default=None,
        description="a way to run a team's time that sets several of the choices below; those beside it count first",
        examples=[None],
    )
    weights: dict[TermName, TermWeight] = Field(
        default_factory=dict,
        description="weights of terms of the score, in need points a unit; 0 switches a term off. That of moved seats "
        "is `move_penalty`",
        examples=[{"relationships": 0.01}],
    )
    sizes: list[SizeBody] = Field(
        default_factory=list, max_length=3, description="group sizes, each session type at most once"
    )
    most_by_role: dict[IdentityKey, People] = Field(
        default_factory=dict,
        max_length=100,
        description="most students at once with an adult of a role for whom the roster has no own bound",
        examples=[{"teacher_in_training": 4}],
    )
    students_per_monitor: People | None = Field(
        default=None, description="students online whom one adult may supervise", examples=[30]
    )
    most_social_cost: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="share of the need met that everything social together may cost",
        examples=[0.05],
    )
    explore_within: float | None = Field(
        default=None,
        ge=0,
        le=0.1,
        description="share that a plan's gain over a day online may lie below the best one found, so that each day's "
        "plan is drawn at random among those, and its probability kept; 0: the best, always",
        examples=[0.0],
    )
    crowding: Crowding | None = Field(default=None, description="how much less large sessions meet")
    adult_time_days: int | None = Field(
        default=None,
        ge=1,
        le=10,
        description="school days within which everybody should have had adult time; 1: every day",
        examples=[2],
    )
    group_time_days: int | None = Field(
        default=None,
        ge=1,
        le=10,
        description="school days within which everybody should have had a small group or tutoring; 1: every day",
        examples=[2],
    )
    trainees_supervised: bool | None = Field(
        default=None,
        description="whether teachers in training have sessions only while a teacher is on duty",
        examples=[True],
    )
    coaching_per_week: Weekly | None = Field(
        default=None, description="sessions that a coach and whom they coach should share in a week", examples=[2]
    )
    observations_per_week: Weekly | None = Field(
        default=None,
        description="sessions of whom they coach that a coach should join to observe in a week; the day's share of "
        "them has the observer as a co-teacher where that costs little",
        examples=[1],
    )
    regroup: Literal["daily", "weekly"] | SchoolDays | None = Field(
        default=None, description="for how many school days a grouping holds", examples=["daily"]
    )
    rooms: dict[IdentityKey, RoomPolicy] = Field(
        default_factory=dict,
        max_length=1000,
        description="large rooms by id; their capacity is shared, and `*` is every other one that holds the whole team",
        examples=[{"hall": {"sessions": 4}}],
    )
    blocks: dict[IdentityKey, BlockPolicy] = Field(
        default_factory=dict,
        max_length=1000,
        description="blocks by id in which only some skills or subjects may be taught",
        examples=[{"mon-1": {"subjects": ["Mathematics"]}}],
    )
    needs_certified: list[StudentIdIn] = Field(
        default_factory=list,
        max_length=MOST_PEOPLE,
        description="students whose accommodations need a certified adult in adult-led sessions, beside those of the "
        "roster",
        examples=[[]],
    )
    adult_exclusions: list[AdultExclusion] = Field(
        default_factory=list,
        max_length=1000,
        description="adults who never lead some students, beside those of the roster",
        examples=[[]],
    )

    @model_validator(mode="after")
    def _names_each_type_once(self) -> "TeamPolicy":
        if len({size.session_type for size in self.sizes}) < len(self.sizes):
            raise ValueError("sizes name a session type twice")
        return self
