"""The file of a plan, as `python -m serving plan --json` writes it: its sessions, whoever changed them since."""

import json
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from features.errors import InputError
from serving.grouping import Problem, ProblemError, Session, require_sessions

FORMAT = "regroup-day/2"


def write_instance(problem: Problem) -> str:
    """The file of a problem; equal problems have equal files."""
    told = {"format": FORMAT} | json.loads(problem.to_json())
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def pack_instance(canonical: str) -> str:
    """The instance in one line, as a database keeps it, from the canonical text of the problem."""
    return f'{{"format":"{FORMAT}",' + canonical.removeprefix("{")


def read_instance(text: str | bytes) -> Problem:
    """The problem of a file.

    Raises:
        InputError: The text is no JSON, is of another format, or a field is missing, unknown or wrong; it is named.

    Example:
        >>> read_instance('{"format": "regroup-day/9"}')
        Traceback (most recent call last):
        features.errors.InputError: format is 'regroup-day/9', not 'regroup-day/2'
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InputError(f"the instance is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise InputError(f"the instance is {type(given).__name__}, not an object with fields")
    if given.get("format") != FORMAT:
        raise InputError(f"format is {given.get('format')!r}, not {FORMAT!r}")
    del given["format"]
    try:
        problem = _adapter().validate_python(given, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        private = {"student", "first", "second", "students"} & set(first["loc"]) or isinstance(first["input"], dict)
        told = "" if private else f"; it is {first['input']!r}"
        raise InputError(f"{_path(first['loc'])}: {first['msg']}{told}") from None
    except ProblemError as error:
        raise InputError(str(error)) from None
    unknown = next(_unknown(given, instance_schema()), None)
    if unknown is not None:
        raise InputError(f"{_path(unknown)} is no field of {FORMAT}")
    return problem


@cache
def instance_schema() -> dict[str, Any]:
    """The JSON schema of the format."""
    schema = _adapter().json_schema()
    schema["title"] = FORMAT
    schema["properties"] = {"format": {"const": FORMAT, "type": "string"}} | schema["properties"]
    schema["required"] = ["format", *schema["required"]]
    return schema


@cache
def _adapter() -> TypeAdapter[Problem]:
    return TypeAdapter(Problem)


def _path(parts: tuple[str | int, ...]) -> str:
    """`needs[3].skill` of the parts of an address."""
    told = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return told.removeprefix(".") or "the instance"


def _unknown(
    given: Any,  # noqa: ANN401 - whatever JSON holds
    schema: dict[str, Any],
    at: tuple[str | int, ...] = (),
) -> Iterator[tuple[str | int, ...]]:
    """Addresses of fields that the schema does not have."""
    schema = instance_schema()["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    for each in schema.get("anyOf", ()):
        if "$ref" in each or each.get("type") in {"array", "object"}:
            yield from _unknown(given, each, at)
    if isinstance(given, dict) and "properties" in schema:
        for key, value in given.items():
            if key in schema["properties"]:
                yield from _unknown(value, schema["properties"][key], (*at, key))
            else:
                yield (*at, key)
    elif isinstance(given, list) and isinstance(schema.get("items"), dict):
        for place, value in enumerate(given):
            yield from _unknown(value, schema["items"], (*at, place))


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
        return _sessions_adapter().validate_python(given["sessions"], strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        hidden = "students" in first["loc"] or isinstance(first["input"], dict)
        told = "" if hidden else f"; it is {first['input']!r}"
        raise InputError(f"{_path(('sessions', *first['loc']))}: {first['msg']}{told}") from None


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
def _sessions_adapter() -> TypeAdapter[tuple[Session, ...]]:
    return TypeAdapter(tuple[Session, ...])


def plan_file(told: dict[str, Any]) -> str:
    """The text of a plan's file; whatever stands in it, `read_plan` finds its sessions."""
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
