"""Reads events as callers send them into raw rows, as readers of files do, and rejects those that cannot be read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import ValidationError

from features.logs.moments import UTC_OFFSET, as_moments
from features.logs.rows import SKILL_MARK, first_rule, raw_rows
from serving.schemas.events import EventIn, RejectedEvent
from serving.schemas.texts import name_field

RULES = {
    "no_student": ("student_id", "is missing or blank; name the student"),
    "too_long": ("event", "has an id with more characters than any may have"),
    "bad_kind": ("kind", "is not one of response, lesson, video and login"),
    "no_item": ("item_id", "is missing or blank; a response names its item"),
    "no_score": ("score", "is missing; a response has a score or correct"),
    "score_out_of_range": ("score", "is not between 0 and 1"),
    "no_time": ("occurred_at", "is missing; an event has a time, or a sequence where its source has no clock"),
    "time_out_of_range": ("occurred_at", "is from before 1990, or more than 15 minutes from now"),
    "conflicting_response": ("event_id", "is of an event that is known with another item or score"),
    "reused_key": ("event_id", "is of an event that is known at another moment; each answer has an id of its own"),
    "unreadable_time": ("occurred_at", "is no ISO 8601 time such as 2026-03-16T08:15:02Z"),
    "unknown_time_zone": ("occurred_at", "has no offset from UTC; end it with Z or an offset such as -05:00"),
    "conflicting_statement": ("id", "is of a statement that is known with another content or student"),
    "unknown_statement": ("object.id", "is of no statement that this key has sent, so it cannot be voided with it"),
    "unknown_student": ("student_id", "is of no student that this key may load events of"),
}
"""Field and message of each rule; `features.events.checks` has the rules of files."""


@dataclass(frozen=True)
class ReadBatch:
    """A batch after each event was read by itself.

    Attributes:
        raw: Rows in the shape of `features.logs.rows.RAW_TYPES`; their index is the place in the batch.
        source: Source of each row.
        rejected: The events that could not be read.
    """

    raw: pd.DataFrame
    source: "pd.Series[str]"
    rejected: list[RejectedEvent]

    def by_source(self, rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        """The sources of some rows of the batch, mostly one, and the rows of each."""
        sources = self.source.unique()
        if len(sources) <= 1 or rows.empty:
            yield (str(sources[0]) if len(sources) else ""), rows
            return
        for source, some in rows.groupby(self.source.loc[rows.index], sort=False):
            yield str(source), some


def read_batch(documents: Mapping[int, object]) -> ReadBatch:
    """Turns the events that can be read into raw rows.

    Args:
        documents: What JSON held in place of `EventIn`s, by the place in the batch.
    """
    good: dict[int, EventIn] = {}
    rejected = []
    for index, document in documents.items():
        try:
            good[index] = EventIn.model_validate(document)
        except ValidationError as error:
            rejected.append(to_invalid(index, error))
    events = list(good.values())
    times = [_none_if_blank(event.occurred_at) for event in events]
    moments, unreadable = as_moments(pa.array(times, pa.string()))
    local = [time is not None and re.search(UTC_OFFSET, time) is None for time in times]
    rule = first_rule(len(events), {"unreadable_time": unreadable, "unknown_time_zone": np.array(local, dtype=bool)})
    raw = raw_rows(
        {
            "student_id": [_none_if_blank(event.student_id) for event in events],
            "kind": [event.kind for event in events],
            "occurred_at": moments,
            "sequence": [event.sequence for event in events],
            "item_id": [_none_if_blank(event.item_id) for event in events],
            "score": [_score(event) for event in events],
            "correct": [_correct(event) for event in events],
            "attempt": [event.attempt for event in events],
            "hints": [event.hints for event in events],
            "duration_s": [event.duration_s for event in events],
            "event_key": [_none_if_blank(event.event_id) for event in events],
            "skills": [SKILL_MARK.join(sorted({*filter(str.strip, event.skill_ids)})) or None for event in events],
            "rejected": rule,
        },
        len(events),
    )
    raw.index = pd.Index(list(good), dtype="int64")
    return ReadBatch(raw, pd.Series([event.source for event in events], index=raw.index, dtype="str"), rejected)


def to_rejected(index: int, rule: str) -> RejectedEvent:
    """Says why the event at a place of the batch is not stored."""
    field, message = RULES[rule]
    return RejectedEvent(index=index, rule=rule, field=field, message=message)


def to_invalid(index: int, error: ValidationError) -> RejectedEvent:
    """Says which field of the event at a place of the batch cannot be read, and never with which value."""
    mistake = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = name_field(mistake["loc"]) or "event"
    return RejectedEvent(index=index, rule="invalid_event", field=field, message=mistake["msg"])


def _none_if_blank(text: str | None) -> str | None:
    return text if text and text.strip() else None


def _score(event: EventIn) -> float | None:
    if event.score is None and event.correct is not None:
        return float(event.correct)
    return event.score


def _correct(event: EventIn) -> bool | None:
    if event.correct is None and event.score is not None:
        return event.score >= 1.0
    return event.correct
