"""Files of xAPI statements or Caliper events, read into raw rows as tables are."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from features.logs.moments import UTC_OFFSET, as_moments
from features.logs.rows import SKILL_MARK, first_rule, raw_rows
from features.logs.standards.caliper import translate_caliper
from features.logs.standards.documents import UNREADABLE, read_documents
from features.logs.standards.translation import Document, Ignored, Names, UntranslatableError
from features.logs.standards.xapi import home_page, translate_statement

Translate = Callable[[Document, Names], dict[str, Any] | Ignored]

STANDARDS: dict[str, Translate] = {"xapi": translate_statement, "caliper": translate_caliper}

AT_ONCE = 20_000
"""Documents in memory at a time."""

SNIFFED = 100
"""Documents by which a file is judged; descriptions of entities may come before the first event."""

CHARACTERISTIC = {"xapi": {"actor", "verb", "object"}, "caliper": {"type", "action", "eventTime"}}
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
    _pages: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def source(self) -> str:
        """The `source` of its events."""
        return self.names.source

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed so far, in sentences for whoever loads the file."""
        notes = [f"read as {'xAPI statements' if self.standard == 'xapi' else 'Caliper events'}"]
        if self._without_zone and self.zone is None:
            notes.append(f"{self._without_zone:,} times without an offset are taken as UTC; --zone says what they are")
        if shared := sum(1 for pages in self._pages.values() if len(pages) > 1):
            notes.append(
                f"{shared:,} account names come from several home pages and count as one student each; "
                "where they are different people, load each system's file into an installation of its own"
            )
        return tuple(notes)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """The raw rows, some thousand at a time.

        Raises:
            InputError: The file is damaged.
        """
        for documents in _in_parts(read_documents(self.path), AT_ONCE):
            yield self._convert([self._translate(document) for document in documents])

    def _translate(self, document: object) -> dict[str, Any]:
        """The fields of an event, or why there is none as `unused` or `rejected`."""
        if document is UNREADABLE:
            return {"rejected": "unreadable_json"}
        if not isinstance(document, dict):
            return {"rejected": "invalid_event"}
        try:
            event = STANDARDS[self.standard](document, self.names)
        except UntranslatableError as error:
            return {"rejected": error.rule}
        if isinstance(event, Ignored):
            return {"unused": f"ignored {event.kind}"}
        if page := home_page(document):
            self._pages[page[0]].add(page[1])
        return event

    def _convert(self, events: list[dict[str, Any]]) -> pd.DataFrame:
        times = pa.array([event.get("occurred_at") for event in events], pa.string())
        moments, unreadable = as_moments(times, self.zone or "UTC")
        has_offset = pc.fill_null(pc.match_substring_regex(times, UTC_OFFSET), True).to_numpy(zero_copy_only=False)
        self._without_zone += int((~has_offset & ~unreadable).sum())
        score = np.array([_score(event) for event in events], dtype=np.float64)
        marks = {rule: np.array([event.get("rejected") == rule for event in events]) for rule in _rules(events)}
        columns = {
            "student_id": [event.get("student_id") or None for event in events],
            "kind": [event.get("kind") for event in events],
            "occurred_at": moments,
            "item_id": [event.get("item_id") or None for event in events],
            "score": score,
            "correct": [_correct(event) for event in events],
            "attempt": [event.get("attempt") for event in events],
            "duration_s": [event.get("duration_s") for event in events],
            "event_key": [event.get("event_id") for event in events],
            "skills": [SKILL_MARK.join(event.get("skill_ids") or ()) or None for event in events],
            "unused": [event.get("unused") for event in events],
            "rejected": first_rule(len(events), marks | {"unreadable_time": unreadable}),
        }
        return raw_rows(columns, len(events))


def open_documents(path: Path, standard: str, names: Names | None = None, zone: str | None = None) -> DocumentLog:
    """A file of xAPI statements or Caliper events.

    Args:
        path: JSON: a document on each line, an array, or an envelope.
        standard: One of `STANDARDS`.
        names: How addresses become ids; without it, they stay as they are and the source is the standard's name.
        zone: Time zone of times without an offset; without it, UTC.
    """
    return DocumentLog(path, standard, names or Names(standard), zone)


def sniff_standard(path: Path) -> str:
    """The standard of a JSON file, by its first document that shows one.

    Raises:
        InputError: Its documents are of none.
    """
    for document in islice(read_documents(path), SNIFFED):
        for standard, fields in CHARACTERISTIC.items():
            if isinstance(document, dict) and fields <= document.keys():
                return standard
    raise InputError(f"{path.name} is JSON, but neither xAPI statements nor Caliper events; right would be one of them")


def _in_parts(documents: Iterator[object], size: int) -> Iterator[list[object]]:
    while part := list(islice(documents, size)):
        yield part


def _rules(events: list[dict[str, Any]]) -> set[str]:
    return {event["rejected"] for event in events if "rejected" in event}


def _score(event: dict[str, Any]) -> float | None:
    if event.get("score") is None and event.get("correct") is not None:
        return float(event["correct"])
    return event.get("score")


def _correct(event: dict[str, Any]) -> bool | None:
    if event.get("correct") is None and event.get("score") is not None:
        return bool(event["score"] >= 1.0)
    return event.get("correct")
