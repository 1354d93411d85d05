"""The bodies that tell what changing a plan does: broken rules, moved seats, prices."""

from pydantic import Field

from serving.grouping.policy import Modality
from serving.schemas.body import Body


class TermOut(Body):
    """One named part of the score."""

    name: str = Field(description="stable, such as for a chart", examples=["benefit"])
    value: float = Field(description="in the unit that the sentence tells", examples=[31.4])
    weight: float = Field(description="price of one unit, in whole needs met", examples=[1.0])
    points: float = Field(description="what it adds to the total, in whole needs met", examples=[31.4])
    sentence: str = Field(description="the same in plain words", examples=["Sessions meet 31.4 whole needs."])


class ViolationOut(Body):
    """One broken hard rule."""

    rule: str = Field(description="its name; stable", examples=["keep_apart"])
    sentence: str = Field(
        description="what breaks it; people are named by id",
        examples=["s0412 and s0417 are to be kept apart but share mon-1-small_group-1."],
    )


class TermChangeOut(Body):
    """What one term of the score gains or loses."""

    name: str = Field(description="of the term; stable", examples=["benefit"])
    value: float = Field(description="how much more of it there is, in the term's own unit", examples=[-0.22])
    points: float = Field(description="what that adds to the score, in whole needs met", examples=[-0.22])
    sentence: str = Field(description="both in plain words", examples=["0.22 less need met (-0.22)"])


class PriceOut(Body):
    """What a change does to the score."""

    points: float = Field(description="in whole needs met; negative: what the change costs", examples=[-0.2])
    terms: list[TermChangeOut] = Field(
        description="those that differ, what decides first",
        examples=[[{"name": "benefit", "value": -0.2, "points": -0.2, "sentence": "0.20 less need met (-0.20)"}]],
    )
    sentence: str = Field(description="all that in plain words", examples=["costs 0.20: 0.20 less need met (-0.20)"])


class SeatPlaceOut(Body):
    """Where a student sits in one block."""

    modality: Modality = Field(description="kind of session", examples=["small_group"])
    skill_id: str | None = Field(description="null online", examples=["ratios"])
    staff_id: str | None = Field(description="who leads; null online", examples=["a.rivera"])


class MoveOut(Body):
    """One student's seat in one block that two plans give differently."""

    student_id: str = Field(description="who", examples=["s0412"])
    block_id: str = Field(description="when", examples=["mon-1"])
    before: SeatPlaceOut | None = Field(description="null where the first plan has no seat")
    after: SeatPlaceOut | None = Field(description="null where the second plan has no seat")
