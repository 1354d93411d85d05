"""Sessions of the planner from bodies and as bodies."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from pydantic import TypeAdapter

from serving.errors import RequestError
from serving.grouping import Problem, ProblemError, Session, find_stage_violations, require_sessions
from serving.schemas.sessions import SessionIn, SessionOut, SessionSeats

FIELDS = {"block": "block_id", "skill": "skill_id", "room": "room_id"}
"""The fields of a session that bodies call otherwise."""

MOST_SEATS, SEATS_A_SEAT = 2000, 4
"""Seats that edited sessions may have in any case, and for each seat of the day: with more, nobody can have meant them,
and only to say what is wrong with them would take minutes."""

STORED_SESSIONS = TypeAdapter(list[SessionSeats])
"""Reads and writes the JSON of the sessions of a decision."""


def read_sessions(problem: Problem, bodies: Sequence[SessionIn]) -> tuple[Session, ...]:
    """The sessions of a body, without those that have no students.

    Raises:
        RequestError: A session names what the day does not have, or contradicts itself; the field is named. Or there
            are several times as many seats as the day has.
    """
    sessions = tuple(to_session(body) for body in bodies)
    seats = sum(len(session.students) for session in sessions)
    most = max(MOST_SEATS, SEATS_A_SEAT * sum(len(student.blocks) for student in problem.students))
    if seats > most:
        detail = f"sessions: they have {seats} seats, which is more than the {most} that are read for this day"
        raise RequestError("too_many_seats", detail, field="sessions")
    try:
        require_sessions(problem, sessions)
    except ProblemError as error:
        field = error.field
        for ours, theirs in FIELDS.items():
            if field.endswith(f"].{ours}"):
                field = f"{field.removesuffix(ours)}{theirs}"
        detail = str(error).replace(error.field, field, 1).replace("the problem's", "the day's")
        raise RequestError("not_of_this_day", detail, field=field) from error
    return tuple(session for session in sessions if session.students)


def require_stages(problem: Problem, sessions: Sequence[Session]) -> None:
    """Refuses sessions of an adult whose stage of growth does not allow them: no decision of people overrules it.

    Raises:
        RequestError: There is one.
    """
    broken = find_stage_violations(problem, tuple(sessions))
    if broken:
        detail = f"{broken[0].sentence} The adult's coach or the team's leader signs the next stage."
        raise RequestError("growth_stage", detail, field="sessions")


def to_session(body: SessionIn | SessionOut | SessionSeats) -> Session:
    """One session of a body, each student in it once; its ids are not checked."""
    students = (seat if isinstance(seat, str) else seat.student_id for seat in body.students)
    return Session(
        id=body.id,
        block=body.block_id,
        session_type=body.session_type,
        skill=body.skill_id,
        adults=tuple(adult if isinstance(adult, str) else adult.staff_id for adult in body.adults),
        room=body.room_id,
        students=tuple(dict.fromkeys(students)),
    )


def read_aims(bodies: Iterable[SessionIn | SessionSeats]) -> dict[str, str]:
    """What the team wants of sessions, by their ids."""
    return {body.id: body.aim for body in bodies if body.aim}


def to_session_seats(sessions: Iterable[Session], aims: Mapping[str, str] = MappingProxyType({})) -> list[SessionSeats]:
    """Sessions as bodies with ids alone, and what the team wants of them."""
    return [
        SessionSeats(
            id=session.id,
            block_id=session.block,
            session_type=session.session_type,
            skill_id=session.skill,
            adults=list(session.adults),
            room_id=session.room,
            students=list(session.students),
            aim=aims.get(session.id),
        )
        for session in sessions
    ]
