"""The bodies of requests and answers, as OpenAPI shows them."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from serving.grouping.policy import Modality

Probability = Annotated[float, Field(ge=0, le=1)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Absence(_Body):
    """One student or one adult who is away."""

    student_id: str | None = Field(default=None, examples=["s0412"])
    staff_id: str | None = Field(default=None, examples=["a.rivera"])
    block_ids: list[str] | None = Field(default=None, description="blocks of the day; null for the whole day")

    @model_validator(mode="after")
    def _names_one(self) -> "Absence":
        if (self.student_id is None) == (self.staff_id is None):
            raise ValueError("name either student_id or staff_id")
        return self


class DayRule(_Body):
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


class RecommendationRequest(_Body):
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


class ModelVersion(_Body):
    """What forecast; every figure of one answer is of this one version."""

    run_id: str
    struggle_version: int
    mastery_version: int


class Provenance(_Body):
    """What an answer rests on."""

    model: ModelVersion
    data_as_of: dt.datetime | None = Field(description="UTC; null for a log without a clock")
    data_version: str
    profiles: str = Field(description="name of the published profiles")


class ReasonOut(_Body):
    """One family of facts that moves a forecast: an association, not a cause."""

    family: str = Field(examples=["recent"])
    words: str = Field(examples=["latest answers on this skill"])
    effect: Literal["raises", "lowers"]
    weight: float = Field(description="in logits")


class SkillForecastOut(_Body):
    """What is known and forecast about one student on one skill."""

    skill_id: str
    skill: str = Field(description="its name, or its id where none is known")
    status: Literal["mastered", "struggling", "forecast", "not_enough_evidence"]
    struggle_risk: Probability | None = Field(description="null where there is not enough evidence")
    mastery: Probability | None = Field(description="probability that the next answer is right; null likewise")
    opportunities: int = Field(description="first attempts on the skill so far")
    last_practised: dt.datetime | None
    facts: list[str] = Field(examples=[["3 of the last 5 wrong", "7 tries on this skill"]])
    reasons: list[ReasonOut]
    advice: str | None = Field(default=None, description="what would settle a forecast that is not given")


class NeedOut(_Body):
    """How much one student needs one skill now, and from what that was reckoned."""

    skill_id: str
    skill: str
    need: Probability = Field(description="struggle_risk x (1 - mastery) x readiness x weight")
    struggle_risk: Probability | None
    mastery: Probability | None
    readiness: Probability
    weight: Probability
    facts: list[str]


class StudentOut(_Body):
    """One student's profile."""

    student_id: str
    team_id: str | None
    responses: int = Field(description="first attempts so far")
    last_active: dt.datetime | None = Field(description="UTC; null without a clock")
    correct_share_10r: Probability | None = Field(description="share correct of the last 10 responses")
    recent_responses_7d: float | None = Field(description="responses that fade by half in 7 days; null without a clock")
    active_minutes_7d: float | None = Field(description="minutes at work that fade by half in 7 days; null if unknown")
    skills: list[SkillForecastOut]
    provenance: Provenance


class BoardRow(_Body):
    """One student on the team's board."""

    student_id: str
    needs: list[NeedOut]
    strengths: list[str] = Field(description="skills mastered lately, by name")
    last_seen_by_adult: dt.date | None = Field(description="the last led session on record; null if none")


class Board(_Body):
    """The team's shared picture, the students with the greatest need first."""

    team_id: str
    students: list[BoardRow]
    provenance: Provenance


class AdultOut(_Body):
    """One adult in a session."""

    staff_id: str
    role: str = Field(examples=["collaborating_teacher"])


class SeatOut(_Body):
    """One student in one session, and why there."""

    student_id: str
    why: str
    facts: list[str]
    need: Probability | None = None
    struggle_risk: Probability | None = None
    mastery: Probability | None = None
    benefit: float | None = Field(default=None, description="need x effect x qualification")


class SessionOut(_Body):
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


class TermOut(_Body):
    """One named part of the score."""

    name: str
    value: float = Field(description="in the unit that the sentence tells")
    weight: float = Field(description="price of one unit")
    points: float = Field(description="what it adds to the total")
    sentence: str


class UnmetOut(_Body):
    """A present student's greatest need that no session meets today."""

    student_id: str
    skill_id: str | None
    need: Probability | None
    reason: str
    sentence: str


class RecommendationOut(_Body):
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


class ModelsOut(_Body):
    """What serves now."""

    provenance: Provenance
    students: int
    meaning: dict[str, str] = Field(description="what each forecast is the probability of")
