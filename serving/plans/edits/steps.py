"""Steps about single students and whole plans: move, swap, lock, and taking over the sessions of another plan."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from serving.access.caller import Caller
from serving.errors import RequestError
from serving.grouping import Session
from serving.plans.edits.edited_day import EditedDay, to_bodies
from serving.plans.latecomer import find_seat_options
from serving.plans.recommend import Planner
from serving.plans.sessions import require_stages, to_session_seats
from serving.schemas.changes import SeatOptionsRequest
from serving.schemas.edits import Action, EditStep


def make_step(
    edited: EditedDay,
    action: Action,
    sessions: Sequence[Session],
    *,
    locked: Iterable[str] | None = None,
    aims: Mapping[str, str] | None = None,
    **about: str | None,
) -> EditStep:
    """A step with the day after it; locks and aims of sessions that are gone go with them.

    Args:
        edited: The day before.
        action: What is done.
        sessions: All sessions of the day after it.
        locked: Ids of the sessions that are locked then; null: those that were.
        aims: What the team wants of sessions then, by their ids; null: as it was.
        about: Fields of the step that say whom and what it is about.

    Raises:
        RequestError: A session is more than an adult's stage of growth allows.
    """
    require_stages(edited.day.problem, sessions)
    held = {session.id for session in sessions}
    return EditStep(
        action=action,
        student_id=about.get("student_id"),
        other_student_id=about.get("other_student_id"),
        block_id=about.get("block_id"),
        session_id=about.get("session_id"),
        sessions=to_session_seats(sessions, edited.aims if aims is None else aims),
        locked=sorted(held.intersection(edited.locked if locked is None else locked)),
    )


def move_student(
    planner: Planner, caller: Caller, edited: EditedDay, student_id: str, block_id: str, session_id: str
) -> EditStep:
    """The step that gives a student another seat in a block, whether or not it keeps every rule.

    Raises:
        RequestError: The day has no such student, block or session.
    """
    _require_there(edited, "student_id", student_id, block_id)
    target = next((each for each in edited.sessions if (each.id, each.block) == (session_id, block_id)), None)
    if target is None:  # independent work that the day does not hold yet
        body = SeatOptionsRequest(student_id=student_id, block_ids=[block_id], sessions=to_bodies(edited))
        _, found = find_seat_options(planner, caller, edited.day, body)
        opened = (each.session for each in found.blocks[0] if each.opened and each.session.id == session_id)
        target = next(opened, None)
    if target is None:
        detail = "session_id: the block has no such session any more; choose another"
        raise RequestError("unknown_session", detail, field="session_id")
    sessions = put_student(edited.sessions, target, student_id)
    return make_step(edited, "move", sessions, student_id=student_id, block_id=block_id)


def put_student(sessions: Sequence[Session], target: Session, student_id: str) -> tuple[Session, ...]:
    """The sessions of a day with a student in one of them, and in no other of its block."""
    left = (
        replace(each, students=tuple(s for s in each.students if s != student_id))
        if each.block == target.block
        else each
        for each in sessions
        if each.id != target.id
    )
    joined = replace(target, students=tuple(sorted({*target.students, student_id})))
    return (*(each for each in left if each.students), joined)


def swap_students(edited: EditedDay, student_id: str, other_student_id: str, block_id: str) -> EditStep:
    """The step by which two students change places in a block, whether or not it keeps every rule.

    Raises:
        RequestError: One of them is not there, or both sit in one session or none.
    """
    _require_there(edited, "student_id", student_id, block_id)
    _require_there(edited, "other_student_id", other_student_id, block_id)
    here = [each for each in edited.sessions if each.block == block_id]
    homes = {each.id for each in here if student_id in each.students}
    others = {each.id for each in here if other_student_id in each.students}
    if not homes or not others or homes & others:
        detail = "other_student_id: only students of two sessions of the block can change places"
        raise RequestError("no_swap", detail, field="other_student_id")
    places = {student_id: other_student_id, other_student_id: student_id}
    sessions = [
        replace(each, students=tuple(sorted(places.get(student, student) for student in each.students)))
        if each.block == block_id
        else each
        for each in edited.sessions
    ]
    return make_step(
        edited, "swap", sessions, student_id=student_id, other_student_id=other_student_id, block_id=block_id
    )


def lock_session(edited: EditedDay, session_id: str, *, locked: bool) -> EditStep:
    """The step that locks an adult-led session for the next suggestion, or unlocks it.

    Raises:
        RequestError: The day has no such session.
    """
    session = require_session(edited, session_id, led=True)
    kept = edited.locked | {session_id} if locked else edited.locked - {session_id}
    action: Action = "lock" if locked else "unlock"
    return make_step(edited, action, edited.sessions, session_id=session_id, block_id=session.block, locked=kept)


def require_session(edited: EditedDay, session_id: str, field: str = "session_id", *, led: bool = False) -> Session:
    """The session of a day.

    Raises:
        RequestError: The day has no such session, or none that an adult leads where one is asked for.
    """
    found = next((each for each in edited.sessions if each.id == session_id and (each.led or not led)), None)
    if found is None:
        kind = "session with an adult" if led else "session"
        raise RequestError("unknown_session", f"{field}: the day has no such {kind} any more", field=field)
    return found


def _require_there(edited: EditedDay, field: str, student_id: str, block_id: str) -> None:
    if not any(student.id == student_id and block_id in student.blocks for student in edited.day.problem.students):
        raise RequestError("not_of_this_day", f"{field}: the student is not there in this block", field=field)
