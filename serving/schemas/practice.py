"""The bodies of what teams do around a plan: they say what happened, set goals, choose what is next.

An adult's word about whom they know stands here too.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from serving.schemas.common import (
    PLAN_ID,
    Body,
    PlanId,
    Probability,
    Provenance,
    SchoolDate,
    SkillName,
    StaffId,
    StaffIdIn,
    StudentId,
    StudentIdIn,
)
from serving.schemas.sessions import MOST_PEOPLE, SESSION_ID, SESSION_IDS
from serving.schemas.texts import Address, Identity, Note

MOST_QUESTIONS = 5
"""Questions of one exit check."""

Happened = Literal["done", "moved_on", "not_done"]

HAPPENED = (
    "`done`: the session was held on its skill. `moved_on`: it was held, and the group is ready for what comes next. "
    "`not_done`: it was not held, so that it counts for nobody"
)
PRESENT = "whether the student was there"
EXIT_CHECK = (
    "answers of the student to the one or few questions at the end, as an exit ticket has them; each goes to the event "
    "log as a first attempt on the skill of the session, so that the next plan and the next night know it"
)


class ExitAnswer(Body):
    """One answer of an exit check, right or wrong."""

    item_id: Address | None = Field(
        default=None,
        description="id of the item in the event log, such as one of the session's `exit_check`; null for a question "
        "of the adult's own, which counts as one of all such questions on the skill",
        examples=["ratios-31"],
    )
    correct: bool = Field(description="whether the answer was right", examples=[True])


class AttendeeIn(Body):
    """A student of a session: whether present, and the exit check."""

    student_id: StudentIdIn
    present: bool = Field(default=True, description=PRESENT, examples=[True])
    exit_check: list[ExitAnswer] = Field(default_factory=list, max_length=MOST_QUESTIONS, description=EXIT_CHECK)

    @model_validator(mode="after")
    def _present_with_a_check(self) -> "AttendeeIn":
        if self.exit_check and not self.present:
            raise ValueError("a student who was absent has no exit check")
        return self


class SessionReportRequest(Body):
    """What happened in one session; sent again, it takes the place of what was sent before."""

    session_id: Identity = Field(description=SESSION_ID, examples=SESSION_IDS)
    happened: Happened = Field(description=HAPPENED, examples=["done"])
    students: list[AttendeeIn] = Field(
        default_factory=list,
        max_length=MOST_PEOPLE,
        description="students of the session; who is left out was there and has no exit check",
    )

    @model_validator(mode="after")
    def _held_with_a_check(self) -> "SessionReportRequest":
        if self.happened == "not_done" and any(student.exit_check for student in self.students):
            raise ValueError("a session that was not held has no exit check")
        return self


class AttendeeOut(Body):
    """A student of a session: whether present, and the exit check."""

    student_id: StudentId
    present: bool = Field(description=PRESENT, examples=[True])
    exit_check: list[ExitAnswer] = Field(description=EXIT_CHECK)


class SessionReportOut(Body):
    """What happened in one session."""

    recommendation_id: PlanId
    session_id: str = Field(description=SESSION_ID, examples=SESSION_IDS)
    reported_at: dt.datetime = Field(description="moment of the report, UTC", examples=["2026-03-16T14:05:00Z"])
    happened: Happened = Field(description=HAPPENED, examples=["done"])
    students: list[AttendeeOut] = Field(description="everybody of the session, in order of their ids")


class SessionReportsOut(Body):
    """What happened in the sessions of a plan."""

    reports: list[SessionReportOut] = Field(
        description="the sessions that somebody reported on, in order of their ids; the others count as planned"
    )


GoalKind = Literal["skill", "habit", "minutes"]

GOAL_KIND = (
    "`skill`: to become proficient in a skill; where needs are nearly equal, plans put it first. `habit`: something to "
    "do. `minutes`: time to practice in a week"
)
GOAL_SKILL = "id of the skill of a goal about one; null otherwise"
GOAL_HABIT = "the habit in the student's words, for a goal about one; null otherwise"
GOAL_MINUTES = "minutes of practice in a week, for a goal about them; null otherwise"
GOAL_STAFF = "the adult of the team with whom the student set it"


class GoalRequest(Body):
    """A goal of a student, with the field of its kind."""

    kind: GoalKind = Field(description=GOAL_KIND, examples=["skill"])
    skill_id: Identity | None = Field(default=None, description=GOAL_SKILL, examples=["ratios"])
    habit: Note | None = Field(default=None, description=GOAL_HABIT, examples=["I ask before I guess."])
    minutes_per_week: int | None = Field(default=None, ge=5, le=1200, description=GOAL_MINUTES, examples=[60])
    staff_id: StaffIdIn
    until: SchoolDate

    @model_validator(mode="after")
    def _of_its_kind(self) -> "GoalRequest":
        given = {"skill": self.skill_id, "habit": self.habit or None, "minutes": self.minutes_per_week}
        if [kind for kind, value in given.items() if value is not None] != [self.kind]:
            raise ValueError("a goal has the field of its kind, which is skill_id, habit or minutes_per_week, alone")
        return self


class GoalEnd(Body):
    """How a goal ended."""

    reached: bool | None = Field(
        default=None, description="whether it was reached; null where nobody says", examples=[True]
    )


class GoalOut(Body):
    """A goal of a student."""

    goal_id: str = Field(description="id of the goal", examples=[PLAN_ID])
    student_id: StudentId
    kind: GoalKind = Field(description=GOAL_KIND, examples=["skill"])
    skill_id: str | None = Field(description=GOAL_SKILL, examples=["ratios"])
    habit: str | None = Field(description=GOAL_HABIT, examples=[None])
    minutes_per_week: int | None = Field(description=GOAL_MINUTES, examples=[None])
    staff_id: StaffId = Field(description=GOAL_STAFF)
    set_at: dt.datetime = Field(description="moment at which it was set, UTC", examples=["2026-03-16T14:05:00Z"])
    until: SchoolDate
    ended_at: dt.datetime | None = Field(description="moment at which somebody ended it, UTC; null where nobody did")
    reached: bool | None = Field(description="whether it was reached; null while it is open, and where nobody said")


class GoalsOut(Body):
    """The goals of a student."""

    goals: list[GoalOut] = Field(description="all that are stored, the newest first")


class RelationshipMark(Body):
    """An adult's own word about a student."""

    staff_id: StaffIdIn
    known: bool = Field(default=True, description="whether the adult says to know the student", examples=[True])


class RelationshipOut(Body):
    """The adults who know one student."""

    student_id: StudentId
    adults: int = Field(description="how many adults know the student", examples=[1])
    sat_with: list[str] = Field(
        description="ids of the adults who led a session with the student in the last four weeks, or came when the "
        "student asked for help",
        examples=[["a.rivera"]],
    )
    marked_by: list[str] = Field(description="ids of the adults who say to know the student", examples=[["a.rivera"]])


class RelationshipsOut(Body):
    """The adults who know each student of a team."""

    students: list[RelationshipOut] = Field(description="the students, those whom the fewest adults know first")


PROBABILITY = "probability with which the skill is offered, for later estimates of what comes of choices"


class OfferOut(Body):
    """A skill that a student could do next."""

    skill_id: str = Field(description="id of the skill", examples=["ratios"])
    skill: SkillName
    why: str = Field(description="why it could be next", examples=["Ratios is nearly there by the latest answers."])
    expected_progress: Probability | None = Field(
        description="chance of meeting the product's mastery rule within the next attempts (10 by default), 0-1; null "
        "where no forecast is given",
        examples=[0.74],
    )
    probability: Probability = Field(description=PROBABILITY, examples=[1.0])
    item_ids: list[str] = Field(
        description="ids of items on the skill that the student has not answered, at most 5, those that most students "
        "get right first; empty where none is known",
        examples=[["ratios-12", "ratios-31"]],
    )


class ChoiceRequest(Body):
    """What a student chose."""

    skill_id: Identity = Field(description="id of the skill", examples=["ratios"])


class ChoiceOut(Body):
    """What a student chose."""

    choice_id: str = Field(description="id of the choice", examples=[PLAN_ID])
    skill_id: str = Field(description="id of the skill", examples=["ratios"])
    probability: Probability = Field(description=PROBABILITY, examples=[1.0])
    offered: list[str] = Field(description="ids of the skills that were offered then", examples=[["ratios", "percent"]])
    chosen_at: dt.datetime = Field(description="moment of the choice, UTC", examples=["2026-03-16T14:05:00Z"])


class NextOut(Body):
    """What a student could do next alone."""

    student_id: StudentId
    offers: list[OfferOut] = Field(description="up to three skills, the one from which most is expected first")
    choices: list[ChoiceOut] = Field(description="the latest choices, at most 20, the newest first")
    provenance: Provenance


OBSERVER = "id of the adult who observed"
OBSERVED = "id of the adult of the session who was observed"
WHAT_FOR = "what was looked at, in the observer's words"
FEEDBACK = "what was seen, in short; null where nothing was written"
NEXT_STEP = "what comes next; null where nothing was written"


class ObservationRequest(Body):
    """What one adult saw of another in a session."""

    session_id: Identity = Field(description=SESSION_ID, examples=SESSION_IDS)
    observer_id: Identity = Field(description=OBSERVER, examples=["a.rivera"])
    observed_id: Identity = Field(description=OBSERVED, examples=["b.stone"])
    aim: Annotated[Note, Field(min_length=1, description=WHAT_FOR, examples=["Wait time after a question."])]
    feedback: Note | None = Field(default=None, description=FEEDBACK, examples=["Three seconds, twice."])
    next_step: Note | None = Field(default=None, description=NEXT_STEP, examples=["Count to five each time."])


class ObservationOut(Body):
    """What one adult saw of another in a session."""

    observation_id: str = Field(description="id of the observation", examples=[PLAN_ID])
    recommendation_id: PlanId
    session_id: str = Field(description=SESSION_ID, examples=SESSION_IDS)
    date: SchoolDate
    observer_id: str = Field(description=OBSERVER, examples=["a.rivera"])
    observed_id: str = Field(description=OBSERVED, examples=["b.stone"])
    aim: str = Field(description=WHAT_FOR, examples=["Wait time after a question."])
    feedback: str | None = Field(description=FEEDBACK, examples=["Three seconds, twice."])
    next_step: str | None = Field(description=NEXT_STEP, examples=["Count to five each time."])
    noted_at: dt.datetime = Field(description="moment of the note, UTC", examples=["2026-03-16T14:05:00Z"])


class CoachingOut(Body):
    """Time that a coach and the adult whom they coach share in a week."""

    coach_id: str = Field(description="id of the coach", examples=["a.rivera"])
    staff_id: str = Field(description="id of the adult who is coached", examples=["b.stone"])
    minutes: int = Field(description="minutes of shared sessions in the week's accepted plans", examples=[90])


class ObservationsOut(Body):
    """Observations that the key may read, and coaching time."""

    observations: list[ObservationOut] = Field(description="of twelve weeks, the latest first")
    coaching: list[CoachingOut] = Field(description="of the week, for each pair of the roster")
