"""The bodies that tell what changing a plan does: broken rules, moved seats, prices."""

from typing import Literal

from pydantic import Field

from serving.grouping import SessionType
from serving.schemas.common import Body
from serving.schemas.sessions import MOST_SESSIONS, SessionIn, SessionSeats


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

    session_type: SessionType = Field(description="kind of session", examples=["small_group"])
    skill_id: str | None = Field(description="null online", examples=["ratios"])
    staff_id: str | None = Field(description="who leads; null online", examples=["a.rivera"])


class MoveOut(Body):
    """One student's seat in one block that two plans give differently."""

    student_id: str = Field(description="who", examples=["s0412"])
    block_id: str = Field(description="when", examples=["mon-1"])
    before: SeatPlaceOut | None = Field(description="null where the first plan has no seat")
    after: SeatPlaceOut | None = Field(description="null where the second plan has no seat")


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
    fixes: list[ViolationOut] = Field(
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


class ExplanationRequest(Body):
    """A place in which a student does not sit; what is null is left open."""

    student_id: str = Field(min_length=1, description="a student of the day", examples=["s0412"])
    block_id: str = Field(description="a block of the day", examples=["mon-1"])
    session_type: SessionType | None = Field(
        default=None, description="kind of session; null: any that an adult leads", examples=["small_group"]
    )
    skill_id: str | None = Field(default=None, description="a skill of the day", examples=["ratios"])
    staff_id: str | None = Field(default=None, description="the adult who leads", examples=["a.rivera"])
    sessions: list[SessionIn] | None = Field(
        default=None,
        max_length=MOST_SESSIONS,
        description="the day as it is held, keeping every rule; null: as it was decided, or else as it was suggested",
    )


class BlockingRulesOut(Body):
    """Rules that stand in the way of the seat."""

    rules: list[str] = Field(description="the one to look at first leads", examples=[["qualified"]])
    sentence: str = Field(description="in plain words; no student is named", examples=["In 09:00-09:45 nobody may."])
    proven: bool = Field(description="false where merely no plan was found", examples=[True])


class ExhaustedResourceOut(Body):
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
    blocking_rules: list[BlockingRulesOut] = Field(description="rules that forbid it, where there is no plan")
    exhausted_resources: list[ExhaustedResourceOut] = Field(
        description="what the present day has no more of in the block"
    )


class PlacementRequest(Body):
    """One student who came late, or is new."""

    student_id: str = Field(
        min_length=1, description="of the team, absent or not, or new to the school", examples=["s0412"]
    )
    block_ids: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="blocks in which to find a place, the student being there; null: all in which the plan has the "
        "student, and all of the day for a student who was away or is new",
        examples=[["mon-2", "mon-3"]],
    )
    sessions: list[SessionIn] | None = Field(
        default=None,
        max_length=MOST_SESSIONS,
        description="the day as it is held; null: as it was decided, or else as it was suggested",
    )


class PlaceOut(Body):
    """One session that the hard rules let the student join."""

    session: SessionSeats = Field(description="with the student in it")
    opened: bool = Field(description="whether it is a further online station", examples=[False])
    price: PriceOut = Field(description="what the place adds to the day without the student in these blocks")
    sentence: str = Field(
        description="what it does, in plain words", examples=["Online in 09:00-09:45: changes no term of the score."]
    )


class BlockPlacesOut(Body):
    """The places of one block."""

    block_id: str = Field(description="of the day", examples=["mon-2"])
    time: str = Field(description="the school's wall clock", examples=["09:50-10:35"])
    places: list[PlaceOut] = Field(description="the best first; empty where no session may be joined")


class PlacementsOut(Body):
    """All places of one student while nobody else moves."""

    recommendation_id: str = Field(description="of the plan", examples=["6f1c0f4f0d0e4a0e8a3a1f1e2d3c4b5a"])
    student_id: str = Field(description="who", examples=["s0412"])
    needs_from: Literal["plan", "forecasts", "nothing"] = Field(
        description="where the student's needs come from; nothing: every skill of the day is a moderate need",
        examples=["plan"],
    )
    blocks: list[BlockPlacesOut] = Field(description="in the order of the day")
    best: list[str] | None = Field(
        description="for each block the id of a session, together the best; null where none go together, and then "
        "`explanations` tells what moving others would cost",
        examples=[["mon-2-small_group-1"]],
    )
    price: PriceOut | None = Field(description="of the best together; null likewise")
    sessions: list[SessionSeats] | None = Field(description="the day with the student in the best; null likewise")
