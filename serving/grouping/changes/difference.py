"""What changing a plan does to its score, term by term, in plain words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serving.grouping.problem.places import Seat
from serving.grouping.problem.plan import Score, Session
from serving.grouping.problem.problem import Problem

LEAST = 5e-10
"""Points below which a difference is rounding."""

SHOWN = 0.005
"""Points from which on a difference shows in two decimals."""

UNITS = {
    "benefit": ("need met", "less", 2),
    "urgent": ("urgent need(s) with an adult", "fewer", 0),
    "coverage": ("student(s) without a seat with an adult", "fewer", 0),
    "adult_time_due": ("student(s) due for time with an adult without it", "fewer", 0),
    "relationships": ("first meetings with adults", "fewer", 2),
    "repeat_groupmates": ("repeat(s) of recent groupmates", "fewer", 0),
    "keep_together": ("pair(s) kept together", "fewer", 0),
    "perturbation": ("seat(s) changed against the earlier plan", "fewer", 0),
    "load": ("blocks off an even load", "fewer", 1),
    "share": ("adult-led seats short of proportional shares", "fewer", 1),
    "teacher_time_due": ("student(s) due for teacher time without it", "fewer", 0),
    "coaching": ("coached session(s)", "fewer", 0),
}
"""What each term is a number of, the word for less of it, and digits; a second meeting counts as half a first one.

A term without a unit here goes by its name.
"""


@dataclass(frozen=True, slots=True)
class Move:
    """One student's seat of one block that two plans give differently: in kind, skill or lead.

    Attributes:
        before: None where the first plan has no seat for the student.
        after: None where the second plan has no seat for the student.
    """

    student: str
    block: str
    before: Seat | None
    after: Seat | None


def read_seats(sessions: Iterable[Session]) -> dict[tuple[str, str], Seat]:
    """Returns the seat of each student and block; of several, a led one, and of those the last.

    A person who moves a student into a group often leaves the name at the online station, hence led before online.
    """
    seats: dict[tuple[str, str], Seat] = {}
    for session in sorted(sessions, key=lambda session: session.led):
        lead = session.adults[0] if session.led else None
        for student in session.students:
            seats[student, session.block] = Seat(student, session.block, session.session_type, session.skill, lead)
    return seats


def find_moves(problem: Problem, before: Sequence[Session], after: Sequence[Session]) -> tuple[Move, ...]:
    """Returns the seats that differ, of students in blocks in which they are there, by student and block.

    Those with a seat in `before` are what the term `perturbation` counts where `before` is `Problem.previous`.
    """
    first, second = read_seats(before), read_seats(after)
    places = [(student.id, block.id) for student in problem.students for block in problem.blocks]
    present = {student.id: student.blocks for student in problem.students}
    return tuple(
        Move(student, block, first.get((student, block)), second.get((student, block)))
        for student, block in places
        if block in present[student] and first.get((student, block)) != second.get((student, block))
    )


def count_moved(moves: Iterable[Move]) -> int:
    """Returns how many of the moves change a seat that was there before."""
    return sum(move.before is not None for move in moves)


def previous_seats(problem: Problem, sessions: Iterable[Session]) -> tuple[Seat, ...]:
    """Returns a plan's seats for `Problem.previous`, without those that the problem could not name."""
    students = {student.id for student in problem.students}
    blocks = {block.id for block in problem.blocks}
    return tuple(
        seat
        for (student, block), seat in sorted(read_seats(sessions).items())
        if student in students and block in blocks
    )


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
