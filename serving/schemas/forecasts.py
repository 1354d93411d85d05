"""The bodies that tell what is known and forecast about students."""

import datetime as dt
from typing import Literal

from pydantic import Field

from serving.schemas.common import Body, Probability, Provenance


class ReasonOut(Body):
    """One family of facts that moves a forecast: an association, not a cause."""

    family: str = Field(examples=["recent"])
    words: str = Field(examples=["latest answers on this skill"])
    effect: Literal["raises", "lowers"]
    weight: float = Field(description="in logits")


class SkillForecastOut(Body):
    """What is known and forecast about one student on one skill."""

    skill_id: str
    skill: str = Field(description="its name, or its id where none is known")
    status: Literal["mastered", "struggling", "forecast", "not_enough_evidence"]
    struggle_risk: Probability | None = Field(description="null where there is not enough evidence")
    mastery: Probability | None = Field(description="probability that the next answer is right; null likewise")
    opportunities: int = Field(description="first attempts on the skill so far")
    last_practiced: dt.datetime | None
    facts: list[str] = Field(examples=[["3 of the last 5 wrong", "7 tries on this skill"]])
    reasons: list[ReasonOut]
    advice: str | None = Field(default=None, description="what would settle a forecast that is not given")


class SkillRiskOut(Body):
    """What is forecast about one student on one skill, without its facts and reasons."""

    skill_id: str
    status: Literal["mastered", "struggling", "forecast", "not_enough_evidence"] = Field(
        description="the first two are facts by the product's own rule", examples=["forecast"]
    )
    struggle_risk: Probability | None = Field(
        description="0 for mastered, 1 for struggling, null where there is not enough evidence", examples=[0.42]
    )
    mastery: Probability | None = Field(
        description="probability that the next answer is right; null where there is not enough evidence",
        examples=[0.61],
    )
    opportunities: int = Field(description="first attempts on the skill so far", examples=[7])
    last_practiced: dt.datetime | None = Field(description="UTC; null without a clock")


class StudentRisksOut(Body):
    """One student's forecasts, one for each skill that the student has practised."""

    student_id: str
    skills: list[SkillRiskOut] = Field(description="by id; none for a student without a profile")


class TeamForecasts(Body):
    """The forecasts of a whole team."""

    team_id: str
    students: list[StudentRisksOut] = Field(description="the members, by id")
    provenance: Provenance


class NeedOut(Body):
    """How much one student needs one skill now, and from what that was reckoned."""

    skill_id: str
    skill: str
    need: Probability = Field(description="struggle_risk x (1 - mastery) x readiness x weight")
    struggle_risk: Probability | None
    mastery: Probability | None
    readiness: Probability
    weight: Probability
    facts: list[str]


class StudentOut(Body):
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


class BoardRow(Body):
    """One student on the team's board."""

    student_id: str
    needs: list[NeedOut]
    strengths: list[str] = Field(description="skills mastered lately, by name")
    last_seen_by_adult: dt.date | None = Field(description="the last led session on record; null if none")


class Board(Body):
    """The team's shared picture, the students with the greatest need first."""

    team_id: str
    students: list[BoardRow]
    provenance: Provenance
