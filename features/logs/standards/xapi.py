"""Translates xAPI statements (1.0.3, and IEEE 9274.1.1) to events of ours.

A statement with a success or a score about an activity is a response, whatever its verb. The score of a group of
questions is not: each of its questions has a statement of its own.

Source: ADL, xAPI-Spec, xAPI-Data.md 1.0.3, sections 2.4.1 to 2.4.7; Open edX, event-routing-backends, for attempts.
"""

import re
from functools import lru_cache
from typing import Any, Required, TypedDict

import msgspec

from features.lengths import LONGEST_ADDRESS
from features.logs.standards.translation import (
    Document,
    Ignored,
    Names,
    Translated,
    UntranslatableError,
    Voiding,
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

NOTHING: Document = {}

PLACES = frozenset({"parent", "grouping", "category", "other"})
"""Fields of the context's activities."""

PARTS = ("verb", "object", "result", "context", "actor")

FEW = 4096
"""Addresses of verbs, types and extensions whose last word is kept."""

SHARED = (
    "{:,} account names come from several home pages and count as one student each; where they are different people, "
    "load each system into an installation of its own"
)

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class _Account(TypedDict, total=False):
    name: Any
    homePage: Any


class _Actor(TypedDict, total=False):
    account: _Account
    mbox: Any
    mbox_sha1sum: Any
    openid: Any


class _Verb(TypedDict, total=False):
    id: Any


class _Definition(TypedDict, total=False):
    type: Any
    extensions: Any


class _Activity(TypedDict, total=False):
    id: Any
    objectType: Any
    definition: _Definition


class _Result(TypedDict, total=False):
    score: Any
    success: Any
    duration: Any
    extensions: Any


class _Context(TypedDict, total=False):
    contextActivities: dict[str, list[_Activity]]
    extensions: Any


class _Statement(TypedDict, total=False):
    """What `translate_statement` asks of a statement, in the usual types."""

    id: Any
    actor: Required[_Actor]
    verb: _Verb
    object: _Activity
    result: _Result
    context: _Context
    timestamp: Any
    stored: Any


decode_statement = msgspec.json.Decoder(_Statement).decode
"""Reads of a statement what is needed, which takes less time than to read it whole; refuses what is not usual."""


def translate_statement(statement: Document, names: Names) -> Translated:
    """The fields of an event of ours, as `POST /v1/events` takes them, or the statement that this one voids.

    Raises:
        UntranslatableError: The statement names no student, or voids none.
    """
    # each part is read once and in place: a log has millions of statements
    parts = [part if isinstance(part, dict) else NOTHING for part in map(statement.get, PARTS)]
    verb, activity, result, context, actor = parts
    kind = _kind(as_text(verb.get("id")), activity, result)
    if not isinstance(kind, str):
        return kind
    item, activities = as_text(activity.get("id")), context.get("contextActivities")
    event: dict[str, Any] = {
        "event_id": plain_id(statement.get("id")),
        "student_id": _student(actor).removeprefix(names.student_prefix),
        "kind": kind,
        "occurred_at": as_text(statement.get("timestamp")) or as_text(statement.get("stored")),
        "item_id": item and item.removeprefix(names.item_prefix),
        "duration_s": seconds_of(result["duration"]) if "duration" in result else None,
        "source": names.source,
        "skill_ids": [] if activities is None else _skills(activities, names.skill_prefix),
    }
    if kind == "response":
        success = result.get("success")
        event["correct"] = success if isinstance(success, bool) else None
        event["score"] = _score(as_part(result["score"])) if "score" in result else None
        event["attempt"] = _attempt(activity, context, result)
    return event


class HomePages:
    """Finds names of accounts that come from several systems, which nothing tells apart after that."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._shared: set[str] = set()

    def add(self, statement: Document) -> None:
        """Looks at the account of a student, if there is one."""
        try:
            account = statement["actor"]["account"]
            name, page = account["name"], account["homePage"]
            if self._first.setdefault(name, page) != page:
                self._shared.add(name)
        except (KeyError, TypeError):
            return

    def notes(self) -> list[str]:
        """How many there are, in a sentence without names."""
        return [SHARED.format(len(self._shared))] if self._shared else []


def plain_id(value: object) -> str | None:
    """The id of a statement; a UUID is the same in small and in capital letters.

    Example:
        >>> plain_id("6F0C0000-0000-4000-8000-000000000001")
        '6f0c0000-0000-4000-8000-000000000001'
    """
    name = as_text(value)
    return name.lower() if name and UUID.fullmatch(name) else name


@lru_cache(maxsize=FEW)
def _word(address: str) -> str:
    """The verb's last word; a log has few verbs."""
    return last_part(address)


def _kind(address: str | None, activity: Document, result: Document) -> str | Ignored | Voiding:
    if address is None:
        raise UntranslatableError("invalid_event", "verb.id", "is missing; right would be the address of a verb")
    verb = _word(address)
    if verb == "voided":
        return Voiding(_voided(activity))
    if (kind := activity.get("objectType", "Activity")) != "Activity":
        return Ignored("group of questions" if kind == "GroupActivity" else verb)
    if VIDEO in address:
        return "video"
    if result.get("success") is not None or result.get("score") is not None or verb in ANSWERS:
        return "login" if verb == "logged-in" else "response"
    return "login" if verb == "logged-in" else "lesson" if verb in LESSONS else Ignored(verb)


def _voided(reference: Document) -> str:
    voided = plain_id(reference.get("id"))
    if voided is None or not voided.isprintable() or len(voided) > LONGEST_ADDRESS:
        raise UntranslatableError("voiding", "object.id", "is missing or odd; right would be the id of a statement")
    return voided


def _student(actor: Document) -> str:
    address = as_text(as_part(actor.get("account")).get("name"))
    if address is None and (mailbox := as_text(actor.get("mbox"))):
        address = mailbox.removeprefix("mailto:")
    address = address or as_text(actor.get("mbox_sha1sum")) or as_text(actor.get("openid"))
    if not address:
        message = "has no account, mbox, mbox_sha1sum or openid; name the student by one"
        raise UntranslatableError("no_student", "actor", message)
    return address


def _score(score: Document) -> float | None:
    if not score or (scaled := as_number(score.get("scaled"))) is not None:
        return scaled if score else None
    raw, low, high = (as_number(score.get(name)) for name in ("raw", "min", "max"))
    low = low or 0.0
    if raw is None or high is None or high <= low:
        return None
    return (raw - low) / (high - low)


def _attempt(activity: Document, context: Document, result: Document) -> int | None:
    for place in (as_part(activity.get("definition")), context, result):
        extensions = place.get("extensions")
        if isinstance(extensions, dict):
            for name, value in extensions.items():
                if _word(name) in ATTEMPTS and (count := as_count(value)):
                    return count
    return None


def _skills(activities: object, prefix: str) -> list[str]:
    """The activities of type `objective`, in whichever place of the context they stand."""
    skills: list[str] = []
    if not isinstance(activities, dict):
        return skills
    for place, named in activities.items():
        for each in as_list(named) if place in PLACES else ():
            definition = each.get("definition") if isinstance(each, dict) else None
            kind = definition.get("type") if isinstance(definition, dict) else None
            if isinstance(kind, str) and _word(kind.strip()) == "objective" and (skill := as_text(each.get("id"))):
                skills.append(skill.removeprefix(prefix))
    return skills
