"""The bodies of requests for a day's plan and of plans."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from serving.grouping import STUDENT
from serving.schemas.changes import TermOut
from serving.schemas.common import (
    NAMES_STUDENTS,
    NEEDED,
    PLAN_ID,
    Body,
    CreatedAt,
    Names,
    PlanId,
    Probability,
    Provenance,
    SchoolDate,
    Score,
    StaffIdIn,
    StudentId,
    TeamId,
    TeamIdIn,
)
from serving.schemas.decisions import Choice
from serving.schemas.policy import TeamPolicy
from serving.schemas.sessions import MOST_PEOPLE, MOST_SESSIONS, SessionOut, SessionSeats
from serving.schemas.texts import Identity, PlanReference

MOST_BLOCKS = 100
"""Blocks that a request names at once, at most; a week of any team has fewer."""

MOST_CYCLE_DAYS = 20
"""School days of a cycle: four weeks of five."""


class Absence(Body):
    """One student or one adult who is absent."""

    student_id: Annotated[Identity, STUDENT] | None = Field(
        default=None, description="a member of the team", examples=["s0412"]
    )
    staff_id: Identity | None = Field(default=None, description="an adult of the team", examples=["a.rivera"])
    block_ids: list[Identity] | None = Field(
        default=None,
        max_length=MOST_BLOCKS,
        description="blocks that are missed; null for the whole day",
        examples=[["mon-1"]],
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
    student_ids: list[Annotated[Identity, STUDENT]] = Field(
        default_factory=list,
        max_length=MOST_PEOPLE,
        description="members of the team; two or more for keep_together and keep_apart",
        examples=[["s0412", "s0417"]],
    )
    staff_id: Identity | None = Field(default=None, description="an adult of the team", examples=["a.rivera"])
    block_id: Identity | None = Field(default=None, description="a block of the team; null: any", examples=["mon-1"])
    skill_id: Identity | None = Field(default=None, description="a skill; null: any", examples=["ratios"])

    @model_validator(mode="after")
    def _names_enough(self) -> "DayRule":
        if self.kind in {"keep_together", "keep_apart"} and len(set(self.student_ids)) < 2:  # noqa: PLR2004 - a pair
            raise ValueError(f"{self.kind} needs two or more student_ids")
        if self.kind == "pinned" and (not self.student_ids or not (self.staff_id or self.block_id or self.skill_id)):
            raise ValueError("pinned needs student_ids and a staff_id, block_id or skill_id")
        if self.kind == "unavailable" and not (self.student_ids or self.staff_id):
            raise ValueError("unavailable needs student_ids or a staff_id")
        return self


class NoteOut(Body):
    """A standing rule, a series, or a part of the roster, that a plan goes without, or what its forecasts lack."""

    rule_id: str | None = Field(description="rule of the roster; null where it is no rule", examples=["rule-3"])
    series_id: str | None = Field(
        default=None, description="the series that gives way, or is over; null where it is none", examples=[None]
    )
    students: Annotated[list[StudentId], NEEDED] = Field(description="for whom", examples=[["s0412"]])
    sentence: Annotated[str, NAMES_STUDENTS] = Field(
        description="what and why, in plain words",
        examples=["The fixed assignment of s0412 on Ratios gave way: Ratios is not among the needs any more."],
    )


class SeriesBody(Body):
    """Students who stay together with one adult on one unit, once a day at most."""

    series_id: Identity = Field(
        description="id of the series; it takes the place of the roster's with the same id",
        examples=["ratios-1"],
    )
    student_ids: list[Annotated[Identity, STUDENT]] = Field(
        min_length=1, max_length=MOST_PEOPLE, description="members of the team", examples=[["s0412", "s0417"]]
    )
    staff_id: StaffIdIn
    skill_ids: list[Identity] = Field(
        min_length=1,
        max_length=MOST_SESSIONS,
        description="the unit; each session is on the one of its skills that most of those there need",
        examples=[["ratios", "rates"]],
    )
    from_date: SchoolDate
    until: SchoolDate | Literal["proficient"] = Field(
        description="its last day, or `proficient`: each student leaves when proficient in the whole unit",
        examples=["proficient"],
    )
    block_ids: list[Identity] | None = Field(
        default=None,
        max_length=MOST_BLOCKS,
        description="blocks in which it may take place; null: any",
        examples=[["mon-1"]],
    )
    weekdays: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None = Field(
        default=None,
        max_length=7,
        description="instead of blocks, weekdays; null: all",
        examples=[["mon", "wed", "fri"]],
    )
    sessions_per_week: int | None = Field(
        default=None, ge=1, le=7, description="sessions wanted in a week; null: one a day", examples=[3]
    )
    minutes_per_week: int | None = Field(
        default=None, ge=1, le=10_000, description="instead of sessions, minutes wanted in a week", examples=[120]
    )


class RecommendationRequest(Body):
    """A team's day to be planned, or the days of a cycle."""

    team_id: TeamIdIn
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
    previous: Identity | None = Field(
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
    keep_sessions: list[Identity] = Field(
        default_factory=list,
        max_length=MOST_SESSIONS,
        description="ids of sessions of `previous` whose students keep their seats, with the same skill and lead; "
        "other students may join",
        examples=[["mon-1-small_group-1"]],
    )
    policy: TeamPolicy = Field(
        default_factory=TeamPolicy,
        description="the team's own choices for this plan; they count before those of `previous`, which count before "
        "those of the roster",
        examples=[{}],
    )
    series: list[SeriesBody] = Field(
        default_factory=list, max_length=100, description="series beside those of the roster", examples=[[]]
    )
    cycle_days: int | None = Field(
        default=None,
        ge=1,
        le=MOST_CYCLE_DAYS,
        description="plan so many school days, those on which the team has blocks, from `date` on with one grouping: "
        "that of the first day, in which a seat moves only for students who are away, done or newly in trouble, or "
        "where that gains more than a move costs. `absences`, `previous` and `alternatives` are for the first day, "
        "`rules` for all, and all share `seconds`. Null: one day",
        examples=[None],
    )
    continue_cycle: PlanReference | None = Field(
        default=None,
        description="id of a cycle of which `date` is a day: its grouping is kept but for what is new since",
        examples=[None],
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
        description="seconds, without the wait for the request's turn, within which the plan is found, bounded, "
        "explained and stored, or refused with what is known by then; the search gets at least half, and a tenth for "
        "each series, grouping or standing rule that then gives way. Null: a fixed number of search rounds, which take "
        "about one or two seconds, and 30 at most",
        examples=[2.0],
    )

    @model_validator(mode="after")
    def _keeps_of_a_plan(self) -> "RecommendationRequest":
        if self.previous is None and (self.keep_sessions or self.move_penalty is not None):
            raise ValueError("keep_sessions and move_penalty need previous, the plan that they refer to")
        if sum(value is not None for value in (self.previous, self.cycle_days, self.continue_cycle)) > 1:
            raise ValueError("of previous, cycle_days and continue_cycle only one can be named")
        return self


class UnmetOut(Body):
    """A present student's greatest need that no session meets today."""

    student_id: StudentId
    skill_id: str | None = Field(
        description="the skill that is needed; null for a student with no skill to work on", examples=["ratios"]
    )
    skill: str | None = Field(
        default=None, description="name of that skill, or its id where it has none", examples=["Ratios"]
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
    skill: str | None = Field(
        default=None, description="name of the skill, or its id where it has none", examples=["Ratios"]
    )
    needing: int = Field(description="students present who have it as a need", examples=[12])
    not_ready: int = Field(description="students present who need another skill first", examples=[41])
    first_skill_id: str | None = Field(
        description="the skill that most of those need first; null where all are ready", examples=["fractions"]
    )
    first_skill: str | None = Field(
        default=None, description="name of that skill, or its id where it has none", examples=["Fractions"]
    )
    sentence: str = Field(
        description="the same in plain words",
        examples=["Ratios gets no session: 41 of 60 are not ready for it and need Fractions first."],
    )


class WatchOut(Body):
    """A student who lately was in nothing but intervention groups; for people to look at, it changes no plan."""

    student_id: StudentId
    days: int = Field(description="days of the last three weeks with an adult, all in intervention", examples=[6])
    sentence: str = Field(
        description="the same in plain words",
        examples=["All sessions with an adult on 6 days of the last 21 were in intervention groups."],
    )


class CycleDayOut(Body):
    """One day of a cycle."""

    date: SchoolDate
    recommendation_id: PlanId


class CycleOut(Body):
    """School days with one grouping."""

    id: str = Field(description="id of the cycle", examples=[PLAN_ID])
    days: list[CycleDayOut] = Field(description="its days in order, with the plan of each when this one was made")


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


class ExplorationOut(Body):
    """How a plan was drawn at random among about equally good ones, for estimates of other policies later."""

    plans: int = Field(ge=1, description="different plans that it was drawn from, this one included", examples=[3])
    probability: float = Field(
        gt=0, le=1, description="probability with which it was drawn: the same for each of them", examples=[0.333]
    )
    within: float = Field(ge=0, le=0.1, description="the policy's `explore_within`", examples=[0.02])
    score_loss: float = Field(
        ge=0,
        description="share of the best of these plans' gain over a day online that this one lacks; 0: it is the best",
        examples=[0.008],
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
    policy: TeamPolicy | None = Field(
        default=None, description="all choices that the plan rests on; null in plans of earlier versions"
    )
    exploration: ExplorationOut | None = Field(
        default=None, description="how the plan was drawn at random; null: it is the best that was found"
    )
    notes: list[NoteOut] = Field(
        default_factory=list,
        description="standing rules and parts of the roster that the plan goes without; and, while a prior "
        "model serves, that forecasts rest on rules learned elsewhere",
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
    unmet: list[UnmetOut] = Field(
        description="students' greatest needs that no session meets today, the greatest first"
    )
    focus_notes: list[FocusNoteOut] = Field(
        default_factory=list,
        description="skills of the current unit without a session today, the most important first, and why",
    )
    watch: list[WatchOut] = Field(
        default_factory=list, description="students who lately were in nothing but intervention groups, to look at"
    )
    cycle: CycleOut | None = Field(default=None, description="the cycle of which this is a day; null: none")
    alternatives: list[AlternativeOut] = Field(
        default_factory=list, description="other good plans, the best first; at most as many as were asked for"
    )
    names: Names = None


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
    cycle: str | None = Field(description="id of the cycle of which the plan is a day; null: none", examples=[None])
    awaits_signature: bool | None = Field(
        default=None,
        description="whether it was accepted and counts only once the team's leader has signed it; null while nobody "
        "has decided, and for decisions of earlier versions",
        examples=[None],
    )


class RecommendationPage(Body):
    """Some of a team's plans, the newest first."""

    recommendations: list[RecommendationRow] = Field(description="plans of this page, at most as many as asked for")
    next_cursor: str | None = Field(
        description="send as `cursor` for the next page; null after the last page", examples=[None]
    )
