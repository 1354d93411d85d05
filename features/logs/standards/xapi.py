"""Translates xAPI statements (1.0.3, and IEEE 9274.1.1) to events of ours.

A statement with a success or a score about an activity is a response, whatever its verb. The score of a group of
questions is not: each of its questions has a statement of its own.

Source: ADL, xAPI-Spec, xAPI-Data.md 1.0.3, sections 2.4.1 to 2.4.7; Open edX, event-routing-backends, for attempts.
"""

import re
from typing import Any

from features.logs.standards.translation import (
    Document,
    Ignored,
    Names,
    UntranslatableError,
    as_count,
    as_list,
    as_number,
    as_part,
    as_text,
    last_part,
    seconds_of,
)

ANSWERS = frozenset({"answered", "scored"})
"""Verbs of a response; without a result it is one that lacks its score."""

LESSONS = frozenset({"attempted", "completed", "experienced", "interacted", "progressed", "passed", "failed"})
"""Verbs of work, where the statement has no result."""

VIDEO = "/video/verbs/"
"""Part of every verb of the video profile."""

ATTEMPTS = frozenset({"attempt-id", "attempt", "attempt-number"})
"""Last words of extensions that number the attempt, where they hold a number."""

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def translate_statement(statement: Document, names: Names) -> dict[str, Any] | Ignored:
    """The fields of an event of ours, as `POST /v1/events` takes them.

    Raises:
        UntranslatableError: The statement names no student, or voids another.
    """
    kind = _kind(statement)
    if isinstance(kind, Ignored):
        return kind
    result, item = as_part(statement.get("result")), as_text(as_part(statement.get("object")).get("id"))
    event = {
        "event_id": _statement_id(statement),
        "student_id": _student(statement).removeprefix(names.student_prefix),
        "kind": kind,
        "occurred_at": as_text(statement.get("timestamp")) or as_text(statement.get("stored")),
        "item_id": item and item.removeprefix(names.item_prefix),
        "duration_s": seconds_of(result.get("duration")),
        "source": names.source,
        "skill_ids": [skill.removeprefix(names.skill_prefix) for skill in _skills(statement)],
    }
    if kind == "response":
        success = result.get("success")
        correct = success if isinstance(success, bool) else None
        event |= {"score": _score(as_part(result.get("score"))), "correct": correct, "attempt": _attempt(statement)}
    return event


def home_page(statement: Document) -> tuple[str, str] | None:
    """The name of the student's account and the system that it is on; null without one."""
    account = as_part(as_part(statement.get("actor")).get("account"))
    name, page = as_text(account.get("name")), as_text(account.get("homePage"))
    return None if name is None or page is None else (name, page)


def _kind(statement: Document) -> str | Ignored:
    address = as_text(as_part(statement.get("verb")).get("id"))
    if address is None:
        raise UntranslatableError("invalid_event", "verb.id", "is missing; right would be the address of a verb")
    verb, activity = last_part(address), as_part(statement.get("object"))
    if verb == "voided":
        raise UntranslatableError("voiding", "verb.id", "voids a statement; a stored event cannot be removed")
    kind = activity.get("objectType", "Activity")
    if kind == "GroupActivity":
        return Ignored("group of questions")
    if kind != "Activity":
        return Ignored(verb)
    if VIDEO in address:
        return "video"
    if verb == "logged-in":
        return "login"
    result = as_part(statement.get("result"))
    if result.get("success") is not None or result.get("score") is not None or verb in ANSWERS:
        return "response"
    return "lesson" if verb in LESSONS else Ignored(verb)


def _statement_id(statement: Document) -> str | None:
    """The id of the statement; a UUID is the same in small and in capital letters."""
    name = as_text(statement.get("id"))
    return name.lower() if name and UUID.fullmatch(name) else name


def _student(statement: Document) -> str:
    actor = as_part(statement.get("actor"))
    mailbox = (as_text(actor.get("mbox")) or "").removeprefix("mailto:")
    account = as_text(as_part(actor.get("account")).get("name"))
    address = account or mailbox or as_text(actor.get("mbox_sha1sum")) or as_text(actor.get("openid"))
    if not address:
        message = "has no account, mbox, mbox_sha1sum or openid; name the student by one"
        raise UntranslatableError("no_student", "actor", message)
    return address


def _score(score: Document) -> float | None:
    scaled, raw, low, high = (as_number(score.get(name)) for name in ("scaled", "raw", "min", "max"))
    if scaled is not None:
        return scaled
    low = low or 0.0
    if raw is None or high is None or high <= low:
        return None
    return (raw - low) / (high - low)


def _attempt(statement: Document) -> int | None:
    definition = as_part(as_part(statement.get("object")).get("definition"))
    for place in (definition, as_part(statement.get("context")), as_part(statement.get("result"))):
        for name, value in as_part(place.get("extensions")).items():
            if last_part(name) in ATTEMPTS and (count := as_count(value)):
                return count
    return None


def _skills(statement: Document) -> list[str]:
    activities = as_part(as_part(statement.get("context")).get("contextActivities"))
    named = [each for place in ("parent", "grouping", "category", "other") for each in as_list(activities.get(place))]
    return [
        skill
        for each in map(as_part, named)
        if (skill := as_text(each.get("id")))
        and last_part(as_text(as_part(each.get("definition")).get("type")) or "") == "objective"
    ]
