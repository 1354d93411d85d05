"""The bodies that say what is known and forecast about students."""

import datetime as dt
from typing import Literal

from pydantic import Field

from serving.schemas.common import (
    BecauseOf,
    Body,
    Facts,
    Mastery,
    Names,
    Probability,
    Provenance,
    PurposeOf,
    SkillName,
    SkillStatus,
    StruggleRisk,
    StudentId,
    TeamId,
)


class ReasonOut(Body):
    """One family of facts that raises or lowers a forecast: an association, not a cause."""

    family: str = Field(description="name of the family; stable", examples=["recent"])
    words: str = Field(description="the family in plain words", examples=["latest answers on this skill"])
    effect: Literal["raises", "lowers"]
    weight: float = Field(description="size of the effect on the forecast, in logits")


class SkillRiskOut(Body):
    """What is forecast about one student on one skill, without facts and reasons."""

    skill_id: str
    skill: SkillName
    status: SkillStatus
    struggle_risk: StruggleRisk
    mastery: Mastery
    opportunities: int = Field(description="first attempts on items of the skill so far", examples=[7])
    last_practiced: dt.datetime | None = Field(description="moment of the last answer, UTC; null without a clock")


class SkillForecastOut(SkillRiskOut):
    """What is known and forecast about one student on one skill."""

    facts: Facts
    reasons: list[ReasonOut] = Field(
        description="what raises or lowers the struggle risk, the strongest first; where a low risk stands beside only "
        "wrong answers, or a high one beside only right ones, what outweighs them is among the reasons"
    )
    advice: str | None = Field(
        default=None,
        description="the quick check that would settle it; null where there is a forecast",
        examples=["not enough evidence: 2 questions on Ratios would settle it"],
    )


class StudentRisksOut(Body):
    """One student's forecasts, one for each skill that the student has practiced."""

    student_id: StudentId
    skills: list[SkillRiskOut] = Field(description="forecasts in order of skill id; empty without a profile")


class TeamForecasts(Body):
    """The forecasts of a whole team."""

    team_id: TeamId
    students: list[StudentRisksOut] = Field(description="the members of the team, in order of student id")
    provenance: Provenance
    names: Names = None


class NeedOut(Body):
    """How much one student needs one skill now, what for, and the factors of that."""

    skill_id: str
    skill: SkillName
    status: SkillStatus
    need: Probability = Field(
        description="chance of not getting there alone x weight, 0-1; the chance is struggle_risk, half of it where "
        "the failure is long ago, and an assumed one where there is no forecast; a prerequisite that comes first has "
        "the need of the skill that waits for it"
    )
    purpose: PurposeOf
    because_of: BecauseOf
    struggle_risk: StruggleRisk
    mastery: Mastery
    readiness: Probability = Field(
        description="mastery of the weakest prerequisite, 0-1; 1 where none is known. It does not lower the need"
    )
    weight: Probability = Field(
        description="priority of the skill, 0-1: that of the team's current unit, or more where the risk is high"
    )
    facts: Facts


class EvidenceOut(Body):
    """What a total of another product says about a student's skill: a weaker kind of profile, without answers."""

    skill_id: str
    skill: SkillName
    source: str = Field(description="the product that the total is of", examples=["i-ready"])
    occurred_at: dt.datetime = Field(description="of when the figure is, UTC")
    mastery: Probability = Field(description="expected share of the skill that is mastered, 0-1; no forecast")
    uncertainty: Probability = Field(description="standard deviation of `mastery`")
    words: str = Field(
        description="the figure in a sentence",
        examples=[
            "no answers, only a total of map: RIT 187 on 2026-03-05, about 30% of the skill (14 to 46%)",
        ],
    )


class StudentOut(Body):
    """One student's profile."""

    student_id: StudentId
    team_id: str | None = Field(description="the student's team; null for a student in no team")
    responses: int = Field(description="first attempts so far")
    last_active: dt.datetime | None = Field(description="moment of the last event, UTC; null without a clock")
    correct_share_10r: Probability | None = Field(description="share correct of the last 10 responses")
    recent_responses_7d: float | None = Field(
        description="responses, each counting half as much after 7 days; null without a clock"
    )
    active_minutes_7d: float | None = Field(
        description="minutes at work, each counting half as much after 7 days; null where times are not known"
    )
    skills: list[SkillForecastOut]
    totals: list[EvidenceOut] = Field(
        description="the newest total of each skill, where another product sent totals instead of answers; where there "
        "are too few answers for a forecast, needs follow from it"
    )
    provenance: Provenance


class BoardRow(Body):
    """One student on the team's board."""

    student_id: StudentId
    needs: list[NeedOut]
    strengths: list[str] = Field(description="names of the skills practiced lately in which the student is proficient")
    only_intervention_days: int | None = Field(
        description="days with an adult in the three weeks before the last session on record, where all of them were "
        "spent in intervention groups and there are at least 5; null otherwise. Nobody is barred from anything by it"
    )
    last_seen_by_adult: dt.date | None = Field(
        description="date of the student's last adult-led session on record; null if there is none"
    )


class Board(Body):
    """The team's needs and strengths, the student with the greatest need first."""

    team_id: TeamId
    students: list[BoardRow]
    provenance: Provenance
    names: Names = None
