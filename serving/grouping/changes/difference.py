"""Which seats two plans give differently."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serving.grouping.problem.places import Seat
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem


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
