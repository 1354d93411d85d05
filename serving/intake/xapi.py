"""xAPI statements as the contract shows them; `features.logs.standards.xapi` translates them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from features.logs.standards.documents import unfold
from features.logs.standards.translation import Names, as_part
from features.logs.standards.xapi import HomePages, translate_statement
from serving.intake.statements import Statements
from serving.intake.store_batch import Intake
from serving.intake.translation import MOST_PARTS, Lenient, Translation
from serving.schemas.events import EventsOut
from serving.schemas.texts import Address, OptionalText

ADDED = frozenset({"id", "stored", "authority", "version"})
"""Fields that a record store fills in, and the id, which says itself which statement it is."""

Extensions = Annotated[Any, Field(description="the number of the attempt, under a name that ends in attempt-id")]


class _Part(BaseModel):
    """Some fields of a part of a statement; other fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Account(_Part):
    """A student's account on some system."""

    name: Address
    home_page: Address | None = None


class Actor(_Part):
    """The student, named by one of four fields."""

    account: Account | None = None
    mbox: Address | None = Field(default=None, examples=["mailto:s0412@school.example"])
    mbox_sha1sum: Address | None = Field(default=None, alias="mbox_sha1sum")
    openid: Address | None = None


class Verb(_Part):
    """What the student did."""

    id: Address = Field(examples=["http://adlnet.gov/expapi/verbs/answered"])


class Definition(_Part):
    """What kind of activity it is."""

    type: Address | None = None
    extensions: Extensions = None


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
    extensions: Extensions = None


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
    duration: Lenient = Field(default=None, description="ISO 8601", examples=["PT12.5S"])
    extensions: Extensions = None


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


def to_statements(body: object) -> object:
    """The statements of a body: a list, one alone, or those of a record store's answer."""
    return list(unfold(body)) if isinstance(body, dict) else body


def translate_statements(documents: Sequence[object], names: Names) -> Translation:
    """Translates statements, as JSON held them, to events of ours; one without a time has that of its arrival."""
    translation, pages, now = Translation(), HomePages(), datetime.now(UTC).isoformat()
    translation.translate(documents, Statement, translate_statement, names)
    for index, event in translation.events.items():
        event["occurred_at"] = event["occurred_at"] or now
        pages.add(as_part(documents[index]))
    translation.notes += pages.notes()
    return translation


def store_statements(
    intake: Intake, documents: Sequence[object], names: Names, *, atomic: bool = False, strict: bool = False
) -> EventsOut:
    """Stores statements as JSON held them.

    Args:
        intake: Of the caller.
        documents: The statements.
        names: How addresses become ids.
        atomic: Whether one rejected statement rejects all.
        strict: Whether a known id with another content is a conflict.

    Raises:
        RequestError: Every event is rejected or, with `atomic`, one is; nothing was stored.
    """
    found = translate_statements(documents, names)
    contents = {index: hash_content(documents[index]) for index in found.events}
    return intake.store(
        found.events,
        atomic=atomic,
        unread=found.rejected,
        ignored=found.ignored,
        statements=Statements(names.source, contents, found.voiding, strict),
        notes=found.notes,
    )


def hash_content(statement: object) -> str:
    """32 hexadecimal digits of a statement's content: two with the same are one statement.

    What a record store adds does not count, nor does the case of the id and the words that show a verb.
    """
    if not isinstance(statement, dict):
        return hash_content({"": statement})
    content = {name: value for name, value in statement.items() if name not in ADDED} | {"id": None}
    if isinstance(verb := content.get("verb"), dict):
        content["verb"] = verb.get("id")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode("ascii"), digest_size=16).hexdigest()
