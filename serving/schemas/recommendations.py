"""The bodies of requests for a day's plan and of plans."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from serving.grouping import SessionType
from serving.schemas.changes import TermOut
from serving.schemas.common import (
    Body,
    CreatedAt,
    PlanId,
    Probability,
    Provenance,
    SchoolDate,
    Score,
    StudentId,
    TeamId,
)
from serving.schemas.decisions import Choice
from serving.schemas.sessions import MOST_PEOPLE, MOST_SESSIONS, SessionOut, SessionSeats


class Absence(Body):
    """One student or one adult who is absent."""

    student_id: str | None = Field(default=None, description="a member of the team", examples=["s0412"])
    staff_id: str | None = Field(default=None, description="an adult of the team", examples=["a.rivera"])
    block_ids: list[str] | None = Field(
        default=None, description="blocks that are missed; null for the whole day", examples=[["mon-1"]]
    )

    @model_validator(mode="after")
    def _names_one(self) -> "Absence":
        if (self.student_id is None) == (self.staff_id is None):
            raise ValueError("name either student_id or staff_id")
        return self


class DayRule(Body):
    """A rule for this day only."""

    kind: Literal["keep_together", "keep_apart", "pinned", "unavailable"] = Field(
        description="keep_together: group these students together if possible; keep_apart: do not group these students "
        "together; pinned: a fixed assignment of students to an adult, a block or a skill; unavailable: students or an "
        "adult who cannot attend a block",
        examples=["keep_apart"],
    )
    student_ids: list[str] = Field(
        default_factory=list,
        description="members of the team; two or more for keep_together and keep_apart",
        examples=[["s0412", "s0417"]],
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


class SizeBody(Body):
    """How many students a session of one type takes."""

    session_type: Literal[SessionType.SMALL_GROUP, SessionType.TUTORING, SessionType.COLLABORATIVE] = Field(
        description="type of the session", examples=["small_group"]
    )
    least: int = Field(ge=1, le=MOST_PEOPLE, description="fewest students at a table", examples=[3])
    most: int = Field(ge=1, le=MOST_PEOPLE, description="most students at a table", examples=[6])
    tables: int = Field(default=1, ge=1, le=50, description="most tables of one session", examples=[1])

    @model_validator(mode="after")
    def _is_range(self) -> "SizeBody":
        if self.most < self.least:
            raise ValueError("most is below least")
        return self


TermName = Literal[
    "benefit",
    "urgent",
    "coverage",
    "adult_time_due",
    "relationships",
    "repeat_groupmates",
    "keep_together",
    "load",
    "share",
    "teacher_time_due",
    "coaching",
]
TermWeight = Annotated[float, Field(ge=0, le=100)]


class TeamPolicy(Body):
    """A team's own choices in place of the planner's; what is left out stays as the planner has it."""

    students_per_monitor: int | None = Field(
        default=None, ge=1, le=1000, description="students online whom one adult may supervise; null: 30", examples=[30]
    )
    weights: dict[TermName, TermWeight] = Field(
        default_factory=dict,
        description="weights of terms of the score, in need points a unit; 0 switches a term off. That of moved seats "
        "is `move_penalty`",
        examples=[{"relationships": 0.01}],
    )
    sizes: list[SizeBody] = Field(
        default_factory=list, max_length=3, description="group sizes, each session type at most once"
    )

    @model_validator(mode="after")
    def _names_each_type_once(self) -> "TeamPolicy":
        if len({size.session_type for size in self.sizes}) < len(self.sizes):
            raise ValueError("sizes name a session type twice")
        return self


class PolicyOut(Body):
    """The choices that a plan rests on, those of the request and all others."""

    students_per_monitor: int = Field(description="students online whom one adult may supervise", examples=[30])
    weights: dict[str, float] = Field(
        description="weight of each term of the score, in need points a unit", examples=[{"relationships": 0.01}]
    )
    sizes: list[SizeBody] = Field(description="group sizes of each type of session that an adult leads")


class RecommendationRequest(Body):
    """A team's day to be planned."""

    team_id: TeamId
    date: SchoolDate
    absences: list[Absence] = Field(
        default_factory=list,
        max_length=1000,
        description="who is absent that day",
        examples=[[{"student_id": "s0412"}]],
    )
    rules: list[DayRule] = Field(
        default_factory=list,
        max_length=1000,
        description="rules for this day, in addition to the roster's permanent rules",
        examples=[[]],
    )
    previous: str | None = Field(
        default=None,
        description="id of an earlier plan of the same team and date from which few seats should move, such as after "
        "an adult called in sick; its decided sessions count, or else its suggested ones",
        examples=[None],
    )
    move_penalty: float | None = Field(
        default=None,
        ge=0,
        le=10,
        description="need points that moving one seat of `previous` must gain; the more, the fewer move; null: 0.1",
        examples=[0.2],
    )
    keep_sessions: list[str] = Field(
        default_factory=list,
        max_length=MOST_SESSIONS,
        description="ids of sessions of `previous` whose students keep their seats, with the same skill and lead; "
        "other students may join",
        examples=[["mon-1-small_group-1"]],
    )
    policy: TeamPolicy = Field(
        default_factory=TeamPolicy, description="the team's own choices for this plan", examples=[{}]
    )
    alternatives: int = Field(
        default=0,
        ge=0,
        le=3,
        description="number of other good plans to look for, at least a fifth of whose seats differ and that lose at "
        "most 5 % of the score; each takes about as long as the plan itself, at worst six times as long; the searches "
        "share `seconds`",
        examples=[0],
    )
    seed: int = Field(
        default=0,
        ge=0,
        lt=2**63,
        description="random seed of the search; without `seconds`, equal inputs and seeds give equal plans",
        examples=[0],
    )
    seconds: float | None = Field(
        default=None,
        gt=0,
        le=30,
        description="seconds, from the request's turn in the solver queue, within which the plan is found, bounded, "
        "explained and stored; the search gets at least half. Null: a fixed number of search rounds, which take about "
        "one or two seconds",
        examples=[2.0],
    )

    @model_validator(mode="after")
    def _keeps_of_a_plan(self) -> "RecommendationRequest":
        if self.previous is None and (self.keep_sessions or self.move_penalty is not None):
            raise ValueError("keep_sessions and move_penalty need previous, the plan that they refer to")
        return self


class UnmetOut(Body):
    """A present student's greatest need that no session meets today."""

    student_id: StudentId
    skill_id: str | None = Field(
        description="the skill that is needed; null for a student with no skill to work on", examples=["ratios"]
    )
    need: Probability | None = Field(
        description="how much the student needs the skill now, 0-1; null for a student with no skill to work on",
        examples=[0.31],
    )
    reason: str = Field(description="code of the reason; stable", examples=["adults_busy"])
    sentence: str = Field(
        description="the reason in plain words", examples=["Every adult who may teach Ratios is taken."]
    )


class FocusNoteOut(Body):
    """A skill of the team's current unit that gets no session, though students need it or are not ready for it."""

    kind: Literal["not_ready", "no_session"] = Field(
        description="not_ready: more students need another skill first than need this one; no_session: the others",
        examples=["not_ready"],
    )
    skill_id: str = Field(description="id of the skill", examples=["ratios"])
    needing: int = Field(description="students present who have it as a need", examples=[12])
    not_ready: int = Field(description="students present who need another skill first", examples=[41])
    first_skill_id: str | None = Field(
        description="the skill that most of those need first; null where all are ready", examples=["fractions"]
    )
    sentence: str = Field(
        description="the same in plain words",
        examples=["Ratios gets no session: 41 of 60 are not ready for it, they need Fractions first."],
    )


class WatchOut(Body):
    """A student who lately was in nothing but intervention groups; for people to look at, it changes no plan."""

    student_id: StudentId
    days: int = Field(description="days of the last three weeks with an adult, all in intervention", examples=[6])
    sentence: str = Field(
        description="the same in plain words",
        examples=["All sessions with an adult on 6 days of the last 21 were in intervention groups."],
    )


class AlternativeOut(Body):
    """Another good plan; to use it, decide `edited` with its sessions."""

    sessions: list[SessionSeats] = Field(description="all sessions of the day")
    score: Score
    terms: list[TermOut] = Field(description="the score term by term")
    score_loss: float = Field(
        description="share of the recommended plan's gain over a day online that the alternative lacks, 0-1",
        examples=[0.03],
    )
    difference: Probability = Field(
        description="share of seats that differ, in session type, skill or lead, from the most similar other plan",
        examples=[0.24],
    )


class RecommendationOut(Body):
    """A plan that keeps every hard rule, with everything that it rests on."""

    id: PlanId
    created_at: CreatedAt
    team_id: TeamId
    date: SchoolDate
    seed: int = Field(description="random seed of the search", examples=[0])
    previous: str | None = Field(
        default=None, description="id of the earlier plan from which few seats were moved; null: none", examples=[None]
    )
    problem_hash: str = Field(
        description="SHA-256 of the planning problem; equal problems have equal plans",
        examples=["9f86d081884c7d65" * 4],
    )
    status: Literal["searched", "seats_optimal", "optimal"] = Field(
        description="searched: the best plan that was found; seats_optimal: in addition, no other seating of the same "
        "sessions is more than 0.01 % better; optimal: no other plan is better",
        examples=["seats_optimal"],
    )
    cut_by_clock: bool = Field(
        description="whether the time limit ended the search, so that repeating it may give another plan",
        examples=[False],
    )
    provenance: Provenance = Field(description="the models and data behind every figure")
    policy: PolicyOut | None = Field(
        default=None, description="the choices that the plan rests on; null in plans of earlier versions"
    )
    score: Score
    bound: float = Field(description="a score in need points that no plan of this day exceeds", examples=[32.0])
    proven_share: float = Field(
        ge=0,
        le=1,
        description="proven share, at least, of the best possible gain over a day online that this plan has, 0-1",
        examples=[0.97],
    )
    terms: list[TermOut] = Field(description="the score term by term; the points add up to it")
    sessions: list[SessionOut] = Field(description="all sessions of the day")
    unmet: list[UnmetOut] = Field(description="students' greatest needs that no session meets today")
    focus_notes: list[FocusNoteOut] = Field(
        default_factory=list,
        description="skills of the current unit without a session today, the most important first, and why",
    )
    watch: list[WatchOut] = Field(
        default_factory=list, description="students who lately were in nothing but intervention groups, to look at"
    )
    alternatives: list[AlternativeOut] = Field(
        default_factory=list, description="other good plans, the best first; at most as many as were asked for"
    )


class RecommendationRow(Body):
    """One plan in a list; `date`, `status` and `score` are null for plans of earlier versions."""

    id: PlanId
    created_at: CreatedAt
    date: dt.date | None = Field(
        description="date of the day at the school; null for plans of earlier versions", examples=["2026-03-16"]
    )
    status: str | None = Field(
        description="status of the plan; null for plans of earlier versions", examples=["seats_optimal"]
    )
    score: float | None = Field(
        description="score of the plan in need points; null for plans of earlier versions", examples=[31.2]
    )
    decision: Choice | None = Field(description="the decision; null while nobody has decided", examples=["accepted"])


class RecommendationPage(Body):
    """Some of a team's plans, the newest first."""

    recommendations: list[RecommendationRow] = Field(description="plans of this page, at most as many as asked for")
    next_cursor: str | None = Field(
        description="send as `cursor` for the next page; null after the last page", examples=[None]
    )
