"""The file of a plan, as `python -m serving plan --json` writes it: its sessions, whoever changed them since."""

import json
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from features.errors import InputError
from serving.grouping.changes.given import require_sessions
from serving.grouping.errors import ProblemError
from serving.grouping.plan import Session
from serving.grouping.problem import Problem

FIELDS = frozenset(field.name for field in fields(Session))


def read_plan(text: str | bytes) -> tuple[Session, ...]:
    """The sessions of a file; all else in it, such as the score of the plan before it was changed, is left aside.

    Raises:
        InputError: The text is no JSON, or a field of a session is missing, unknown or wrong; it is named.

    Example:
        >>> read_plan('{"sessions": [{"id": "g1"}]}')
        Traceback (most recent call last):
        features.errors.InputError: sessions[0].block: Field required
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InputError(f"the plan is no JSON: {error}") from None
    if not isinstance(given, dict) or not isinstance(given.get("sessions"), list):
        raise InputError("the plan has no list of sessions; it must be an object with the field sessions")
    for at, session in enumerate(given["sessions"]):
        unknown = sorted(set(session) - FIELDS) if isinstance(session, dict) else ()
        if unknown:
            raise InputError(f"sessions[{at}].{unknown[0]} is no field of a session; {', '.join(sorted(FIELDS))} are")
    try:
        return _adapter().validate_python(given["sessions"], strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        hidden = "students" in first["loc"] or isinstance(first["input"], dict)
        told = "" if hidden else f"; it is {first['input']!r}"
        raise InputError(f"{_path(first['loc'])}: {first['msg']}{told}") from None


def require_plan_of(problem: Problem, sessions: tuple[Session, ...]) -> None:
    """Refuses the sessions of another day.

    Raises:
        InputError: A session names what the problem does not have; the field is named.
    """
    try:
        require_sessions(problem, sessions)
    except ProblemError as error:
        raise InputError(str(error)) from None


@cache
def _adapter() -> TypeAdapter[tuple[Session, ...]]:
    return TypeAdapter(tuple[Session, ...])


def _path(parts: tuple[str | int, ...]) -> str:
    """`sessions[3].adults[0]` of the parts of an address."""
    return "sessions" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def plan_file(told: dict[str, Any]) -> str:
    """The text of a plan's file; whatever stands in it, `read_plan` finds its sessions."""
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
