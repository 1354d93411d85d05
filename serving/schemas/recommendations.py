"""The bodies of requests for a day's plan and of plans."""

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from serving.grouping.policy import Modality
from serving.schemas.body import Body, Probability
from serving.schemas.provenance import Provenance


class Absence(Body):
    """One student or one adult who is away."""

    student_id: str | None = Field(default=None, examples=["s0412"])
    staff_id: str | None = Field(default=None, examples=["a.rivera"])
    block_ids: list[str] | None = Field(default=None, description="blocks of the day; null for the whole day")

    @model_validator(mode="after")
    def _names_one(self) -> "Absence":
        if (self.student_id is None) == (self.staff_id is None):
            raise ValueError("name either student_id or staff_id")
        return self


class DayRule(Body):
    """A rule of this day only."""

    kind: Literal["keep_together", "keep_apart", "pinned", "unavailable"]
    student_ids: list[str] = Field(default_factory=list)
    staff_id: str | None = None
    block_id: str | None = None
    skill_id: str | None = None

    @model_validator(mode="after")
    def _names_enough(self) -> "DayRule":
        if self.kind in {"keep_together", "keep_apart"} and len(set(self.student_ids)) < 2:  # noqa: PLR2004 - a pair
            raise ValueError(f"{self.kind} needs two or more student_ids")
        if self.kind == "pinned" and (not self.student_ids or not (self.staff_id or self.block_id or self.skill_id)):
            raise ValueError("pinned needs student_ids and a staff_id, block_id or skill_id")
        if self.kind == "unavailable" and not (self.student_ids or self.staff_id):
            raise ValueError("unavailable needs student_ids or a staff_id")
        return self


class RecommendationRequest(Body):
    """A team's day to be planned."""

    team_id: str = Field(min_length=1, examples=["team-1"])
    date: dt.date = Field(description="the school's own date", examples=["2026-03-16"])
    absences: list[Absence] = Field(default_factory=list, max_length=1000)
    rules: list[DayRule] = Field(default_factory=list, max_length=1000)
    seed: int = Field(
        default=0,
        ge=0,
        lt=2**63,
        description="of the lots that the search draws; without `seconds` the same inputs and seed give the same plan",
    )
    seconds: float | None = Field(
        default=None,
        gt=0,
        le=30,
        description="search that long by the clock; without it, as many rounds as take about a second",
    )


class AdultOut(Body):
    """One adult in a session."""

    staff_id: str
    role: str = Field(examples=["collaborating_teacher"])


class SeatOut(Body):
    """One student in one session, and why there."""

    student_id: str
    why: str
    facts: list[str]
    need: Probability | None = None
    struggle_risk: Probability | None = None
    mastery: Probability | None = None
    benefit: float | None = Field(default=None, description="need x effect x qualification")


class SessionOut(Body):
    """One session of the day."""

    id: str
    block_id: str
    time: str = Field(examples=["09:00-09:45"])
    modality: Modality
    skill_id: str | None
    skill: str | None
    adults: list[AdultOut] = Field(description="the lead first, then who sits beside; online, who monitors")
    room_id: str | None
    students: list[SeatOut]
    why: str


class TermOut(Body):
    """One named part of the score."""

    name: str
    value: float = Field(description="in the unit that the sentence tells")
    weight: float = Field(description="price of one unit")
    points: float = Field(description="what it adds to the total")
    sentence: str


class UnmetOut(Body):
    """A present student's greatest need that no session meets today."""

    student_id: str
    skill_id: str | None
    need: Probability | None
    reason: str
    sentence: str


class RecommendationOut(Body):
    """A plan that keeps every hard rule, and everything that it rests on."""

    id: str
    created_at: dt.datetime
    team_id: str
    date: dt.date
    seed: int
    problem_hash: str = Field(description="SHA-256 of the problem; equal problems have equal plans")
    status: Literal["searched", "seats_optimal", "optimal"]
    cut_by_clock: bool = Field(description="whether the search ended by the clock, so that it may end elsewhere again")
    provenance: Provenance
    score: float
    bound: float = Field(description="a score that no plan of this day exceeds")
    proven_share: float = Field(
        ge=0, le=1, description="at least this share of what the best plan adds to a day online is in this one"
    )
    terms: list[TermOut]
    sessions: list[SessionOut]
    unmet: list[UnmetOut]
