"""The bodies by which people decide on a plan."""

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from serving.schemas.changes import ViolationOut
from serving.schemas.common import Body
from serving.schemas.sessions import MOST_SESSIONS, SessionIn, SessionSeats

Choice = Literal["accepted", "edited", "rejected"]

Reason = Literal[
    "fits",
    "other_needs_first",
    "wrong_skill",
    "wrong_group",
    "wrong_adult",
    "wrong_room_or_time",
    "wrong_size",
    "somebody_away",
    "too_many_changes",
    "forecast_doubted",
    "other",
]


class DecisionRequest(Body):
    """What people decided on a plan."""

    decision: Choice = Field(description="edited: accepted with the sessions given", examples=["edited"])
    sessions: list[SessionIn] | None = Field(
        default=None,
        max_length=MOST_SESSIONS,
        description="all sessions of the day as they will be held; with `edited`, and only then",
    )
    reasons: list[Reason] = Field(
        default_factory=list, max_length=10, description="why, for learning from it", examples=[["wrong_group"]]
    )
    note: str | None = Field(
        default=None,
        max_length=500,
        pattern=r"^[^\x00]*$",  # which PostgreSQL cannot keep
        description="in the team's own words; kept with the plan and erased with it, never logged",
        examples=["Moved one student to the group that starts fractions."],
    )

    @model_validator(mode="after")
    def _sessions_with_an_edit(self) -> "DecisionRequest":
        if (self.decision == "edited") != (self.sessions is not None):
            raise ValueError("`edited` needs sessions; `accepted` and `rejected` have none")
        return self


class DecisionOut(Body):
    """A decision, as it is kept."""

    recommendation_id: str = Field(description="the plan decided on", examples=["6f1c0f4f0d0e4a0e8a3a1f1e2d3c4b5a"])
    decision: Choice = Field(description="edited: accepted with other sessions", examples=["edited"])
    decided_at: dt.datetime = Field(description="UTC", examples=["2026-03-16T07:41:00Z"])
    reasons: list[Reason] = Field(description="why", examples=[["wrong_group"]])
    note: str | None = Field(description="in the team's own words", examples=["Moved one student."])
    sessions: list[SessionSeats] = Field(description="what counts as held on that day from now on; none where rejected")
    violations: list[ViolationOut] = Field(
        description="hard rules that the sessions break: people have the last word, and are told", examples=[[]]
    )
    replaces: str | None = Field(
        description="id of the plan of the same team and date whose sessions these replace; null if there was none",
        examples=[None],
    )
