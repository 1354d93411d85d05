"""Files of xAPI statements, Caliper events or tracking logs of Open edX, read into raw rows as tables are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from features.logs.moments import UTC_OFFSET, as_moments
from features.logs.rows import SKILL_MARK, VOIDING, raw_rows
from features.logs.standards.caliper import translate_caliper
from features.logs.standards.documents import UNREADABLE, read_documents
from features.logs.standards.tracking import translate_tracking
from features.logs.standards.translation import Document, Ignored, Names, Translated, UntranslatableError, Voiding
from features.logs.standards.xapi import HomePages, decode_statement, translate_statement

Translate = Callable[[Document, Names], Translated | list[dict[str, Any]]]

STANDARDS: dict[str, Translate] = {
    "xapi": translate_statement,
    "caliper": translate_caliper,
    "openedx": translate_tracking,
}
"""What turns a document into an event, or into several, by the name of the format."""

WORDS = {"xapi": "xAPI statements", "caliper": "Caliper events", "openedx": "a tracking log of Open edX"}

AT_ONCE = 20_000
"""Events in memory at a time."""

FIELDS = (
    *("student_id", "kind", "occurred_at", "item_id", "score", "correct", "attempt", "duration_s", "event_id"),
    *("skills", "unused", "rejected"),
)
"""What is kept of a document."""

SNIFFED = 100
"""Documents by which a file is judged; descriptions of entities may come before the first event."""

CHARACTERISTIC = {
    "xapi": {"actor", "verb", "object"},
    "caliper": {"type", "action", "eventTime"},
    "openedx": {"event", "event_type", "event_source", "time"},
}
"""Fields by which a document is known."""


@dataclass
class DocumentLog:
    """A file of documents that is ready to be read; it has what a `features.logs.rows.Log` has.

    Attributes:
        path: The file.
        standard: One of `STANDARDS`.
        names: How addresses become ids.
        zone: Time zone of times without an offset; null for UTC, which is then said.
        expected_chunks: How many chunks reading will yield; null where nobody knows.
        leaves_open: What it does not say, of `features.logs.rows.OPEN`.
    """

    path: Path
    standard: str
    names: Names
    zone: str | None = None
    expected_chunks: int | None = None
    leaves_open: tuple[str, ...] = ("retries",)
    _without_zone: int = 0
    _pages: HomePages = field(default_factory=HomePages)

    @property
    def source(self) -> str:
        """The `source` of its events."""
        return self.names.source

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed so far, in sentences for whoever loads the file."""
        notes = [f"read as {WORDS[self.standard]}"]
        if self._without_zone and self.zone is None:
            notes.append(f"{self._without_zone:,} times without an offset are taken as UTC; --zone says what they are")
        notes += self._pages.notes()
        return tuple(notes)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """The raw rows, some thousand at a time.

        Raises:
            InputError: The file is damaged.
        """
        documents = read_documents(self.path, decode_statement if self.standard == "xapi" else msgspec.json.decode)
        while events := [event for document in islice(documents, AT_ONCE) for event in self._translate(document)]:
            yield self._convert({name: [event.get(name) for event in events] for name in FIELDS}, len(events))

    def _translate(self, document: object) -> Sequence[dict[str, Any]]:
        """The fields of the events in a document, or why there is none as `unused` or `rejected`."""
        if not isinstance(document, dict):
            return ({"rejected": "unreadable_json" if document is UNREADABLE else "invalid_event"},)
        try:
            found = STANDARDS[self.standard](document, self.names)
        except UntranslatableError as error:
            return ({"rejected": error.rule},)
        if isinstance(found, Ignored):
            return ({"unused": f"ignored {found.kind}"},)
        if isinstance(found, Voiding):
            return ({"unused": VOIDING, "event_id": found.statement_id},)
        if isinstance(found, list):
            return found
        self._pages.add(document)
        found["skills"] = SKILL_MARK.join(found.pop("skill_ids", ())) or None
        return (found,)

    def _convert(self, events: Mapping[str, list[Any]], size: int) -> pd.DataFrame:
        times = pa.array(events["occurred_at"], pa.string())
        moments, unreadable = as_moments(times, self.zone or "UTC")
        has_offset = pc.fill_null(pc.match_substring_regex(times, UTC_OFFSET), True).to_numpy(zero_copy_only=False)
        self._without_zone += int((~has_offset & ~unreadable).sum())
        score, correct = pa.array(events["score"], pa.float64()), pa.array(events["correct"], pa.bool_())
        rule = pa.array(events["rejected"], pa.string())
        late = pc.and_(pc.is_null(rule), pa.array(unreadable))
        texts = {name: pa.array(events[name], pa.string()) for name in ("kind", "skills", "unused")}
        columns = texts | {
            "attempt": pa.array(events["attempt"], pa.int64()),
            "duration_s": pa.array(events["duration_s"], pa.float64()),
            "student_id": _no_blanks(events["student_id"]),
            "item_id": _no_blanks(events["item_id"]),
            "occurred_at": moments,
            "score": pc.coalesce(score, correct.cast(pa.float64())),
            "correct": pc.coalesce(correct, pc.greater_equal(score, 1.0)),
            "event_key": pa.array(events["event_id"], pa.string()),
            "rejected": pc.if_else(late, "unreadable_time", rule),
        }
        return raw_rows(columns, size)


def open_documents(path: Path, standard: str, names: Names | None = None, zone: str | None = None) -> DocumentLog:
    """A file of xAPI statements or Caliper events.

    Args:
        path: JSON: a document on each line, an array, or an envelope.
        standard: One of `STANDARDS`.
        names: How addresses become ids; without it, they stay as they are and the source is the standard's name.
        zone: Time zone of times without an offset; without it, UTC.
    """
    return DocumentLog(path, standard, names or Names(source=standard), zone)


def sniff_standard(path: Path) -> str:
    """The standard of a JSON file, by its first document that shows one.

    Raises:
        InputError: Its documents are of none.
    """
    for document in islice(read_documents(path), SNIFFED):
        for standard, fields in CHARACTERISTIC.items():
            if isinstance(document, dict) and fields <= document.keys():
                return standard
    known = ", ".join(WORDS.values())
    raise InputError(f"{path.name} is JSON, but nothing that is read as such; right would be one of: {known}")


def _no_blanks(values: list[str | None]) -> pa.Array:
    texts = pa.array(values, pa.string())
    return pc.if_else(pc.equal(texts, ""), None, texts)
