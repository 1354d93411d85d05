"""The bodies that name the models and data behind an answer, and what all bodies share."""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from features.dates import FIRST_DATE, LAST_DATE
from serving.grouping import STUDENT, Purpose, SessionType
from serving.models.published.bundle import Source
from serving.models.status import Status
from serving.schemas.texts import Identity

PLAN_ID = "6f1c0f4f0d0e4a0e8a3a1f1e2d3c4b5a"
FACTS = "3 of the last 5 wrong"

NEEDED = "means nothing once its last student is erased"
"""Marks a list of students without whom what has the list means nothing, such as the students of a session."""

NAMES_STUDENTS = "may name the students beside it"
"""Marks a sentence that is replaced when one of the students of the same object is erased."""

Probability = Annotated[float, Field(ge=0, le=1)]

PlanId = Annotated[str, Field(description="id of the plan", examples=[PLAN_ID])]
TeamId = Annotated[str, Field(min_length=1, description="id of a team of the roster", examples=["team-1"])]
StudentId = Annotated[str, STUDENT, Field(min_length=1, description="id of the student", examples=["s0412"])]
StaffId = Annotated[str, Field(description="id of an adult of the team", examples=["a.rivera"])]
BlockId = Annotated[str, Field(description="id of a block of the day", examples=["mon-1"])]
TeamIdIn = Annotated[Identity, Field(description="id of a team of the roster", examples=["team-1"])]
StudentIdIn = Annotated[Identity, STUDENT, Field(description="id of the student", examples=["s0412"])]
StaffIdIn = Annotated[Identity, Field(description="id of an adult of the team", examples=["a.rivera"])]
BlockIdIn = Annotated[Identity, Field(description="id of a block of the day", examples=["mon-1"])]
Ignored = Annotated[Any, AfterValidator(lambda _: None)]
"""A field that a plan's own answer has and that is dropped where the answer comes back, whatever it holds."""
SchoolDate = Annotated[
    dt.date,
    Field(
        ge=FIRST_DATE,
        le=LAST_DATE,
        description=f"date of the day at the school, {FIRST_DATE} to {LAST_DATE}",
        examples=["2026-03-16"],
    ),
]
CreatedAt = Annotated[dt.datetime, Field(description="moment of making, UTC", examples=["2026-03-16T06:30:00Z"])]
Clock = Annotated[str, Field(description="start and end by the school's wall clock", examples=["09:00-09:45"])]
Kind = Annotated[SessionType, Field(description="type of the session", examples=["small_group"])]
TaughtSkill = Annotated[str | None, Field(description="id of the skill taught; null online", examples=["ratios"])]
Lead = Annotated[str | None, Field(description="id of the adult who leads; null online", examples=["a.rivera"])]
Room = Annotated[str | None, Field(description="id of the room; null where the team plans no rooms", examples=["r12"])]
SkillName = Annotated[str, Field(description="name of the skill, or its id where it has none", examples=["Ratios"])]
Facts = Annotated[list[str], Field(description="evidence from the event log; empty online", examples=[[FACTS]])]
Score = Annotated[
    float,
    Field(description="score of the day in need points; comparable between plans of one day only", examples=[31.2]),
]
StruggleRisk = Annotated[
    Probability | None,
    Field(
        description="chance that the product's mastery rule is not met within the next attempts (10 by default) if "
        "practice goes on, 0-1: 0 for proficient; null where no forecast is given, and online",
        examples=[0.42],
    ),
]
SkillStatus = Annotated[
    Status,
    Field(
        description="how the student stands on the skill by present evidence, which can be lost again. `not_begun`: no "
        "answer. `thin_evidence`: too few answers for a forecast, or answers that contradict it with nothing to "
        "explain why. `learning`: not proficient so far. `not_yet_proficient`: not after 10 attempts, or most of the "
        "last 5 answers are wrong. `proficient`: the mastery rule was met (3 right in a row), and most of the last 5 "
        "answers are right. `review_due`: was proficient, but most of the last 5 answers are wrong, the next is "
        "forecast to be wrong, or it was last practiced long ago. The numbers are settings of the training",
        examples=["learning"],
    ),
]
PurposeOf = Annotated[
    Purpose | None,
    Field(
        description="what a session on the skill would be for. `reteach`: not yet proficient. `guided_practice`: still "
        "learning. `check_in`: no forecast, or a failure long ago. `review`: was proficient, and review is due. "
        "`introduce`: not begun, and the prerequisites are ready. `extend`: proficient. Null online, and in plans of "
        "earlier versions",
        examples=["reteach"],
    ),
]
BecauseOf = Annotated[
    str | None,
    Field(
        description="id of the skill that the student really struggles with, where this one is a weak prerequisite of "
        "it and comes first; null otherwise",
        examples=[None],
    ),
]
Mastery = Annotated[
    Probability | None,
    Field(
        description="probability that the next answer on the skill is right, 0-1; null where no forecast is given, "
        "and online",
        examples=[0.61],
    ),
]
DataAsOf = Annotated[
    dt.datetime | None,
    Field(
        description="the moment up to which events are in the profiles, UTC: the midnight after the last event, since "
        "the night of the same school only; null for a log without a clock",
        examples=["2026-03-15T21:58:07Z"],
    ),
]


class Body(BaseModel):
    """A body that has no field beyond those named, and whose values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class StudentName(Body):
    """What people call one student."""

    student_id: StudentId
    name: str = Field(description="display name", examples=["Mia Jones"])


class StaffName(Body):
    """What people call one adult."""

    staff_id: StaffId
    name: str = Field(description="display name", examples=["A. Rivera"])


class NamesOut(Body):
    """Display names of a team's people as it is now; whoever has none is left out."""

    students: list[StudentName] = Field(description="names of students, in order of their ids")
    staff: list[StaffName] = Field(description="names of adults, likewise")


Names = Annotated[
    NamesOut | None,
    Field(
        description="display names, where the installation keeps them (`REGROUP_VAULT`) and the key has the scope "
        "`names`; null otherwise, and in everything that is stored"
    ),
]


class ReadyOut(Body):
    """A process that can answer."""

    status: Literal["ready"] = "ready"
    run_id: str = Field(description="id of the training run of the models that serve", examples=[PLAN_ID])
    source: Source = Field(
        description="where the models were loaded from; `last_good`: the registry gave nothing at the start, so the "
        "copy of the models that served last serves"
    )
    profiles: str = Field(description="name of the published profiles", examples=["20260315T215807Z-12"])
    data_as_of: DataAsOf
    profiles_age_seconds: int | None = Field(
        description="seconds since `data_as_of`; below 0 when profiles are made for a midnight that is still to come; "
        "null for a log without a clock",
        examples=[28800],
    )


class ModelVersion(Body):
    """The model version behind every forecast of one answer."""

    run_id: str = Field(description="id of the training run that made both models", examples=[PLAN_ID])
    struggle_version: int = Field(description="version of the struggle model in the registry", examples=[3])
    mastery_version: int = Field(description="version of the mastery model in the registry", examples=[3])
    kind: Literal["trained", "prior"] = Field(
        default="trained",
        description="trained: on the log that it forecasts; prior: rules learned elsewhere, which serve until the own "
        "log can teach better ones",
        examples=["trained"],
    )


class Provenance(Body):
    """The models and the data that an answer rests on."""

    model: ModelVersion = Field(description="the model version behind the forecasts")
    data_as_of: DataAsOf
    data_version: str = Field(description="version of the event log", examples=["12"])
    live_events_through: int | None = Field(
        default=None,
        description="how many live events of the answer's students count in it, all that came in since the nightly "
        "profiles; null where none could be looked for",
        examples=[47],
    )
    profiles: str = Field(
        description="name of the published profiles; each model version has profiles of its own of the same students "
        "at the same moment",
        examples=["20260315T215807Z-12"],
    )


class ModelsOut(Body):
    """The models that serve now."""

    provenance: Provenance = Field(description="the models and the data behind every forecast")
    students: int = Field(description="students with a profile")
    meaning: dict[str, str] = Field(description="for each forecast, the event whose probability it gives")
