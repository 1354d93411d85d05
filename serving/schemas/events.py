"""The bodies of batches of live events."""

from typing import Annotated

from pydantic import Field, SkipValidation, StringConstraints

from serving.schemas.common import Body

Identity = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""An opaque id; control characters are none, since databases and separators cannot hold them."""

Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""A whole number that JSON carries exactly."""

Decimal = Annotated[float, Field(allow_inf_nan=False)]


class EventIn(Body):
    """One response of one student to one item, or an activity without an answer."""

    event_id: Identity | None = Field(
        default=None,
        description="the source's own id of the event; the same id of the same source and student is the same event. "
        "Without it, an event is known by its content",
        examples=["r-81723"],
    )
    student_id: Identity | None = Field(default=None, description="required", examples=["s0412"])
    kind: Identity = Field(default="response", description="response, lesson, video or login")
    occurred_at: Identity | None = Field(
        default=None,
        description="ISO 8601 with an offset from UTC; null only where the source has an order and no clock",
        examples=["2026-03-16T08:15:02.250Z"],
    )
    sequence: Whole | None = Field(default=None, description="the source's own order, if it has one")
    item_id: Identity | None = Field(default=None, description="required of a response", examples=["frac-17"])
    score: Decimal | None = Field(default=None, description="partial credit, 0-1; a response needs it or `correct`")
    correct: bool | None = Field(default=None, description="without it, whether the score is 1")
    attempt: Whole | None = Field(default=None, description="1 = first try; null counts as that")
    hints: Whole | None = Field(default=None, description="hints asked for; null: not observed")
    duration_s: Decimal | None = Field(default=None, description="seconds; beyond an hour it is not believed")
    source: Annotated[Identity, Field(min_length=1)] = Field(
        default="mapped",
        description="the name that files of the same product are ingested under, so that an event that comes again "
        "in a file is known",
        examples=["practice-app"],
    )
    skill_ids: list[Identity] = Field(
        default_factory=list, max_length=50, description="skills that the item needs", examples=[["fractions-add"]]
    )


class EventBatch(Body):
    """Events of any students, in any order."""

    # each event is validated by itself, so that one that cannot be read does not take the others with it
    events: list[SkipValidation[EventIn]] = Field(min_length=1, description="at most `REGROUP_EVENTS_PER_BATCH`")


class RejectedEvent(Body):
    """Why one event of a batch was not stored."""

    index: int = Field(ge=0, description="its place in the batch, from 0")
    rule: str = Field(description="the name of what was broken; stable", examples=["score_out_of_range"])
    field: str = Field(examples=["score"])
    message: str = Field(description="what would be right; never the value", examples=["is not between 0 and 1"])


class EventsOut(Body):
    """What became of a batch; `stored`, `known`, `erased`, `ignored` and the rejected events add up to it."""

    stored: int = Field(ge=0, description="new; durable, and seen by the next recommendation")
    known: int = Field(ge=0, description="stored before, or twice in the batch; nothing changed")
    erased: int = Field(ge=0, description="of students who were erased; dropped")
    nulled: int = Field(ge=0, description="stored without their duration, which cannot be")
    ignored: int = Field(ge=0, description="of a standard's kinds that say nothing about learning; dropped")
    rejected: list[RejectedEvent] = Field(description="not stored; the others of the batch were")
