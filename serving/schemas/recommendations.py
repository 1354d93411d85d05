"""The bodies of requests for a day's plan and of plans."""

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from serving.grouping import SessionType
from serving.schemas.changes import TermOut
from serving.schemas.common import Body, Probability, Provenance
from serving.schemas.decisions import Choice
from serving.schemas.sessions import MOST_SESSIONS, SessionSeats

IDENTITY = "6f1c0f4f0d0e4a0e8a3a1f1e2d3c4b5a"


class Absence(Body):
    """One student or one adult who is away."""

    student_id: str | None = Field(default=None, description="a member of the team", examples=["s0412"])
    staff_id: str | None = Field(default=None, description="an adult of the team", examples=["a.rivera"])
    block_ids: list[str] | None = Field(
        default=None, description="blocks of the day; null for the whole day", examples=[["mon-1"]]
    )

    @model_validator(mode="after")
    def _names_one(self) -> "Absence":
        if (self.student_id is None) == (self.staff_id is None):
            raise ValueError("name either student_id or staff_id")
        return self


class DayRule(Body):
    """A rule of this day only."""

    kind: Literal["keep_together", "keep_apart", "pinned", "unavailable"] = Field(
        description="keep_together and keep_apart name two or more students; pinned puts students with an adult, in a "
        "block or on a skill; unavailable takes students or an adult out of a block",
        examples=["keep_apart"],
    )
    student_ids: list[str] = Field(
        default_factory=list, description="members of the team", examples=[["s0412", "s0417"]]
    )
    staff_id: str | None = Field(default=None, description="an adult of the team", examples=["a.rivera"])
    block_id: str | None = Field(default=None, description="a block of the team; null: any", examples=["mon-1"])
    skill_id: str | None = Field(default=None, description="a skill; null: any", examples=["ratios"])

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

    team_id: str = Field(min_length=1, description="a team of the roster", examples=["team-1"])
    date: dt.date = Field(description="the school's own date", examples=["2026-03-16"])
    absences: list[Absence] = Field(
        default_factory=list, max_length=1000, description="who is away that day", examples=[[{"student_id": "s0412"}]]
    )
    rules: list[DayRule] = Field(
        default_factory=list, max_length=1000, description="of this day, besides the standing ones", examples=[[]]
    )
    previous: str | None = Field(
        default=None,
        description="id of an earlier plan of the same team and date, as when an adult calls in sick after the day was "
        "planned: few seats move against it, as it was decided or else suggested",
        examples=[None],
    )
    move_penalty: float | None = Field(
        default=None,
        ge=0,
        le=10,
        description="whole needs that moving one seat against `previous` has to gain; null: 0.1; with 0.2 fewer move",
        examples=[0.2],
    )
    keep_sessions: list[str] = Field(
        default_factory=list,
        max_length=MOST_SESSIONS,
        description="ids of sessions of `previous` whose students stay in them with skill and lead; others may join",
        examples=[["mon-1-small_group-1"]],
    )
    alternatives: int = Field(
        default=0,
        ge=0,
        le=3,
        description="other good plans to look for, different in at least a fifth of the seats and at most 5 % behind; "
        "each takes about as long as the plan itself, at worst six times; `seconds` are shared by all searches",
        examples=[0],
    )
    seed: int = Field(
        default=0,
        ge=0,
        lt=2**63,
        description="of the lots that the search draws; without `seconds` the same inputs and seed give the same plan",
        examples=[0],
    )
    seconds: float | None = Field(
        default=None,
        gt=0,
        le=30,
        description="from when its turn comes, the plan is to be found, bounded, explained and kept by then; the "
        "search has at least half of them. Without it, a fixed number of rounds, which take about a second or two",
        examples=[2.0],
    )

    @model_validator(mode="after")
    def _keeps_of_a_plan(self) -> "RecommendationRequest":
        if self.previous is None and (self.keep_sessions or self.move_penalty is not None):
            raise ValueError("keep_sessions and move_penalty need previous, the plan that they speak of")
        return self


class AdultOut(Body):
    """One adult in a session."""

    staff_id: str = Field(description="an adult of the team", examples=["a.rivera"])
    role: str = Field(description="as the roster says it", examples=["collaborating_teacher"])


class SeatOut(Body):
    """One student in one session, and why there."""

    student_id: str = Field(description="a member of the team", examples=["s0412"])
    why: str = Field(description="in plain words", examples=["Ratios is the greatest need that today can meet."])
    facts: list[str] = Field(description="what the log says; none online", examples=[["3 of the last 5 wrong"]])
    need: Probability | None = Field(default=None, description="of the skill now, 0-1; null online", examples=[0.42])
    struggle_risk: Probability | None = Field(
        default=None, description="0-1; null online and where there is not enough evidence", examples=[0.7]
    )
    mastery: Probability | None = Field(
        default=None, description="probability that the next answer is right, 0-1; null likewise", examples=[0.4]
    )
    benefit: float | None = Field(
        default=None, description="need x effect x qualification, in whole needs; null online", examples=[0.21]
    )


class SessionOut(Body):
    """One session of the day."""

    id: str = Field(description="unique in the plan", examples=["mon-1-small_group-1"])
    block_id: str = Field(description="a block of the day", examples=["mon-1"])
    time: str = Field(description="the school's wall clock", examples=["09:00-09:45"])
    session_type: SessionType = Field(description="kind of session", examples=["small_group"])
    skill_id: str | None = Field(description="null online", examples=["ratios"])
    skill: str | None = Field(description="its name, or its id where none is known; null online", examples=["Ratios"])
    adults: list[AdultOut] = Field(description="the lead first, then who sits beside; online, who monitors")
    room_id: str | None = Field(description="null where the team plans no rooms", examples=["r12"])
    students: list[SeatOut] = Field(description="who sits there")
    why: str = Field(description="why it is held, in plain words", examples=["It meets 1.4 whole needs of 5."])


class UnmetOut(Body):
    """A present student's greatest need that no session meets today."""

    student_id: str = Field(description="a member of the team", examples=["s0417"])
    skill_id: str | None = Field(description="null for a student with no skill to work on", examples=["ratios"])
    need: Probability | None = Field(description="0-1; null likewise", examples=[0.31])
    reason: str = Field(description="a name to count by; stable", examples=["adults_busy"])
    sentence: str = Field(description="in plain words", examples=["Every adult who may teach Ratios is taken."])


class AlternativeOut(Body):
    """Another good plan; to use it, decide `edited` with its sessions."""

    sessions: list[SessionSeats] = Field(description="all sessions of the day")
    score: float = Field(description="in whole needs met", examples=[29.6])
    terms: list[TermOut] = Field(description="the score term by term")
    lost: float = Field(description="share of what the plan adds to a day online that this lacks", examples=[0.03])
    apart: Probability = Field(
        description="share of seats, in kind, skill or lead, by which it differs from the nearest of all others",
        examples=[0.24],
    )


class RecommendationOut(Body):
    """A plan that keeps every hard rule, and everything that it rests on."""

    id: str = Field(description="of the plan", examples=[IDENTITY])
    created_at: dt.datetime = Field(description="UTC", examples=["2026-03-16T06:30:00Z"])
    team_id: str = Field(description="whose day it is", examples=["team-1"])
    date: dt.date = Field(description="the school's own", examples=["2026-03-16"])
    seed: int = Field(description="of the lots that the search drew", examples=[0])
    previous: str | None = Field(
        default=None, description="id of the plan that few seats moved against", examples=[None]
    )
    problem_hash: str = Field(
        description="SHA-256 of the problem; equal problems have equal plans", examples=["9f86d081884c7d65" * 4]
    )
    status: Literal["searched", "seats_optimal", "optimal"] = Field(
        description="searched: the best that was found; seats_optimal: and no other seating of the same sessions is "
        "better, to within 0.01 %; optimal: no other plan is",
        examples=["seats_optimal"],
    )
    cut_by_clock: bool = Field(
        description="whether the search ended by the clock, so that it may end elsewhere again", examples=[False]
    )
    provenance: Provenance = Field(description="the models and data behind every figure")
    score: float = Field(description="in whole needs met; only plans of one day compare", examples=[31.2])
    bound: float = Field(description="a score that no plan of this day exceeds", examples=[32.0])
    proven_share: float = Field(
        ge=0,
        le=1,
        description="at least this share of what the best plan adds to a day online is in this one",
        examples=[0.97],
    )
    terms: list[TermOut] = Field(description="the score term by term; their points sum up to it")
    sessions: list[SessionOut] = Field(description="all sessions of the day")
    unmet: list[UnmetOut] = Field(description="greatest needs that stay unmet today")
    alternatives: list[AlternativeOut] = Field(
        default_factory=list, description="other good plans, the best first, as far as asked for and found"
    )


class RecommendationRow(Body):
    """One plan in a list."""

    id: str = Field(description="of the plan", examples=[IDENTITY])
    created_at: dt.datetime = Field(description="UTC", examples=["2026-03-16T06:30:00Z"])
    date: dt.date | None = Field(
        description="the school's own; null for plans of earlier versions", examples=["2026-03-16"]
    )
    status: str | None = Field(description="as in the plan; null likewise", examples=["seats_optimal"])
    score: float | None = Field(description="in whole needs met; null likewise", examples=[31.2])
    decision: Choice | None = Field(description="null while nobody decided", examples=["accepted"])


class RecommendationPage(Body):
    """Some of a team's plans, the newest first."""

    recommendations: list[RecommendationRow] = Field(description="at most as many as asked for")
    next_cursor: str | None = Field(
        description="to be sent as `cursor` for the page after this; null after the last", examples=[None]
    )
