"""Errors between a problem and its plan, and checks that raise them.

GroupingError            everything below
├── ProblemError         the problem itself is not well formed: an unknown id, a value out of range
├── InfeasibleError      well formed, but no plan was found that keeps every hard rule
└── BrokenPlanError      the solver returned a plan that the checker refuses: a bug of ours
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field


class GroupingError(Exception):
    """The root of this package's errors; messages hold no student's id, so that they may be logged."""


class ProblemError(GroupingError):
    """A field of the problem holds a value that it must not hold.

    Attributes:
        field: a path, such as `needs[3].student`.
        value: None, and not in the message either, where it would identify a student.
        right: what would be right.
    """

    def __init__(self, field: str, value: object, right: str, *, private: bool = False) -> None:
        shown = "the id given" if private else repr(value)
        super().__init__(f"{field}: {shown} is not right; it must be {right}")
        self.field = field
        self.value = None if private else value
        self.right = right


@dataclass(frozen=True, slots=True)
class Conflict:
    """One reason why no plan can keep every hard rule.

    Attributes:
        rules: the rules that cannot hold together, by the names of `check.py`; the one to look at comes first.
        sentence: the reason in plain words, with figures; it names blocks, adults, rooms and skills, but no student.
        proven: False where the search merely found no plan, so that one may exist.
        students: ids of those concerned, for users who may see them; no text shows them, nor does `repr`.
    """

    rules: tuple[str, ...]
    sentence: str
    proven: bool = True
    students: tuple[str, ...] = field(default=(), repr=False)


class InfeasibleError(GroupingError):
    """No plan was found that keeps every hard rule; `rule` and `sentence` are those of the first conflict."""

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        self.conflicts = conflicts
        self.rule = conflicts[0].rules[0]
        self.sentence = conflicts[0].sentence
        self.proven = any(conflict.proven for conflict in conflicts)
        super().__init__(f"no plan keeps the rule {self.rule!r}; see .sentence for the reason")


class BrokenPlanError(GroupingError):
    """The solver's own plan breaks a hard rule; it is never returned."""

    def __init__(self, rules: tuple[str, ...]) -> None:
        super().__init__(f"a bug in the solver: its plan breaks {', '.join(rules)}")
        self.rules = rules


def require_range(field: str, value: float, low: float, high: float = math.inf) -> None:
    """Raises `ProblemError` for a number outside [low, high], infinite or not a number."""
    if not (math.isfinite(value) and low <= value <= high):
        right = f"a number from {low:g} to {high:g}" if math.isfinite(high) else f"a number of at least {low:g}"
        raise ProblemError(field, value, right)


def require_share(field: str, value: float | None) -> None:
    """Raises `ProblemError` for anything but None and a number from 0 to 1."""
    if value is not None:
        require_range(field, value, 0.0, 1.0)


def require_unique(field: str, values: Iterable[object], *, private: bool = False) -> None:
    """Raises `ProblemError` for a repeated value, with the position of the second."""
    seen: set[object] = set()
    for position, value in enumerate(values):
        if value in seen:
            raise ProblemError(f"{field}[{position}]", value, "unique", private=private)
        seen.add(value)


def require_known(field: str, value: str, known: Collection[str], kind: str) -> None:
    """Raises `ProblemError` for an id that nothing of that kind has."""
    if value not in known:
        raise ProblemError(field, value, f"the id of one of the problem's {kind}", private=kind == "students")
