"""How events of a learning-technology standard become events as `EventIn` has them, are ignored, or are rejected."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pandas as pd
from pydantic import BaseModel, ValidationError

from serving.intake.read_batch import to_invalid
from serving.schemas.events import RejectedEvent

MOST_PARTS = 1000
"""Parts of one kind that an event of a standard may have."""

Foreign = TypeVar("Foreign", bound=BaseModel)


class UntranslatableError(ValueError):
    """An event of a standard cannot be an event of ours.

    Attributes:
        rule: Name of the rule that was broken.
        field: Path of the field in the standard's spelling.
    """

    def __init__(self, rule: str, field: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.field = field


@dataclass(frozen=True)
class Names:
    """How ids of a standard, which are addresses, become ids of the roster and of the event log.

    Attributes:
        source: Name that files of the same product are ingested under.
        student_prefix: Removed from the front of a student's address.
        item_prefix: Removed from the front of an item's address.
        skill_prefix: Removed from the front of a skill's address.
    """

    source: str
    student_prefix: str = ""
    item_prefix: str = ""
    skill_prefix: str = ""


@dataclass
class Translation(Generic[Foreign]):
    """A translated batch; each of its events is counted in exactly one attribute.

    Attributes:
        events: Fields of `EventIn`, by the place in the batch.
        ignored: How many events say nothing that profiles are made of.
        rejected: The events that cannot be read.
    """

    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    ignored: int = 0
    rejected: list[RejectedEvent] = field(default_factory=list)

    def translate(
        self, documents: Sequence[object], model: type[Foreign], to_event: Callable[[Foreign], dict[str, Any] | None]
    ) -> None:
        """Reads each event by itself, so that one that cannot be read does not take the others with it.

        Args:
            documents: The events as JSON held them.
            model: The standard's event.
            to_event: Returns the fields of `EventIn`, or None for an event that is ignored.
        """
        for index, document in enumerate(documents):
            try:
                event = to_event(model.model_validate(document))
            except ValidationError as error:
                self.rejected.append(to_invalid(index, error))
            except UntranslatableError as error:
                self.rejected.append(RejectedEvent(index=index, rule=error.rule, field=error.field, message=str(error)))
            else:
                if event is None:
                    self.ignored += 1
                else:
                    self.events[index] = event


def seconds_of(duration: str | None, field: str) -> float | None:
    """Converts an ISO 8601 duration to seconds; None stays None.

    Raises:
        UntranslatableError: The text is no duration, or counts years or months, whose length is not known.

    Example:
        >>> seconds_of("PT1M12.5S", "result.duration")
        72.5
    """
    if duration is None:
        return None
    seconds = math.nan
    if duration.startswith("P"):
        with suppress(ValueError, OverflowError):
            seconds = pd.Timedelta(duration).total_seconds()
    if math.isnan(seconds):
        raise UntranslatableError("bad_duration", field, "is no ISO 8601 duration of days or less, such as PT1M12.5S")
    return seconds


def last_part(address: str) -> str:
    """Returns the last word of an address, in small letters.

    Example:
        >>> last_part("http://adlnet.gov/expapi/verbs/answered")
        'answered'
    """
    return address.rstrip("/").replace("#", "/").rpartition("/")[2].lower()
