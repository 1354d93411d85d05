"""The bodies by which people decide on a plan."""

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from serving.schemas.changes import ViolationOut
from serving.schemas.common import Body, PlanId
from serving.schemas.sessions import MOST_SESSIONS, SessionIn, SessionSeats
from serving.schemas.texts import Note

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

    decision: Choice = Field(
        description="edited: the plan is accepted with the sessions sent along", examples=["edited"]
    )
    sessions: list[SessionIn] | None = Field(
        default=None,
        max_length=MOST_SESSIONS,
        description="all sessions of the day as they will be held; required with `edited`, and null otherwise",
    )
    reasons: list[Reason] = Field(
        default_factory=list, max_length=10, description="codes of why people decided so", examples=[["wrong_group"]]
    )
    note: Note | None = Field(
        default=None,
        description="a note in the team's own words; stored with the plan, erased with it, never logged",
        examples=["Moved one student to the group that starts fractions."],
    )

    @model_validator(mode="after")
    def _sessions_with_an_edit(self) -> "DecisionRequest":
        if (self.decision == "edited") != (self.sessions is not None):
            raise ValueError("`edited` needs sessions; `accepted` and `rejected` have none")
        return self


class DecisionOut(Body):
    """A decision as it is stored."""

    recommendation_id: PlanId
    decision: Choice = Field(description="edited: the plan was accepted with other sessions", examples=["edited"])
    decided_at: dt.datetime = Field(description="moment of the decision, UTC", examples=["2026-03-16T07:41:00Z"])
    reasons: list[Reason] = Field(description="codes of why people decided so", examples=[["wrong_group"]])
    note: str | None = Field(
        description="a note in the team's own words; null without one", examples=["Moved one student."]
    )
    sessions: list[SessionSeats] = Field(
        description="the sessions that count as held on that day from now on; empty where the plan was rejected"
    )
    violations: list[ViolationOut] = Field(
        description="hard rules that the sessions break; people have the last word, so the decision stands",
        examples=[[]],
    )
    replaces: str | None = Field(
        description="id of the plan of the same team and date whose sessions these replace; null if there was none",
        examples=[None],
    )
    awaits_signature: bool = Field(
        default=False,
        description="whether the sessions count only once the team's leader has signed the day, as the team asks by "
        "`leader_signs` of its `policy.toml`",
        examples=[False],
    )
    signed_at: dt.datetime | None = Field(
        default=None, description="moment of the leader's signature, UTC; null without one", examples=[None]
    )
