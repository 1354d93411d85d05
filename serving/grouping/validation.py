"""Refuses values that a problem must not hold, one question per function."""

import math
from collections.abc import Collection, Iterable

from serving.grouping.errors import ProblemError


def require_range(field: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuses a number outside [low, high], infinite or not a number.

    Raises:
        ProblemError: the value is none of those allowed.
    """
    if not (math.isfinite(value) and low <= value <= high):
        right = f"a number from {low:g} to {high:g}" if math.isfinite(high) else f"a number of at least {low:g}"
        raise ProblemError(field, value, right)


def require_share(field: str, value: float | None) -> None:
    """Refuses anything but None and a number from 0 to 1.

    Raises:
        ProblemError: the value is none of those allowed.
    """
    if value is not None:
        require_range(field, value, 0.0, 1.0)


def require_unique(field: str, values: Iterable[object], *, private: bool = False) -> None:
    """Refuses a value that comes a second time.

    Raises:
        ProblemError: a value is repeated; the message gives the position of the second.
    """
    seen: set[object] = set()
    for position, value in enumerate(values):
        if value in seen:
            raise ProblemError(f"{field}[{position}]", value, "given once only", private=private)
        seen.add(value)


def require_known(field: str, value: str, known: Collection[str], kind: str) -> None:
    """Refuses an id that nothing of that kind carries.

    Raises:
        ProblemError: the id is unknown.
    """
    if value not in known:
        raise ProblemError(field, value, f"the id of one of the problem's {kind}", private=kind == "students")
