"""Seats students in the best way for sessions that are settled in block, kind, skill, adults and room."""

from collections.abc import Sequence
from dataclasses import replace

from serving.grouping.index import Index
from serving.grouping.plan import Session
from serving.grouping.seating import Seating, count_seats
from serving.grouping.stations import seat_online

SEAT_LIMIT = 500
"""Possible seats beyond which the exact program takes seconds: a team of 60 has about 300, one of 120 about 1,000."""


def assign_students(
    index: Index,
    sessions: tuple[Session, ...],
    earlier: Sequence[Sequence[Session]] = (),
    seconds: float | None = None,
) -> tuple[tuple[Session, ...], bool] | None:
    """Returns the same sessions with the best students in each, and whether that is proven best.

    Earlier seatings of the same sessions say where recent groupmates tend to sit, when they are too many to be exact.
    Online sessions take whoever is left, and go where nobody is. None where HiGHS found no seats within its limits, or
    where they are so many that it would take seconds.

    Args:
        index: the problem.
        sessions: settled.
        earlier: seatings of them.
        seconds: wall-clock time that it may take; None: no clock.
    """
    led = [session for session in sessions if session.led]
    if not led:
        return sessions, True
    if count_seats(index, led) > SEAT_LIMIT:
        return None
    seating = Seating(index, sessions, led, [sessions, *earlier])
    values, proven = seating.program.solve(seconds=seconds)
    if values is None:
        return None
    chosen: dict[str, list[str]] = {session.id: [] for session in led}
    for (student, at), column in seating.seats.items():
        if values[column]:
            chosen[led[at].id].append(index.problem.students[student].id)
    seated = [replace(session, students=tuple(sorted(chosen.get(session.id, ())))) for session in sessions]
    return seat_online(index.problem, seated), proven and seating.exact
