"""Sessions out of bodies and into them."""

from collections.abc import Sequence

from serving.errors import RequestError
from serving.grouping import Problem, ProblemError, Session, require_sessions
from serving.schemas.sessions import AdultIn, SeatIn, SessionIn, SessionSeats

FIELDS = {"block": "block_id", "skill": "skill_id", "room": "room_id"}
"""What a body calls the fields of a session."""


def read_sessions(problem: Problem, given: Sequence[SessionIn]) -> tuple[Session, ...]:
    """The sessions of a body, without those in which nobody sits.

    Raises:
        RequestError: A session names what the day does not have, or has no meaning; the field is named.
    """
    sessions = tuple(to_session(each) for each in given)
    try:
        require_sessions(problem, sessions)
    except ProblemError as error:
        raise refuse(error) from error
    return tuple(session for session in sessions if session.students)


def refuse(error: ProblemError) -> RequestError:
    """What a caller is told of a value that the day does not have; ids of students are left out."""
    field = error.field
    for ours, theirs in FIELDS.items():
        if field.endswith(f"].{ours}"):
            field = f"{field.removesuffix(ours)}{theirs}"
    told = str(error).replace(error.field, field, 1).replace("the problem's", "the day's")
    return RequestError("not_of_this_day", told, field=field)


def to_session_seats(sessions: Sequence[Session]) -> list[SessionSeats]:
    """Sessions as bodies hold them, with ids alone."""
    return [
        SessionSeats(
            id=each.id,
            block_id=each.block,
            session_type=each.session_type,
            skill_id=each.skill,
            adults=list(each.adults),
            room_id=each.room,
            students=list(each.students),
        )
        for each in sessions
    ]


def to_session(given: SessionIn) -> Session:
    """One session of a body, each student in it once; whether its ids are known is not asked."""
    return Session(
        id=given.id,
        block=given.block_id,
        session_type=given.session_type,
        skill=given.skill_id,
        adults=tuple(each.staff_id if isinstance(each, AdultIn) else each for each in given.adults),
        room=given.room_id,
        students=tuple(dict.fromkeys(each.student_id if isinstance(each, SeatIn) else each for each in given.students)),
    )
