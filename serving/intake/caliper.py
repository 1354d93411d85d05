"""Events in a Caliper envelope (1.1 and 1.2) as events of ours.

A grade is a response: who answered is the attempt's assignee, and what was answered its assignable. Source: 1EdTech,
Caliper Analytics 1.1, sections on Envelope, GradeEvent, MediaEvent, SessionEvent and ToolUseEvent; metrics of 1.2.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation
from pydantic.alias_generators import to_camel

from serving.errors import RequestError
from serving.intake.translation import Names, Translation, UntranslatableError, last_part, seconds_of

VERSIONS = ("v1p1", "v1p2")
"""Last words of the versions that are read."""

MINUTES = "minutesontask"
"""The metric of time at work, in small letters."""


class _Part(BaseModel):
    """Some fields of a part of an event; the others are left aside."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


def _named(given: object) -> object:
    return {"id": given} if isinstance(given, str) else given


class Thing(_Part):
    """Whatever has an address; the standard lets the address stand for it."""

    id: str = ""


class Assignable(Thing):
    """What was answered."""

    max_score: float | None = None
    learning_objectives: list[Annotated[Thing, BeforeValidator(_named)]] = []


class Attempt(Thing):
    """The object of an event; of a grade, the attempt that is graded."""

    assignee: Annotated[Thing | None, BeforeValidator(_named)] = None
    assignable: Annotated[Assignable | None, BeforeValidator(_named)] = None
    count: int | None = None
    ended_at_time: str | None = None
    duration: str | None = None


class Measure(_Part):
    """One figure of how a tool was used."""

    metric: str = ""
    metric_value: float | None = None


class Generated(Thing):
    """What came of it: a score, or figures."""

    score_given: float | None = None
    max_score: float | None = None
    items: list[Measure] = []


class CaliperEvent(_Part):
    """One event."""

    id: str | None = Field(default=None, description="by which it is known again")
    type: str = Field(default="", examples=["GradeEvent"])
    actor: Annotated[Thing, BeforeValidator(_named)] = Thing()
    action: str = Field(default="", examples=["Graded"])
    object: Annotated[Attempt, BeforeValidator(_named)] = Attempt()
    generated: Annotated[Generated | None, BeforeValidator(_named)] = None
    event_time: str | None = Field(default=None, description="ISO 8601", examples=["2026-03-16T08:15:02.250Z"])


class Envelope(_Part):
    """Events and descriptions of entities from one sensor."""

    sensor: str = Field(examples=["https://app.example/sensor"])
    send_time: str = Field(examples=["2026-03-16T08:15:03.000Z"])
    data_version: str = Field(examples=["http://purl.imsglobal.org/ctx/caliper/v1p2"])
    # each event is read by itself, so that one that cannot be read does not take the others with it
    data: list[SkipValidation[CaliperEvent]] = Field(min_length=1)


def translate_envelope(envelope: Envelope, names: Names) -> Translation[CaliperEvent]:
    """The envelope's events as events of ours.

    Raises:
        RequestError: The envelope is of a version that is not read.
    """
    if last_part(envelope.data_version) not in VERSIONS:
        told = f"dataVersion: only the versions {' and '.join(VERSIONS)} of the standard are read"
        raise RequestError("caliper_version", told, field="dataVersion")
    translation = Translation[CaliperEvent]()
    translation.translate(envelope.data, CaliperEvent, lambda each: _event(each, names))
    return translation


def _event(given: CaliperEvent, names: Names) -> dict[str, Any] | None:
    known = {
        ("gradeevent", "graded"): _response,
        ("sessionevent", "loggedin"): _login,
        ("mediaevent", "ended"): _video,
        ("tooluseevent", "used"): _lesson,
    }
    translate = known.get((last_part(given.type), last_part(given.action)))
    if translate is None:
        return None
    event = {"event_id": given.id, "occurred_at": given.event_time, "source": names.source} | translate(given, names)
    if not event["student_id"]:
        where = "object.assignee" if event["kind"] == "response" else "actor"
        raise UntranslatableError("no_student", where, "is missing or has no id; name the student")
    return event


def _response(given: CaliperEvent, names: Names) -> dict[str, Any]:
    attempt, score = given.object, given.generated or Generated()
    item = attempt.assignable or Assignable()
    most = score.max_score if score.max_score is not None else item.max_score
    return {
        "kind": "response",
        "student_id": (attempt.assignee or Thing()).id.removeprefix(names.student_prefix),
        "occurred_at": attempt.ended_at_time or given.event_time,  # grades are often sent at night
        "item_id": item.id.removeprefix(names.item_prefix),
        "score": None if score.score_given is None or not most or most < 0 else score.score_given / most,
        "attempt": attempt.count,
        "duration_s": seconds_of(attempt.duration, "object.duration"),
        "skill_ids": [each.id.removeprefix(names.skill_prefix) for each in item.learning_objectives],
    }


def _login(given: CaliperEvent, names: Names) -> dict[str, Any]:
    return {"kind": "login", "student_id": given.actor.id.removeprefix(names.student_prefix)}


def _video(given: CaliperEvent, names: Names) -> dict[str, Any]:
    return {
        "kind": "video",
        "student_id": given.actor.id.removeprefix(names.student_prefix),
        "item_id": given.object.id.removeprefix(names.item_prefix),
    }


def _lesson(given: CaliperEvent, names: Names) -> dict[str, Any]:
    measured = given.generated.items if given.generated else []
    minutes = [each.metric_value for each in measured if last_part(each.metric) == MINUTES]
    return {
        "kind": "lesson",
        "student_id": given.actor.id.removeprefix(names.student_prefix),
        "duration_s": 60 * minutes[0] if minutes and minutes[0] is not None else None,
    }
