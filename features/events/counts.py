"""What became of the rows of a file, as commands print it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from features.errors import TooManyRejectedError
from features.events.checks import WORDS
from features.events.log.store import DataVersion


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
        coverage: The share of answers that say each of `features.events.coverage.FIELDS`; empty without answers.
        evidence: Totals without answers that are new, or have another figure than before.
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
    evidence: int = 0
    coverage: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The counts as plain values."""
        return asdict(self)


def require_few_rejected(
    rejected: Counter[str], answers: int, limit: float, name: str, keep: Callable[[], Path]
) -> None:
    """Refuses a file that was probably read the wrong way.

    Args:
        rejected: Rejected rows by rule.
        answers: Rows that claim an answer or a figure.
        limit: Largest share of them that may be rejected, 0-1.
        name: The file's name.
        keep: Keeps the record of the rejected rows, and says where.

    Raises:
        TooManyRejectedError: More rows break a rule.
    """
    if rejected.total() <= limit * answers:
        return
    rules = ", ".join(
        f"{rule} {count:,}" + (f": {WORDS[rule]}" if rule in WORDS else "") for rule, count in rejected.most_common()
    )
    raise TooManyRejectedError(
        f"{rejected.total():,} of {answers:,} rows of {name} are rejected ({rules}), more than the share of {limit:g} "
        f"that --max-rejected allows; nothing was stored, the rejected rows are in {keep()}"
    )
