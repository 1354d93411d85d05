"""Translates xAPI statements (1.0.3, and IEEE 9274.1.1) to events of ours.

Source: ADL, xAPI-Spec, xAPI-Data.md 1.0.3, sections 2.4.1 to 2.4.7.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from serving.intake.translation import MOST_PARTS, Names, Translation, UntranslatableError, last_part, seconds_of
from serving.schemas.texts import Address, OptionalText

ANSWERS = frozenset({"answered", "passed", "failed", "scored"})
"""Verbs of a response."""

LESSONS = frozenset({"attempted", "completed", "experienced", "interacted", "progressed"})
"""Verbs of work without an answer; a completed activity with a result is a response."""

VIDEO = "/video/verbs/"
"""Part of every verb of the video profile."""


class _Part(BaseModel):
    """Some fields of a part of a statement; other fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Account(_Part):
    """A student's account on some system."""

    name: Address


class Actor(_Part):
    """The student, named by one of three fields."""

    account: Account | None = None
    mbox: Address | None = Field(default=None, examples=["mailto:s0412@school.example"])
    openid: Address | None = None


class Verb(_Part):
    """What the student did."""

    id: Address = Field(examples=["http://adlnet.gov/expapi/verbs/answered"])


class Definition(_Part):
    """What kind of activity it is."""

    type: Address | None = None


class Activity(_Part):
    """What the student worked on, or what the work belongs to."""

    id: Address | None = Field(default=None, examples=["https://app.example/items/frac-17"])
    object_type: Address = "Activity"
    definition: Definition | None = None


Activities = Annotated[
    list[Activity],
    Field(max_length=MOST_PARTS),
    BeforeValidator(lambda value: [value] if isinstance(value, dict) else value),
]


class ContextActivities(_Part):
    """Activities that the statement belongs to; those of the type `objective` are skills."""

    parent: Activities = []
    grouping: Activities = []
    category: Activities = []
    other: Activities = []


class Context(_Part):
    """What the statement belongs to."""

    context_activities: ContextActivities | None = None


class Score(_Part):
    """A score: scaled, or raw between its bounds."""

    scaled: float | None = None
    raw: float | None = None
    min: float | None = None
    max: float | None = None


class Result(_Part):
    """How the student did."""

    score: Score | None = None
    success: bool | None = None
    duration: OptionalText | None = Field(default=None, examples=["PT12.5S"])


class Statement(_Part):
    """One xAPI statement; fields that are not listed are ignored."""

    id: Address | None = Field(default=None, description="the same id is the same event")
    actor: Actor
    verb: Verb
    object: Activity
    result: Result | None = None
    context: Context | None = None
    timestamp: OptionalText | None = Field(
        default=None, description="ISO 8601 with an offset", examples=["2026-03-16T08:15:02Z"]
    )
    stored: OptionalText | None = None


def translate_statements(documents: Sequence[object], names: Names) -> Translation[Statement]:
    """Translates statements, as JSON held them, to events of ours."""
    translation = Translation[Statement]()
    translation.translate(documents, Statement, lambda statement: _event(statement, names))
    return translation


def _event(statement: Statement, names: Names) -> dict[str, Any] | None:
    kind = _kind(statement)
    if kind is None:
        return None
    result = statement.result or Result()
    event = {
        "event_id": statement.id,
        "student_id": _student(statement.actor).removeprefix(names.student_prefix),
        "kind": kind,
        "occurred_at": statement.timestamp or statement.stored,
        "item_id": statement.object.id and statement.object.id.removeprefix(names.item_prefix),
        "duration_s": seconds_of(result.duration, "result.duration"),
        "source": names.source,
        "skill_ids": [skill.removeprefix(names.skill_prefix) for skill in _skills(statement)],
    }
    if kind == "response":
        event |= {"score": _score(result.score), "correct": result.success}
    return event


def _kind(statement: Statement) -> str | None:
    verb = last_part(statement.verb.id)
    if verb == "voided":
        raise UntranslatableError("voiding", "verb.id", "voids a statement; a stored event cannot be removed")
    if statement.object.object_type != "Activity":
        return None
    if VIDEO in statement.verb.id:
        return "video"
    if verb == "logged-in":
        return "login"
    result = statement.result
    answered = result is not None and (result.success is not None or result.score is not None)
    if verb in ANSWERS or (verb == "completed" and answered):
        return "response"
    return "lesson" if verb in LESSONS else None


def _student(actor: Actor) -> str:
    if actor.account is not None:
        return actor.account.name
    address = (actor.mbox or "").removeprefix("mailto:") or actor.openid
    if not address:
        raise UntranslatableError("no_student", "actor", "has no account, mbox or openid; name the student by one")
    return address


def _score(score: Score | None) -> float | None:
    if score is None:
        return None
    if score.scaled is not None:
        return score.scaled
    low = score.min or 0.0
    if score.raw is None or score.max is None or score.max <= low:
        return None
    return (score.raw - low) / (score.max - low)


def _skills(statement: Statement) -> list[str]:
    context = statement.context and statement.context.context_activities
    if not context:
        return []
    return [
        activity.id
        for activity in (*context.parent, *context.grouping, *context.category, *context.other)
        if activity.id and activity.definition and last_part(activity.definition.type or "") == "objective"
    ]
