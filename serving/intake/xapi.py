"""xAPI statements as the contract shows them; `features.logs.standards.xapi` translates them."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from features.logs.standards.documents import unfold
from features.logs.standards.translation import Names
from features.logs.standards.xapi import translate_statement
from serving.intake.translation import MOST_PARTS, Lenient, Translation
from serving.schemas.texts import Address, OptionalText

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
    """Translates statements, as JSON held them, to events of ours."""
    translation = Translation()
    translation.translate(documents, Statement, translate_statement, names)
    return translation
