"""The bodies of batches of live events."""

from typing import Annotated

from pydantic import Field, SkipValidation

from serving.schemas.common import Body
from serving.schemas.texts import Address, Identity, OptionalText

Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""A whole number that JSON carries exactly."""

Decimal = Annotated[float, Field(allow_inf_nan=False)]


class EventIn(Body):
    """One response of one student to one item, or an activity without an answer."""

    event_id: Address | None = Field(
        default=None,
        description="id of the event in its source; events with the same id, source and student are one event. "
        "Without it, events with the same content are one event, but for those of one batch that number no attempt",
        examples=["r-81723"],
    )
    student_id: OptionalText | None = Field(default=None, description="the student; required", examples=["s0412"])
    kind: OptionalText = Field(default="response", description="kind of event: response, lesson, video or login")
    occurred_at: OptionalText | None = Field(
        default=None,
        description="moment in ISO 8601 with an offset from UTC; null only where the source has an order and no clock",
        examples=["2026-03-16T08:15:02.250Z"],
    )
    sequence: Whole | None = Field(
        default=None, description="position of the event in the source's own order; null without one"
    )
    item_id: Address | None = Field(
        default=None, description="the item that was answered; required for a response", examples=["frac-17"]
    )
    score: Decimal | None = Field(default=None, description="partial credit, 0-1; a response has this or `correct`")
    correct: bool | None = Field(
        default=None, description="whether the answer is right; null: right where the score is 1"
    )
    attempt: Whole | None = Field(
        default=None,
        description="number of the attempt on the item, 1 for a first one; null: counted from the answers that the "
        "student gave to the item before in the same session, without a pause of an hour",
    )
    hints: Whole | None = Field(default=None, description="hints that the student asked for; null: not observed")
    duration_s: Decimal | None = Field(
        default=None, description="seconds of work; more than an hour counts as not observed"
    )
    source: Identity = Field(
        default="mapped",
        description="the name under which files of the same product are ingested, so that the same event in a file "
        "is not counted twice",
        examples=["practice-app"],
    )
    skill_ids: list[OptionalText] = Field(
        default_factory=list,
        max_length=50,
        description="skills that this response needs; without any, those of most responses to its item",
        examples=[["fractions-add"]],
    )


class EventBatch(Body):
    """Events of any students in any order."""

    # each event is validated by itself, so that one that cannot be read does not take the others with it
    events: list[SkipValidation[EventIn]] = Field(
        min_length=1, description="the events; at most `REGROUP_EVENTS_PER_BATCH` of them"
    )


class RejectedEvent(Body):
    """Why one event of a batch was not stored."""

    index: int = Field(ge=0, description="position of the event in the batch, from 0")
    rule: str = Field(description="name of the rule that the event breaks; stable", examples=["score_out_of_range"])
    field: str = Field(description="the field that is wrong", examples=["score"])
    message: str = Field(
        description="what is wrong with the field; the value is not repeated", examples=["is not between 0 and 1"]
    )


class EventsOut(Body):
    """What became of a batch; `stored`, `known`, `erased`, `voided`, `ignored` and the rejected events add up to it."""

    stored: int = Field(ge=0, description="new events, now durable; the next recommendation uses them")
    known: int = Field(ge=0, description="events that were stored before, or come twice in the batch")
    erased: int = Field(ge=0, description="events of erased students, dropped")
    voided: int = Field(ge=0, description="statements that take another back, and statements that were taken back")
    nulled: int = Field(
        ge=0, description="durations, attempts and hints that are impossible, left out of events that are stored"
    )
    ignored: int = Field(ge=0, description="events of kinds that say nothing about learning, dropped")
    ignored_kinds: dict[str, int] = Field(
        description="how many of them there are of each verb or type", examples=[{"launched": 2}]
    )
    notes: list[str] = Field(description="what was assumed or looks wrong, in sentences without ids of students")
    rejected: list[RejectedEvent] = Field(description="events that break a rule, not stored")
