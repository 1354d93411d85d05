"""Caliper envelopes as the contract shows them; `features.logs.standards.caliper` translates their events."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation
from pydantic.alias_generators import to_camel

from features.logs.standards.caliper import VERSIONS, translate_caliper
from features.logs.standards.translation import Names, last_part
from serving.errors import RequestError
from serving.intake.translation import MOST_PARTS, Lenient, Translation
from serving.schemas.texts import Address, OptionalText


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
    count: Lenient = None
    ended_at_time: OptionalText | None = None
    duration: Lenient = None


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


def translate_envelope(envelope: Envelope, names: Names) -> Translation:
    """Translates the events of an envelope to events of ours.

    Raises:
        RequestError: The envelope is of a version that is not read.
    """
    if last_part(envelope.data_version) not in VERSIONS:
        message = f"dataVersion: only the versions {' and '.join(VERSIONS)} of the standard are read"
        raise RequestError("caliper_version", message, field="dataVersion")
    translation = Translation()
    translation.translate(envelope.data, CaliperEvent, translate_caliper, names)
    return translation
