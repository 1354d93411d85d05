"""The bodies by which a plan that a person edited is judged."""

from pydantic import Field

from serving.schemas.body import Body
from serving.schemas.changes import MoveOut, PriceOut, TermOut, ViolationOut
from serving.schemas.sessions import MOST_SESSIONS, SessionIn, SessionSeats


class EvaluationRequest(Body):
    """A plan that a person edited."""

    sessions: list[SessionIn] = Field(
        max_length=MOST_SESSIONS, description="all sessions of the day, as `sessions` of the plan told them or shorter"
    )
    repair: bool = Field(
        default=True,
        description="whether to look for the smallest repair where rules are broken; about half a second for 60",
        examples=[True],
    )


class ChangeOut(MoveOut):
    """One moved seat, judged by undoing it alone."""

    price: PriceOut | None = Field(
        description="what the change adds to the edited plan, beside all others; null where more than 200 seats moved"
    )
    mends: list[ViolationOut] = Field(
        description="broken rules that are gone once the change is undone, so that it has a part in them", examples=[[]]
    )
    breaks: list[ViolationOut] = Field(description="rules that undoing it alone would break", examples=[[]])


class RepairOut(Body):
    """A plan near the edited one that keeps every rule."""

    sessions: list[SessionSeats] = Field(description="all sessions of the day")
    score: float = Field(description="in whole needs met", examples=[29.8])
    moved: int = Field(ge=0, description="seats that differ from the edited plan", examples=[1])
    at_least: int = Field(
        ge=0, description="seats that any repair has to move; equal to `moved`: none is smaller", examples=[1]
    )
    moves: list[MoveOut] = Field(description="the seats that differ")


class EvaluationOut(Body):
    """What there is to say of an edited plan, against the plan that was suggested."""

    recommendation_id: str = Field(description="of the plan", examples=["6f1c0f4f0d0e4a0e8a3a1f1e2d3c4b5a"])
    keeps_rules: bool = Field(description="whether no hard rule is broken", examples=[False])
    violations: list[ViolationOut] = Field(description="every broken hard rule", examples=[[]])
    score: float = Field(description="in whole needs met; only plans of one day compare", examples=[30.2])
    terms: list[TermOut] = Field(description="the score term by term")
    price: PriceOut | None = Field(description="of the whole edit; null where nothing can be compared")
    changes: list[ChangeOut] = Field(description="each seat that was moved; their prices need not sum up to the whole")
    repair: RepairOut | None = Field(
        default=None, description="null where no rule is broken, none was asked for, or none was found"
    )
