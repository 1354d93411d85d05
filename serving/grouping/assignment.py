"""Seats students in the best way for sessions that are settled in block, kind, skill, adults and room."""

from dataclasses import replace

from serving.grouping.index import Index
from serving.grouping.plan import Session
from serving.grouping.seating import Seating


def assign_students(index: Index, sessions: tuple[Session, ...]) -> tuple[tuple[Session, ...], bool] | None:
    """Returns the same sessions with the best students in each, and whether that is proven best.

    Online sessions take whoever is left, and go where nobody is. None where HiGHS found no seats within its limits.
    """
    led = [session for session in sessions if session.led]
    if not led:
        return sessions, True
    seating = Seating(index, sessions, led)
    solved = seating.program.solve()
    if solved is None:
        return None
    values, proven = solved
    chosen: dict[str, list[str]] = {session.id: [] for session in led}
    taken = set()
    for (student, at), column in seating.seats.items():
        if values[column]:
            chosen[led[at].id].append(index.problem.students[student].id)
            taken.add((index.problem.students[student].id, led[at].block))
    result = []
    for session in sessions:
        if session.led:
            students = tuple(sorted(chosen[session.id]))
        else:
            here = (s.id for s in index.problem.students if session.block in s.blocks)
            students = tuple(student for student in here if (student, session.block) not in taken)
        if students:
            result.append(replace(session, students=students))
    return tuple(result), proven and seating.exact
