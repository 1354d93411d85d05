"""Translates the events of a Caliper envelope (1.1 and 1.2) to events of ours.

A grade is a response: the student is the attempt's assignee, and the item its assignable. Source: 1EdTech,
Caliper Analytics 1.1, sections on Envelope, GradeEvent, MediaEvent, SessionEvent and ToolUseEvent; metrics of 1.2.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation
from pydantic.alias_generators import to_camel

from serving.errors import RequestError
from serving.intake.translation import MOST_PARTS, Names, Translation, UntranslatableError, last_part, seconds_of
from serving.schemas.texts import Address, OptionalText

VERSIONS = ("v1p1", "v1p2")
"""Last words of the versions of the standard that are read."""

KINDS = {
    ("gradeevent", "graded"): "response",
    ("sessionevent", "loggedin"): "login",
    ("mediaevent", "ended"): "video",
    ("tooluseevent", "used"): "lesson",
}
"""Kind of our event by the type and the action of the standard's; others are ignored."""

MINUTES = "minutesontask"
"""Name of the metric of time at work, in small letters."""


class _Part(BaseModel):
    """Some fields of a part of an event; other fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


def _to_entity(value: object) -> object:
    """Turns an address that stands for an entity into the entity."""
    return {"id": value} if isinstance(value, str) else value


class Thing(_Part):
    """An entity with an address; a plain address may stand for the entity."""

    id: Address = ""


class Assignable(Thing):
    """The item that was answered."""

    max_score: float | None = None
    learning_objectives: list[Annotated[Thing, BeforeValidator(_to_entity)]] = Field(default=[], max_length=MOST_PARTS)


class Attempt(Thing):
    """The object of an event; the object of a grade is the attempt that is graded."""

    assignee: Annotated[Thing | None, BeforeValidator(_to_entity)] = None
    assignable: Annotated[Assignable | None, BeforeValidator(_to_entity)] = None
    count: int | None = None
    ended_at_time: OptionalText | None = None
    duration: OptionalText | None = None


class Measure(_Part):
    """One figure about the use of a tool."""

    metric: Address = ""
    metric_value: float | None = None


class Generated(Thing):
    """The result of an event: a score, or figures about the use of a tool."""

    score_given: float | None = None
    max_score: float | None = None
    items: list[Measure] = Field(default=[], max_length=MOST_PARTS)


class CaliperEvent(_Part):
    """One Caliper event; fields that are not listed are ignored."""

    id: Address | None = Field(default=None, description="the same id is the same event")
    type: Address = Field(default="", examples=["GradeEvent"])
    actor: Annotated[Thing, BeforeValidator(_to_entity)] = Thing()
    action: Address = Field(default="", examples=["Graded"])
    object: Annotated[Attempt, BeforeValidator(_to_entity)] = Attempt()
    generated: Annotated[Generated | None, BeforeValidator(_to_entity)] = None
    event_time: OptionalText | None = Field(default=None, description="ISO 8601", examples=["2026-03-16T08:15:02.250Z"])


class Envelope(_Part):
    """Events from one sensor; descriptions of entities are ignored."""

    sensor: Address = Field(examples=["https://app.example/sensor"])
    send_time: OptionalText = Field(examples=["2026-03-16T08:15:03.000Z"])
    data_version: Address = Field(examples=["http://purl.imsglobal.org/ctx/caliper/v1p2"])
    # each event is read by itself, so that one that cannot be read does not take the others with it
    data: list[SkipValidation[CaliperEvent]] = Field(min_length=1)


def translate_envelope(envelope: Envelope, names: Names) -> Translation[CaliperEvent]:
    """Translates the events of an envelope to events of ours.

    Raises:
        RequestError: The envelope is of a version that is not read.
    """
    if last_part(envelope.data_version) not in VERSIONS:
        message = f"dataVersion: only the versions {' and '.join(VERSIONS)} of the standard are read"
        raise RequestError("caliper_version", message, field="dataVersion")
    translation = Translation[CaliperEvent]()
    translation.translate(envelope.data, CaliperEvent, lambda event: _event(event, names))
    return translation


def _event(caliper_event: CaliperEvent, names: Names) -> dict[str, Any] | None:
    kind = KINDS.get((last_part(caliper_event.type), last_part(caliper_event.action)))
    if kind is None:
        return None
    event: dict[str, Any] = {
        "kind": kind,
        "event_id": caliper_event.id,
        "student_id": caliper_event.actor.id.removeprefix(names.student_prefix),
        "occurred_at": caliper_event.event_time,
        "source": names.source,
    }
    if kind == "response":
        event |= _response(caliper_event, names)
    elif kind == "video":
        event |= {"item_id": caliper_event.object.id.removeprefix(names.item_prefix)}
    elif kind == "lesson":
        event |= {"duration_s": _seconds_on_task(caliper_event)}
    if not event["student_id"]:
        field = "object.assignee" if kind == "response" else "actor"
        raise UntranslatableError("no_student", field, "is missing or has no id; name the student")
    return event


def _response(caliper_event: CaliperEvent, names: Names) -> dict[str, Any]:
    attempt, score = caliper_event.object, caliper_event.generated or Generated()
    item = attempt.assignable or Assignable()
    most = score.max_score if score.max_score is not None else item.max_score
    return {
        "student_id": (attempt.assignee or Thing()).id.removeprefix(names.student_prefix),
        "occurred_at": attempt.ended_at_time or caliper_event.event_time,  # grades are often sent at night
        "item_id": item.id.removeprefix(names.item_prefix),
        "score": None if score.score_given is None or not most or most < 0 else score.score_given / most,
        "attempt": attempt.count,
        "duration_s": seconds_of(attempt.duration, "object.duration"),
        "skill_ids": [skill.id.removeprefix(names.skill_prefix) for skill in item.learning_objectives],
    }


def _seconds_on_task(caliper_event: CaliperEvent) -> float | None:
    measures = caliper_event.generated.items if caliper_event.generated else []
    minutes = [measure.metric_value for measure in measures if last_part(measure.metric) == MINUTES]
    return 60 * minutes[0] if minutes and minutes[0] is not None else None
