"""The bodies that say what changing a plan does: broken rules, moved seats, score impact."""

from typing import Annotated, Literal

from pydantic import Field

from serving.grouping import SessionType
from serving.schemas.common import (
    BlockId,
    BlockIdIn,
    Body,
    Clock,
    Kind,
    Lead,
    PlanId,
    Score,
    StudentId,
    StudentIdIn,
    TaughtSkill,
)
from serving.schemas.sessions import MOST_SESSIONS, SessionIn, SessionSeats
from serving.schemas.texts import Identity


class TermOut(Body):
    """One named part of the score."""

    name: str = Field(description="name of the term; stable, such as for a chart", examples=["benefit"])
    value: float = Field(description="amount, in the unit that the sentence names", examples=[31.4])
    weight: float = Field(description="need points for one unit of the term", examples=[1.0])
    points: float = Field(
        description="contribution to the score in need points; 1 is one student's greatest possible need, met in full",
        examples=[31.4],
    )
    sentence: str = Field(description="the term in plain words", examples=["Sessions meet 31.4 need points."])


class ViolationOut(Body):
    """One broken hard rule."""

    rule: str = Field(description="name of the rule; stable", examples=["keep_apart"])
    sentence: str = Field(
        description="what breaks the rule; people are named by id",
        examples=["s0412 and s0417 must not be grouped together but share mon-1-small_group-1."],
    )


class TermChangeOut(Body):
    """What one term of the score gains or loses by a change."""

    name: str = Field(description="name of the term; stable", examples=["benefit"])
    value: float = Field(
        description="change of the amount, in the unit that the sentence names; negative: less", examples=[-0.22]
    )
    points: float = Field(description="change of the score in need points; negative: a loss", examples=[-0.22])
    sentence: str = Field(description="both in plain words", examples=["0.22 less need met (-0.22)"])


class ScoreImpactOut(Body):
    """What a change adds to the score or takes from it."""

    points: float = Field(description="change of the score in need points; negative: a loss", examples=[-0.2])
    terms: list[TermChangeOut] = Field(
        description="the terms that change, the one that decides first",
        examples=[[{"name": "benefit", "value": -0.2, "points": -0.2, "sentence": "0.20 less need met (-0.20)"}]],
    )
    sentence: str = Field(
        description="the score impact in plain words", examples=["costs 0.20: 0.20 less need met (-0.20)"]
    )


class SeatPlaceOut(Body):
    """Where a student sits in one block."""

    session_type: Kind
    skill_id: TaughtSkill
    staff_id: Lead


class MoveOut(Body):
    """One student's seat in one block that differs between two plans."""

    student_id: StudentId
    block_id: BlockId
    before: SeatPlaceOut | None = Field(description="the seat in the first plan; null where it has none")
    after: SeatPlaceOut | None = Field(description="the seat in the second plan; null where it has none")


class TimedBody(Body):
    """A question about a plan, with the time that its answer may take."""

    seconds: float = Field(
        default=5.0,
        gt=0,
        le=30,
        description="seconds, from the request's turn in the solver queue, in which the answer has what was found by "
        "then; it takes about half a second for 60 students",
        examples=[5.0],
    )


CutByClock = Annotated[
    bool, Field(description="whether the time ran out; with more `seconds` there may be more", examples=[False])
]


class EvaluationRequest(TimedBody):
    """A plan that a person edited."""

    sessions: list[SessionIn] = Field(
        max_length=MOST_SESSIONS,
        description="all sessions of the day, in the form of the plan's `sessions` or with ids alone",
    )
    repair: bool = Field(
        default=True,
        description="whether to look for the smallest repair where rules are broken",
        examples=[True],
    )


class ChangeOut(MoveOut):
    """One moved seat, evaluated by undoing it alone."""

    score_impact: ScoreImpactOut | None = Field(
        description="score impact of this change while all others stay; null where more than 200 seats moved, or "
        "the time ran out"
    )
    fixes: list[ViolationOut] = Field(
        description="broken rules that undoing the change would fix, so that it has a part in them", examples=[[]]
    )
    breaks: list[ViolationOut] = Field(description="rules that undoing this change alone would break", examples=[[]])


class RepairOut(Body):
    """A plan near the edited one that keeps every rule."""

    sessions: list[SessionSeats] = Field(description="all sessions of the repaired day")
    score: Score
    moved: int = Field(ge=0, description="seats that differ from the edited plan", examples=[1])
    at_least: int = Field(
        ge=0,
        description="seats that any repair must move; where this equals `moved`, no repair is smaller",
        examples=[1],
    )
    moves: list[MoveOut] = Field(description="the seats that differ from the edited plan")


class EvaluationOut(Body):
    """An edited plan evaluated against the plan that was suggested."""

    recommendation_id: PlanId
    keeps_rules: bool = Field(description="whether the edited plan breaks no hard rule", examples=[False])
    violations: list[ViolationOut] = Field(description="every broken hard rule", examples=[[]])
    score: Score
    terms: list[TermOut] = Field(description="the score term by term")
    score_impact: ScoreImpactOut | None = Field(
        description="score impact of the whole edit; null where the plans cannot be compared"
    )
    changes: list[ChangeOut] = Field(
        description="each seat that was moved; the score impacts need not add up to that of the whole edit"
    )
    repair: RepairOut | None = Field(
        default=None, description="the smallest repair; null where no rule is broken, none was asked for or none found"
    )
    cut_by_clock: CutByClock


class ExplanationRequest(TimedBody):
    """A seat that a student does not have; what is null may be anything."""

    student_id: StudentIdIn
    block_id: BlockIdIn
    session_type: SessionType | None = Field(
        default=None, description="type of the session; null: any adult-led session", examples=["small_group"]
    )
    skill_id: Identity | None = Field(default=None, description="a skill of the day; null: any", examples=["ratios"])
    staff_id: Identity | None = Field(
        default=None, description="the adult who leads the session; null: any", examples=["a.rivera"]
    )
    sessions: list[SessionIn] | None = Field(
        default=None,
        max_length=MOST_SESSIONS,
        description="the sessions of the day as they will be held, which must keep every rule; null: those that were "
        "decided on, or else those that were suggested",
    )


class BlockingRulesOut(Body):
    """Rules that together rule the seat out."""

    rules: list[str] = Field(description="names of the rules, the one to look at first", examples=[["qualified"]])
    sentence: str = Field(
        description="the conflict in plain words; no student is named",
        examples=["No adult who may teach Ratios is there in 09:00-09:45."],
    )
    proven: bool = Field(
        description="whether it is proven that no plan has the seat; false: merely none was found", examples=[True]
    )


class ExhaustedResourceOut(Body):
    """A resource of the block that is used up, so that no further session fits in."""

    resource: str = Field(
        description="adults, monitors (adults who may supervise independent online work), rooms, or a session type for "
        "its seats",
        examples=["rooms"],
    )
    used: int = Field(description="how many the plan uses", examples=[4])
    there: int = Field(description="how many the day has", examples=[4])
    sentence: str = Field(
        description="the shortage in plain words",
        examples=["No room is free for another adult-led session in 09:00-09:45."],
    )


class ExplanationOut(Body):
    """What it takes to give the student the seat."""

    recommendation_id: PlanId
    possible: bool = Field(description="whether a plan with the seat was found", examples=[True])
    sentence: str = Field(
        description="the answer in plain words; no student is named",
        examples=["The seat would cost 0.31: 0.31 less need met (-0.31); 2 other seats would move."],
    )
    score_impact: ScoreImpactOut | None = Field(
        description="score impact of the best plan with the seat; null where there is none"
    )
    moves: list[MoveOut] = Field(description="other seats that would move")
    sessions: list[SessionSeats] | None = Field(description="the best plan with the seat; null where there is none")
    blocking_rules: list[BlockingRulesOut] = Field(
        description="the rules that rule the seat out; empty where there is a plan"
    )
    exhausted_resources: list[ExhaustedResourceOut] = Field(
        description="what the block has no more of in the sessions as they will be held"
    )


class SeatOptionsRequest(TimedBody):
    """A student who came late or is new."""

    student_id: StudentIdIn
    block_ids: list[Identity] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="blocks that the student attends and needs a seat in; null: those in which the plan has the "
        "student, or all of the day for a student who was absent or is new",
        examples=[["mon-2", "mon-3"]],
    )
    sessions: list[SessionIn] | None = Field(
        default=None,
        max_length=MOST_SESSIONS,
        description="the sessions of the day as they will be held; null: those that were decided on, or else those "
        "that were suggested",
    )


class SeatOptionOut(Body):
    """One session that the student may join without breaking a hard rule."""

    session: SessionSeats = Field(description="the session with the student in it")
    opened: bool = Field(description="whether it is a new session of independent online work", examples=[False])
    score_impact: ScoreImpactOut = Field(
        description="score impact of the seat, against the day without the student in these blocks"
    )
    sentence: str = Field(
        description="the seat and its score impact in plain words",
        examples=["Online in 09:00-09:45: changes no term of the score."],
    )


class BlockOptionsOut(Body):
    """The student's seat options in one block."""

    block_id: BlockId
    time: Clock
    options: list[SeatOptionOut] = Field(description="the best first; empty where no session can take the student")


class SeatOptionsOut(Body):
    """Every seat that one student could have while nobody else moves."""

    recommendation_id: PlanId
    student_id: StudentId
    needs_from: Literal["plan", "forecasts", "nothing"] = Field(
        description="where the student's needs come from; nothing: every skill of the day counts as a moderate need",
        examples=["plan"],
    )
    blocks: list[BlockOptionsOut] = Field(description="blocks in the order of the day")
    best: list[str] | None = Field(
        description="ids of the sessions, one for each block, that are best together; null where no combination keeps "
        "the rules, in which case `explanations` says what moving others would cost",
        examples=[["mon-2-small_group-1"]],
    )
    score_impact: ScoreImpactOut | None = Field(description="score impact of the best seats; null where `best` is null")
    sessions: list[SessionSeats] | None = Field(
        description="all sessions of the day with the student in the best seats; null where `best` is null"
    )
    cut_by_clock: CutByClock
