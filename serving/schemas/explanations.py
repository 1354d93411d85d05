"""The bodies by which it is told why a student does not sit somewhere."""

from pydantic import Field

from serving.grouping.policy import Modality
from serving.schemas.body import Body
from serving.schemas.changes import MoveOut, PriceOut
from serving.schemas.sessions import MOST_SESSIONS, SessionIn, SessionSeats


class ExplanationRequest(Body):
    """A place in which a student does not sit; what is null is left open."""

    student_id: str = Field(min_length=1, description="a student of the day", examples=["s0412"])
    block_id: str = Field(description="a block of the day", examples=["mon-1"])
    modality: Modality | None = Field(
        default=None, description="kind of session; null: any that an adult leads", examples=["small_group"]
    )
    skill_id: str | None = Field(default=None, description="a skill of the day", examples=["ratios"])
    staff_id: str | None = Field(default=None, description="the adult who leads", examples=["a.rivera"])
    sessions: list[SessionIn] | None = Field(
        default=None,
        max_length=MOST_SESSIONS,
        description="the day as it is held, keeping every rule; null: as it was decided, or else as it was suggested",
    )


class InTheWayOut(Body):
    """Rules that stand in the way of the seat."""

    rules: list[str] = Field(description="the one to look at first leads", examples=[["qualified"]])
    sentence: str = Field(description="in plain words; no student is named", examples=["In 09:00-09:45 nobody may."])
    proven: bool = Field(description="false where merely no plan was found", examples=[True])


class UsedUpOut(Body):
    """What is used up in the block, so that no more sessions fit in."""

    resource: str = Field(description="adults, monitors, rooms, or a kind of session", examples=["rooms"])
    used: int = Field(description="how many the plan takes", examples=[4])
    there: int = Field(description="how many there are", examples=[4])
    sentence: str = Field(
        description="in plain words", examples=["No room for a further led session is free in 09:00-09:45."]
    )


class ExplanationOut(Body):
    """What it takes to put the student there."""

    recommendation_id: str = Field(description="of the plan", examples=["6f1c0f4f0d0e4a0e8a3a1f1e2d3c4b5a"])
    possible: bool = Field(description="whether a plan with the seat was found", examples=[True])
    sentence: str = Field(
        description="the answer in plain words; no student is named",
        examples=["The seat would cost 0.31: 0.31 less need met (-0.31); 2 other seats would move."],
    )
    price: PriceOut | None = Field(description="of the best plan with the seat; null where there is none")
    moves: list[MoveOut] = Field(description="other seats that would move")
    sessions: list[SessionSeats] | None = Field(description="that plan; null where there is none")
    in_the_way: list[InTheWayOut] = Field(description="rules that forbid it, where there is no plan")
    used_up: list[UsedUpOut] = Field(description="what the present day has no more of in the block")
