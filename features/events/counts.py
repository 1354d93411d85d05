"""What became of the rows of a file, as commands print it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from features.events.store import DataVersion


@dataclass(frozen=True)
class IngestCounts:
    """How many rows of a file were stored, known, unused or rejected; these counts add up to `rows_read`.

    Attributes:
        rows_read: Lines or rows of the file.
        events_stored: Responses that are new in the event log.
        events_known: Rows that were there already.
        rows_merged: Rows that name a further skill of the same response, in the file or in the event log.
        activities: Lessons, videos and logins that are new in the event log.
        unused: Rows that are no events, by kind, and rows of students who were erased.
        rejected: Rows that break a rule, by rule.
        nulled: Cells made null, by rule; their rows are counted above.
        data_version: Version of the tables afterwards; null if nothing was ever stored.
        notes: What was assumed of the file, in sentences.
    """

    rows_read: int
    events_stored: int
    events_known: int
    rows_merged: int
    activities: int
    unused: Mapping[str, int]
    rejected: Mapping[str, int]
    nulled: Mapping[str, int]
    data_version: DataVersion | None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The counts as plain values."""
        return asdict(self)
