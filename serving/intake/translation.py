"""What every standard's events come to: events as `EventIn` has them, some left aside, some refused."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pandas as pd
from pydantic import BaseModel, ValidationError

from serving.schemas.events import RejectedEvent

Foreign = TypeVar("Foreign", bound=BaseModel)


class UntranslatableError(ValueError):
    """An event of a standard that cannot be one of ours.

    Attributes:
        rule: The name of what was broken.
        field: Where, in the standard's own words.
    """

    def __init__(self, rule: str, field: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.field = field


@dataclass(frozen=True)
class Names:
    """How the ids of the standard, which are addresses, become those of the roster and of the log.

    Attributes:
        source: The name that files of the same product are ingested under.
        student_prefix: What is taken from the front of a student's address.
        item_prefix: Likewise of an item.
        skill_prefix: Likewise of a skill.
    """

    source: str
    student_prefix: str = ""
    item_prefix: str = ""
    skill_prefix: str = ""


@dataclass
class Translation(Generic[Foreign]):
    """A batch translated; every event of it is in one of the three.

    Attributes:
        events: Fields of `EventIn`, by the place in the batch.
        ignored: How many say nothing that profiles are made of.
        rejected: Those that cannot be read.
    """

    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    ignored: int = 0
    rejected: list[RejectedEvent] = field(default_factory=list)

    def translate(
        self, given: Sequence[object], model: type[Foreign], to_event: Callable[[Foreign], dict[str, Any] | None]
    ) -> None:
        """Reads each event by itself, so that one that cannot be read does not take the others with it.

        Args:
            given: What JSON held.
            model: Of one of them.
            to_event: Fields of `EventIn`; None for what is left aside.
        """
        for index, each in enumerate(given):
            try:
                event = to_event(model.model_validate(each))
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False, include_context=False)[0]
                where = ".".join(map(str, first["loc"])) or "event"
                self._reject(index, "invalid_event", where, first["msg"])
            except UntranslatableError as error:
                self._reject(index, error.rule, error.field, str(error))
            else:
                if event is None:
                    self.ignored += 1
                else:
                    self.events[index] = event

    def _reject(self, index: int, rule: str, where: str, message: str) -> None:
        self.rejected.append(RejectedEvent(index=index, rule=rule, field=where, message=message))


def seconds_of(duration: str | None, where: str) -> float | None:
    """The seconds of an ISO 8601 duration.

    Raises:
        UntranslatableError: It is none, or counts years or months, whose length is not known.

    Example:
        >>> seconds_of("PT1M12.5S", "result.duration")
        72.5
    """
    if duration is None:
        return None
    told = UntranslatableError("bad_duration", where, "is no ISO 8601 duration of days or less, such as PT1M12.5S")
    if not duration.startswith("P"):
        raise told
    try:
        seconds = pd.Timedelta(duration).total_seconds()
    except (ValueError, OverflowError):
        raise told from None
    if math.isnan(seconds):
        raise told
    return seconds


def last_part(address: str) -> str:
    """The last word of an address, in small letters.

    Example:
        >>> last_part("http://adlnet.gov/expapi/verbs/answered")
        'answered'
    """
    return address.rstrip("/").replace("#", "/").rpartition("/")[2].lower()
