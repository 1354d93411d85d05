"""What replacing a plan by another does to its score, term by term, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.grouping.problem.plan import Score

LEAST = 5e-10
"""Points below which a difference is rounding."""

SHOWN = 0.005
"""Points from which on a difference shows in two decimals."""

UNITS = {
    "benefit": ("need met", "less", 2),
    "urgent": ("urgent need met", "less", 1),
    "coverage": ("student(s) without a seat with an adult", "fewer", 0),
    "adult_time_due": ("student(s) due for time with an adult without it", "fewer", 0),
    "relationships": ("first meetings with adults", "fewer", 2),
    "repeat_groupmates": ("repeat(s) of recent groupmates", "fewer", 0),
    "keep_together": ("pair(s) kept together", "fewer", 0),
    "perturbation": ("seat(s) changed against the earlier plan", "fewer", 0),
    "load": ("blocks off an even load", "fewer", 1),
    "share": ("adult-led seats short of proportional shares", "fewer", 1),
    "group_time_due": ("student(s) due for a small group without one", "fewer", 0),
    "coaching": ("coached session(s)", "fewer", 0),
    "observations": ("observed session(s)", "fewer", 0),
    "wishes": ("wish(es) of students met", "fewer", 0),
}
"""What each term is a number of, the word for less of it, and digits; a second meeting counts as half a first one.

A term without a unit here goes by its name.
"""


@dataclass(frozen=True, slots=True)
class TermChange:
    """What one soft term gains or loses.

    Attributes:
        value: how much its quantity grows, in the term's own unit.
        points: what that adds to the total; negative for a loss.
        sentence: both in plain words, such as "0.22 less need met (-0.22)".
    """

    name: str
    value: float
    points: float
    sentence: str


@dataclass(frozen=True, slots=True)
class ScoreImpact:
    """What replacing a plan by another of the same problem does to the score.

    Attributes:
        points: what the second scores more than the first; negative where the change costs points.
        terms: those that differ; the largest loss first where points are lost, else the largest gain.
    """

    points: float
    terms: tuple[TermChange, ...]
    sentence: str


def measure_impact(before: Score, after: Score) -> ScoreImpact:
    """Returns what a plan gains or loses against another of the same problem."""
    terms = [
        _change_term(old.name, new.value - old.value, new.points - old.points)
        for old, new in zip(before.terms, after.terms, strict=True)
        if abs(new.points - old.points) > LEAST
    ]
    points = after.total - before.total
    sign = -1 if points > 0 else 1
    terms.sort(key=lambda term: (sign * term.points, term.name))
    return ScoreImpact(points, tuple(terms), _describe(points, terms))


def _describe(points: float, terms: Sequence[TermChange]) -> str:
    if not terms:
        return "changes no term of the score"
    shown = [term for term in terms if abs(term.points) >= SHOWN] or terms
    reasons = ", ".join(term.sentence for term in shown)
    if abs(points) < SHOWN:
        return f"leaves the score as it is: {reasons}"
    return f"{'gains' if points > 0 else 'costs'} {abs(points):.2f}: {reasons}"


def _change_term(name: str, value: float, points: float) -> TermChange:
    quantity = name.replace("_", " ")
    if name in UNITS:
        unit, fewer, digits = UNITS[name]
        amount = f"{abs(value):.{digits}f}"
        unit = unit.replace("(s)", "" if amount == "1" else "s")
        quantity = f"{amount} {'more' if value > 0 else fewer} {unit}"
    return TermChange(name, value, points, f"{quantity} ({points:+.2f})")
