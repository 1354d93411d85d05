"""Translates Caliper events (1.1 and 1.2) to events of ours.

A grade is a response: the student is the attempt's assignee, and the item its assignable. Source: 1EdTech,
Caliper Analytics 1.1, sections on Envelope, GradeEvent, MediaEvent, SessionEvent and ToolUseEvent; metrics of 1.2.
"""

from typing import Any

from features.logs.standards.translation import (
    Document,
    Ignored,
    Names,
    Translated,
    UntranslatableError,
    as_count,
    as_list,
    as_number,
    as_part,
    as_text,
    last_part,
    seconds_of,
)

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


def translate_caliper(event: Document, names: Names) -> Translated:
    """The fields of an event of ours, as `POST /v1/events` takes them.

    Raises:
        UntranslatableError: The event names no student.
    """
    type_, action = last_part(as_text(event.get("type")) or ""), last_part(as_text(event.get("action")) or "")
    kind = KINDS.get((type_, action))
    if kind is None:
        return Ignored(f"{type_} {action}".strip() or "no type")
    fields: dict[str, Any] = {
        "kind": kind,
        "event_id": as_text(event.get("id")),
        "student_id": _id(event.get("actor")).removeprefix(names.student_prefix),
        "occurred_at": as_text(event.get("eventTime")),
        "source": names.source,
    }
    if kind == "response":
        fields |= _response(event, names)
    elif kind == "video":
        fields |= {"item_id": _id(event.get("object")).removeprefix(names.item_prefix)}
    elif kind == "lesson":
        fields |= {"duration_s": _seconds_on_task(event)}
    if not fields["student_id"]:
        field = "object.assignee" if kind == "response" else "actor"
        raise UntranslatableError("no_student", field, "is missing or has no id; name the student")
    return fields


def _response(event: Document, names: Names) -> dict[str, Any]:
    attempt, score = as_part(event.get("object")), as_part(event.get("generated"))
    item = as_part(attempt.get("assignable"))
    most = as_number(score.get("maxScore"))
    most = as_number(item.get("maxScore")) if most is None else most
    given = as_number(score.get("scoreGiven"))
    skills = item.get("learningObjectives")
    return {
        "student_id": _id(attempt.get("assignee")).removeprefix(names.student_prefix),
        # grades are often sent at night
        "occurred_at": as_text(attempt.get("endedAtTime")) or as_text(event.get("eventTime")),
        "item_id": _id(attempt.get("assignable")).removeprefix(names.item_prefix),
        "score": None if given is None or not most or most < 0 else given / most,
        "attempt": as_count(attempt.get("count")),
        "duration_s": seconds_of(attempt.get("duration")),
        "skill_ids": [_id(skill).removeprefix(names.skill_prefix) for skill in as_list(skills) if _id(skill)],
    }


def _id(entity: object) -> str:
    """The address of an entity; a plain address may stand for the entity."""
    return as_text(entity) or as_text(as_part(entity).get("id")) or ""


def _seconds_on_task(event: Document) -> float | None:
    measures = [as_part(measure) for measure in as_list(as_part(event.get("generated")).get("items"))]
    minutes = [
        as_number(measure.get("metricValue"))
        for measure in measures
        if last_part(as_text(measure.get("metric")) or "") == MINUTES
    ]
    return 60 * minutes[0] if minutes and minutes[0] is not None else None
