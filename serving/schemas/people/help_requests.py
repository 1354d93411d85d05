"""The bodies of requests for help from the adult on call."""

import datetime as dt

from pydantic import Field

from serving.schemas.common import PLAN_ID, BlockId, BlockIdIn, Body, PlanId, StudentId, StudentIdIn
from serving.schemas.texts import Identity

SKILL = "id of the skill that it is about; null where nobody said"
CAME = "id of the adult of the team who came; null where the student needs none any more"


class HelpRequestIn(Body):
    """A student who works independently and asks for an adult."""

    student_id: StudentIdIn
    block_id: BlockIdIn
    skill_id: Identity | None = Field(default=None, description=SKILL, examples=["ratios"])


class HelpEnd(Body):
    """How a request ended."""

    staff_id: Identity | None = Field(default=None, description=CAME, examples=["a.rivera"])


class HelpRequestOut(Body):
    """A student who asked for help; once an adult came, an `on_demand` session of one student."""

    request_id: str = Field(description="id of the request", examples=[PLAN_ID])
    recommendation_id: PlanId
    student_id: StudentId
    block_id: BlockId
    skill_id: str | None = Field(description=SKILL, examples=["ratios"])
    on_call: list[str] = Field(
        description="ids of the adults on call, who supervise the student's independent work then",
        examples=[["a.rivera"]],
    )
    asked_at: dt.datetime = Field(
        description="moment at which the student asked, UTC", examples=["2026-03-16T14:05:00Z"]
    )
    ended_at: dt.datetime | None = Field(
        description="moment at which an adult came or it was taken back, UTC; null while the student waits",
        examples=["2026-03-16T14:09:00Z"],
    )
    staff_id: str | None = Field(description=CAME, examples=["a.rivera"])
    waited_seconds: int = Field(description="seconds from asking to the end, or to now", examples=[240])


class HelpRequestsOut(Body):
    """Who asked for help on a day, and who waits."""

    requests: list[HelpRequestOut] = Field(description="those that wait first, the longest first; then the others")
