"""The bodies of adults' growth: stages with dates, and their signatures."""

import datetime as dt
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from serving.schemas.common import Body, SchoolDate, StaffId, StaffIdIn
from serving.schemas.sessions import MOST_PEOPLE

StageName = Literal["observe", "co_lead", "lead", "own_groups"]

ORDER: tuple[StageName, ...] = ("observe", "co_lead", "lead", "own_groups")
"""Stages in the order in which responsibility grows."""

MOST_STAGES = 12

STAGE = (
    "what the adult may lead. `observe`: nothing, and is in the coach's sessions. `co_lead`: nothing alone, beside the "
    "coach. `lead`: groups of at most `most` students. `own_groups`: whatever the roster allows, which no stage widens"
)
MOST = "most students of a group, for `lead`; null otherwise"


class _Named(Body):
    """A stage, by what makes it one."""

    stage: StageName = Field(description=STAGE, examples=["lead"])
    most: int | None = Field(default=None, ge=1, le=MOST_PEOPLE, description=MOST, examples=[2])

    @model_validator(mode="after")
    def _has_most_to_lead(self) -> "_Named":
        if (self.most is not None) != (self.stage == "lead"):
            raise ValueError("a stage has most where it is lead, and no other one has")
        return self


class StageIn(_Named):
    """A stage that is planned."""

    from_date: SchoolDate


class GrowthRequest(Body):
    """An adult's timeline, in place of an earlier one."""

    staff_id: StaffIdIn
    stages: list[StageIn] = Field(
        max_length=MOST_STAGES,
        description="stages in order, each allowing more than the one before and not beginning earlier; those that "
        "were signed stay signed. Empty: the adult has no timeline, and the roster alone says what the adult leads",
    )

    @model_validator(mode="after")
    def _grows(self) -> "GrowthRequest":
        for before, after in pairwise(self.stages):
            if (ORDER.index(after.stage), after.most or 0) <= (ORDER.index(before.stage), before.most or 0):
                raise ValueError("a stage has to allow more than the one before it")
            if after.from_date < before.from_date:
                raise ValueError("a stage must not begin before the one before it")
        return self


class StageSignature(_Named):
    """The next stage of an adult, which is signed."""

    staff_id: StaffIdIn


class StageOut(Body):
    """A stage of an adult's timeline, and what was led in it."""

    stage: StageName = Field(description=STAGE, examples=["lead"])
    most: int | None = Field(description=MOST, examples=[2])
    from_date: dt.date = Field(description="planned first day", examples=["2026-10-05"])
    signed_on: dt.date | None = Field(
        description="day on which the coach or the team's leader signed it; null: nobody did. The first stage needs "
        "no signature",
        examples=["2026-10-07"],
    )
    signed_by: str | None = Field(
        description="id of the adult who signed; null where the key was of no certain one", examples=["a.rivera"]
    )
    held_from: dt.date | None = Field(
        description="first day on which plans keep it; null while it does not hold", examples=["2026-10-07"]
    )
    days_late: int = Field(description="days since the planned first day without a signature", examples=[0])
    sessions_led: int = Field(description="sessions on record that the adult led in it", examples=[14])
    largest_group: int = Field(description="most students of one of them; 0 without any", examples=[2])


class GrowthOut(Body):
    """An adult's timeline."""

    staff_id: StaffId
    coach_id: str | None = Field(
        description="id of the coach, who signs; null where the roster names none", examples=["a.rivera"]
    )
    now: int | None = Field(
        description="which stage holds today, counted from 0; null without a timeline", examples=[2]
    )
    stages: list[StageOut] = Field(description="in order")


class GrowthsOut(Body):
    """Timelines of a team's adults."""

    adults: list[GrowthOut] = Field(description="adults who have a timeline, in order of their ids")
