"""What the translators of all standards share: names of ids, fields read safely, and how a refusal is said.

A document is JSON of anybody, so every field may hold anything. What names the student, the item or the result has to
be right; what stands beside them never costs an answer.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from features.logs.sections import Prefixes

Document = Mapping[str, Any]

BAD_DURATION = -1.0
"""Seconds in place of a duration that cannot be read: absurd, so that it becomes null and is counted."""

DURATION = re.compile(
    r"P(?:(?P<years>[0-9]+)Y)?(?:(?P<months>[0-9]+)M)?(?:(?P<weeks>[0-9.]+)W)?(?:(?P<days>[0-9.]+)D)?"
    r"(?:T(?:(?P<hours>[0-9.]+)H)?(?:(?P<minutes>[0-9.]+)M)?(?:(?P<seconds>[0-9.]+)S)?)?"
)
UNIT_S = {"weeks": 604_800.0, "days": 86_400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}


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
class Names(Prefixes):
    """How ids of a standard, which are addresses, become ids of the roster and of the event log.

    Attributes:
        source: Name that files of the same product are ingested under.
    """

    source: str = field(kw_only=True)


@dataclass(frozen=True)
class Ignored:
    """An event that says nothing that profiles are made of.

    Attributes:
        kind: Its verb or type, as counts show it.
    """

    kind: str


@dataclass(frozen=True)
class Voiding:
    """A statement that takes another one back.

    Attributes:
        statement_id: The id of the other one.
    """

    statement_id: str


Translated = dict[str, Any] | Ignored | Voiding


def as_part(value: object) -> Document:
    """An object, or nothing where something else is written.

    Example:
        >>> as_part("x")
        {}
    """
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """A list; one object stands for a list of it, and anything else for none."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) else []


def as_text(value: object) -> str | None:
    """A text without blanks around it; null where it is blank, no text (half a character), or something else."""
    if not isinstance(value, str):
        return None
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        return None
    return value.strip() or None


def as_number(value: object) -> float | None:
    """A finite number; null where something else is written."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_count(value: object) -> int | None:
    """A whole number from 1; null where something else is written.

    Example:
        >>> as_count("2"), as_count("6f0c")
        (2, None)
    """
    number = as_number(value)
    return int(number) if number is not None and number.is_integer() and 1 <= number < 2**53 else None


def seconds_of(duration: object) -> float | None:
    """Converts an ISO 8601 duration to seconds; None stays None, and `BAD_DURATION` stands for any that is none.

    Years and months have no length of their own, so they may only be none.

    Example:
        >>> seconds_of("PT1M12.5S"), seconds_of("P0Y0M0DT0H0M12,5S"), seconds_of("P1Y")
        (72.5, 12.5, -1.0)
    """
    if duration is None:
        return None
    return _seconds(duration) if isinstance(duration, str) else BAD_DURATION


@lru_cache(maxsize=4096)
def _seconds(duration: str) -> float:
    found = DURATION.fullmatch(duration.strip().replace(",", "."))
    parts = {} if found is None else {name: as_number(text) for name, text in found.groupdict().items() if text}
    long = (parts.pop("years", 0) or 0) + (parts.pop("months", 0) or 0)
    if found is None or long or None in parts.values() or not found[0].strip("PT"):
        return BAD_DURATION
    return sum(UNIT_S[name] * (number or 0) for name, number in parts.items())


def last_part(address: str) -> str:
    """Returns the last word of an address, in small letters.

    Example:
        >>> last_part("http://adlnet.gov/expapi/verbs/answered")
        'answered'
    """
    return address.rstrip("/").replace("#", "/").rpartition("/")[2].lower()
