"""Steps about whole sessions: another adult, skill or room; split and merge; what the team wants of one."""

from collections.abc import Collection
from dataclasses import replace

from serving.errors import RequestError
from serving.grouping import Problem, Session, SessionType
from serving.plans.edits.edited_day import EditedDay
from serving.plans.edits.steps import make_step, require_session
from serving.schemas.edits import EditStep

TYPES = (SessionType.SMALL_GROUP, SessionType.TUTORING, SessionType.COLLABORATIVE)
"""Types of session with an adult, in the order in which one is looked for."""


def change_session(
    edited: EditedDay,
    session_id: str,
    *,
    adult: str | None = None,
    skill: str | None = None,
    room: str | None = None,
) -> EditStep:
    """The step that gives a session another adult, skill or room, whether or not it keeps every rule.

    An adult or room that another session of the block has is exchanged with it, so that none is in two places.

    Raises:
        RequestError: The day has no such session, adult, skill or room.
    """
    session = require_session(edited, session_id)
    problem = edited.day.problem
    _require_known("staff_id", adult, {each.id for each in problem.adults})
    _require_known("skill_id", skill, {each.id for each in problem.skills})
    _require_known("room_id", room, {each.id for each in problem.rooms or ()})
    changed = {session.id: session}
    for other in edited.sessions:
        if other.block != session.block or other.id == session.id:
            continue
        adults, place = other.adults, other.room
        if adult is not None and adult in adults and session.adults:
            adults = tuple(dict.fromkeys(session.adults[0] if each == adult else each for each in adults))
        if room is not None and room == place:
            place = session.room
        changed[other.id] = replace(other, adults=adults, room=place)
    if adult is not None:
        others = [each for each in session.adults[1:] if each != adult]
        session = replace(session, adults=(adult, *others))
    if skill is not None and session.led:
        session = replace(session, skill=skill)
    if room is not None:
        session = replace(session, room=room)
    changed[session.id] = _fit_type(problem, session)
    sessions = [changed.get(each.id, each) for each in edited.sessions]
    return make_step(edited, "change", sessions, session_id=session.id, block_id=session.block)


def split_session(
    edited: EditedDay, session_id: str, student_ids: Collection[str], adult: str, skill: str | None, room: str | None
) -> EditStep:
    """The step that gives some students of a session one of their own, with another adult.

    Args:
        edited: The day.
        session_id: The session that is split.
        student_ids: Those who leave it.
        adult: Who leads the new session.
        skill: What it is about; null: what the old one is.
        room: Where it is; null: where the team plans no rooms.

    Raises:
        RequestError: The day has no such session, adult, skill or room; nobody leaves, or nobody stays.
    """
    session = require_session(edited, session_id)
    problem = edited.day.problem
    _require_known("staff_id", adult, {each.id for each in problem.adults})
    _require_known("skill_id", skill, {each.id for each in problem.skills})
    _require_known("room_id", room, {each.id for each in problem.rooms or ()})
    leaving = set(student_ids)
    if not leaving or not leaving < set(session.students):
        detail = "student_id: tick those who go into the new group; at least one goes and one stays"
        raise RequestError("no_split", detail, field="student_id")
    about = skill or session.skill
    if about is None:
        raise RequestError("no_split", "skill_id: choose what the new group works on", field="skill_id")
    taken = {each.id for each in edited.sessions}
    name = next(name for at in range(1, len(taken) + 2) if (name := f"{session.block}-split-{at}") not in taken)
    stay = tuple(student for student in session.students if student not in leaving)
    left = replace(session, students=stay)
    new = Session(name, session.block, TYPES[0], about, (adult,), room, tuple(sorted(leaving)))
    sessions = [_fit_type(problem, left) if each.id == session.id else each for each in edited.sessions]
    return make_step(
        edited, "split", [*sessions, _fit_type(problem, new)], session_id=session.id, block_id=session.block
    )


def merge_sessions(edited: EditedDay, session_id: str, into_id: str) -> EditStep:
    """The step by which the students of a session join another one of the block, and its own ends.

    Raises:
        RequestError: The block has no such two sessions.
    """
    session, into = require_session(edited, session_id), require_session(edited, into_id, "into_id")
    if session.id == into.id or session.block != into.block:
        raise RequestError("no_merge", "into_id: choose another session of the same block", field="into_id")
    joined = _fit_type(edited.day.problem, replace(into, students=tuple(sorted({*into.students, *session.students}))))
    sessions = [joined if each.id == into.id else each for each in edited.sessions if each.id != session.id]
    return make_step(edited, "merge", sessions, session_id=into.id, block_id=into.block)


def set_aim(edited: EditedDay, session_id: str, aim: str | None) -> EditStep:
    """The step that writes down what the team wants of a session; null takes it away.

    Raises:
        RequestError: The day has no such session.
    """
    session = require_session(edited, session_id)
    aims = {name: text for name, text in edited.aims.items() if name != session_id}
    if aim:
        aims[session_id] = aim
    return make_step(edited, "aim", edited.sessions, aims=aims, session_id=session_id, block_id=session.block)


def _fit_type(problem: Problem, session: Session) -> Session:
    """The session with the first type whose size fits and that its lead may lead; with its own where none does."""
    if not session.led or not session.adults:
        return session
    may = next((adult.session_types for adult in problem.adults if adult.id == session.adults[0]), frozenset())
    bounds = {bound.session_type: bound for bound in problem.sizes}
    for kind in (session.session_type, *TYPES):
        bound = bounds.get(kind)
        if kind in may and bound and bound.least <= len(session.students) <= bound.most * bound.tables:
            return replace(session, session_type=kind)
    return session


def _require_known(field: str, value: str | None, known: Collection[str]) -> None:
    if value is not None and value not in known:
        raise RequestError("not_of_this_day", f"{field}: the day has no {value!r}; choose another", field=field)
