"""Translates events of Open edX's tracking logs to events of ours.

The server's `problem_check` has the result of each question of a problem, so it becomes one response per question; the
same event of the browser has none and is ignored, like everything but videos that are played.

Source: Open edX, Research Guide, Events in the Tracking Logs, sections on problem interaction and video interaction.
"""

import json
from typing import Any

from features.logs.standards.translation import (
    Document,
    Ignored,
    Names,
    UntranslatableError,
    as_count,
    as_number,
    as_part,
    as_text,
)

CHECKS = frozenset({"problem_check", "save_problem_check"})
"""Names of the events of a checked problem."""

VIDEO = frozenset({"play_video", "edx.video.played"})

CORRECTNESS = {"correct": 1.0, "partially-correct": None, "incorrect": 0.0}
"""Score of a question by its correctness; that of a partly right one stands beside it, as points."""


def translate_tracking(document: Document, names: Names) -> list[dict[str, Any]] | Ignored:
    """The fields of the events of ours that one line of a tracking log is, as `POST /v1/events` takes them.

    Raises:
        UntranslatableError: It names no student.
    """
    kind = as_text(document.get("name")) or as_text(document.get("event_type")) or ""
    event, context = _event(document.get("event")), as_part(document.get("context"))
    is_check = kind in CHECKS and document.get("event_source") == "server"
    if not is_check and kind not in VIDEO:
        return Ignored(kind.rpartition("/")[2][:64] or "no name")
    common = {
        "student_id": _student(document, context).removeprefix(names.student_prefix),
        "occurred_at": as_text(document.get("time")),
        "source": names.source,
    }
    if not is_check:
        video = as_text(event.get("id"))
        return [common | {"kind": "video", "item_id": video and video.removeprefix(names.item_prefix)}]
    attempt = as_count(event.get("attempts"))
    questions = _scores(event) or {as_text(event.get("problem_id")) or "": _share(event)}
    return [
        common
        | {
            "kind": "response",
            "item_id": (as_text(question) or "").removeprefix(names.item_prefix),
            "score": score,
            "correct": None,
            "attempt": attempt,
        }
        for question, score in questions.items()
    ]


def _event(value: object) -> Document:
    """The event's own fields; browsers send them as a text of JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return as_part(value)


def _student(document: Document, context: Document) -> str:
    """The name of the user, or else the number, which `context` has even where the name is withheld."""
    number = context.get("user_id")
    name = as_text(document.get("username")) or as_text(number)
    if name is None and isinstance(number, int) and not isinstance(number, bool):
        name = str(number)
    if name is None:
        raise UntranslatableError("no_student", "username", "is missing, and context.user_id too; name the student")
    return name


def _scores(event: Document) -> dict[str, float | None]:
    """The score of each question of a problem, where the event has them."""
    answers, scores = as_part(event.get("correct_map")), dict[str, float | None]()
    for question, told in answers.items():
        correctness, points = as_part(told).get("correctness"), as_number(as_part(told).get("npoints"))
        score = CORRECTNESS.get(correctness) if isinstance(correctness, str) else None
        scores[question] = points if score is None and points is not None and points <= 1 else score
    if scores:
        return scores
    submitted = as_part(event.get("submission"))
    right = {question: as_part(told).get("correct") for question, told in submitted.items()}
    return {question: float(one) if isinstance(one, bool) else None for question, one in right.items()}


def _share(event: Document) -> float | None:
    """The score of a whole problem, where its questions are not told apart."""
    grade, most = as_number(event.get("grade")), as_number(event.get("max_grade"))
    if grade is not None and most is not None and most > 0:
        return grade / most
    return CORRECTNESS.get(success) if isinstance(success := event.get("success"), str) else None
