"""Holds sessions that a person gives against the problem: every id known, every session with a meaning."""

from collections.abc import Sequence

from serving.grouping.errors import ProblemError
from serving.grouping.plan import Session
from serving.grouping.problem import Problem
from serving.grouping.validation import require_known, require_unique


def require_sessions(problem: Problem, sessions: Sequence[Session]) -> None:
    """Refuses sessions of which a rule or a term could not say anything.

    Raises:
        ProblemError: an id is unknown or repeated, a led session lacks its skill or adult, or an online one has a
            skill; the field is named as a path, such as `sessions[3].skill`.
    """
    known = {
        "block": {block.id for block in problem.blocks},
        "adult": {adult.id for adult in problem.adults},
        "student": {student.id for student in problem.students},
        "skill": {skill.id for skill in problem.skills},
        "room": {room.id for room in problem.rooms or ()},
    }
    require_unique("sessions.id", (session.id for session in sessions))
    for at, session in enumerate(sessions):
        path = f"sessions[{at}]"
        require_known(f"{path}.block", session.block, known["block"], "blocks")
        for each, adult in enumerate(session.adults):
            require_known(f"{path}.adults[{each}]", adult, known["adult"], "adults")
        for each, student in enumerate(session.students):
            require_known(f"{path}.students[{each}]", student, known["student"], "students")
        if session.room is not None:
            require_known(f"{path}.room", session.room, known["room"], "rooms")
        if session.skill is not None:
            require_known(f"{path}.skill", session.skill, known["skill"], "skills")
        if session.led and session.skill is None:
            raise ProblemError(f"{path}.skill", None, "the id of a skill, since an adult leads the session")
        if session.led and not session.adults:
            raise ProblemError(f"{path}.adults", (), "at least one adult, since the session is led")
        if not session.led and session.skill is not None:
            raise ProblemError(f"{path}.skill", session.skill, "null, since the session is online")
