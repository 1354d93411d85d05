"""Days without school, as texts of a policy."""

from collections.abc import Iterable
from datetime import date

from features.roster.files.cells import parse_date

TO = " to "


def read_closed(text: str) -> tuple[date, date]:
    """First and last day of `2026-11-26` or `2026-12-21 to 2027-01-01`.

    Raises:
        ValueError: It is neither.

    Example:
        >>> read_closed("2026-12-21 to 2027-01-01")
        (datetime.date(2026, 12, 21), datetime.date(2027, 1, 1))
    """
    first, to, last = text.partition(TO)
    days = parse_date(first), parse_date(last if to else first)
    if days[1] < days[0]:
        raise ValueError(f"{last.strip()} is before {first.strip()}; write the later day last")
    return days


def is_closed(day: date, closed: Iterable[str]) -> bool:
    """Whether a day is one of them.

    Example:
        >>> is_closed(date(2026, 12, 25), ["2026-11-26", "2026-12-21 to 2027-01-01"])
        True
    """
    return any(first <= day <= last for first, last in map(read_closed, closed))
