"""The bodies of wishes of students for their sessions."""

import datetime as dt
from typing import Annotated

from pydantic import Field, model_validator

from serving.grouping import STUDENT
from serving.schemas.common import PLAN_ID, Body, SchoolDate, StudentId
from serving.schemas.texts import Identity

OTHER = "id of a student of the team with whom this one wishes to work; null where it wishes for something else"
ADULT = "id of an adult of the team with whom; null likewise"
SKILL = "id of a skill that the student would like to work on; null likewise"
ROOM = "id of a room of the team in which; null likewise"


class WishRequest(Body):
    """What a student wishes for sessions with an adult: somebody to work with, an adult, a skill, or a room."""

    other_student_id: Annotated[Identity, STUDENT] | None = Field(default=None, description=OTHER, examples=[None])
    staff_id: Identity | None = Field(default=None, description=ADULT, examples=["a.rivera"])
    skill_id: Identity | None = Field(default=None, description=SKILL, examples=[None])
    room_id: Identity | None = Field(default=None, description=ROOM, examples=[None])
    until: SchoolDate

    @model_validator(mode="after")
    def _is_one(self) -> "WishRequest":
        if sum(each is not None for each in (self.other_student_id, self.staff_id, self.skill_id, self.room_id)) != 1:
            raise ValueError("a wish has one of other_student_id, staff_id, skill_id and room_id")
        return self


class WishOut(Body):
    """A wish of a student, and on which days it was met."""

    wish_id: str = Field(description="id of the wish", examples=[PLAN_ID])
    student_id: StudentId
    other_student_id: Annotated[str, STUDENT] | None = Field(description=OTHER, examples=[None])
    staff_id: str | None = Field(description=ADULT, examples=["a.rivera"])
    skill_id: str | None = Field(description=SKILL, examples=[None])
    room_id: str | None = Field(description=ROOM, examples=[None])
    wished_at: dt.datetime = Field(description="moment of the wish, UTC", examples=["2026-03-16T14:05:00Z"])
    until: SchoolDate
    ended_at: dt.datetime | None = Field(description="moment at which somebody ended it, UTC; null where nobody did")
    met_on: list[dt.date] = Field(
        description="days since then with a session on record that met it", examples=[["2026-03-17"]]
    )


class WishesOut(Body):
    """The wishes of a student."""

    wishes: list[WishOut] = Field(description="all that are stored, the newest first")
