"""The files of the planning commands: a day (`regroup-day`), and the sessions of a plan."""

import json
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from features.errors import InputError
from serving.grouping import Problem, ProblemError, Session

FORMAT = "regroup-day/3"

SESSION_FIELDS = frozenset(field.name for field in fields(Session))

PRIVATE = frozenset({"student", "first", "second", "other", "students", "adult_exclusions"})
"""Fields that hold ids of students; no message repeats their values."""

Path = tuple[str | int, ...]
Value = TypeVar("Value")


def write_instance(problem: Problem) -> str:
    """The file of a problem; equal problems have equal files."""
    document = {"format": FORMAT} | json.loads(problem.to_json())
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def pack_instance(canonical: str) -> str:
    """The instance in one line, as a database keeps it, from the canonical text of the problem."""
    return f'{{"format":"{FORMAT}",' + canonical.removeprefix("{")


def is_current(packed: str) -> bool:
    """Whether an instance that `pack_instance` wrote is of this version's format."""
    start = f'{{"format":"{FORMAT}",'
    return packed[: 2 * len(start)].replace(" ", "").startswith(start)  # an erasure writes it with blanks


def read_instance(text: str | bytes) -> Problem:
    """The problem of a file.

    Raises:
        InputError: The text is no JSON, is of another format, or a field is missing, unknown or wrong; it is named.

    Example:
        >>> read_instance('{"format": "regroup-day/9"}')
        Traceback (most recent call last):
        features.errors.InputError: format is 'regroup-day/9', not 'regroup-day/3'
    """
    document = _parse(text, "the instance")
    if not isinstance(document, dict):
        raise InputError(f"the instance is {type(document).__name__}, not an object with fields")
    if document.get("format") != FORMAT:
        raise InputError(f"format is {document.get('format')!r}, not {FORMAT!r}")
    del document["format"]
    problem = _validate(_problems(), document)
    unknown = next(_find_unknown(document, instance_schema()), None)
    if unknown is not None:
        raise InputError(f"{_describe(unknown)} is no field of {FORMAT}")
    return problem


def unpack_instance(packed: str) -> Problem:
    """The problem of an instance that `pack_instance` wrote, without a search for fields that are unknown.

    Raises:
        InputError: As `read_instance`.
    """
    try:
        return _problems().validate_json(packed)
    except (ValidationError, ProblemError):
        return read_instance(packed)  # which says what is wrong


@cache
def instance_schema() -> dict[str, Any]:
    """The JSON schema of the format."""
    schema = _problems().json_schema()
    schema["title"] = FORMAT
    schema["properties"] = {"format": {"const": FORMAT, "type": "string"}} | schema["properties"]
    schema["required"] = ["format", *schema["required"]]
    return schema


def read_plan(text: str | bytes) -> tuple[Session, ...]:
    """The sessions of a file; all else in it, such as the score of the plan before it was changed, is left aside.

    Raises:
        InputError: The text is no JSON, or a field of a session is missing, unknown or wrong; it is named.

    Example:
        >>> read_plan('{"sessions": [{"id": "g1"}]}')
        Traceback (most recent call last):
        features.errors.InputError: sessions[0].block: Field required
    """
    document = _parse(text, "the plan")
    if not isinstance(document, dict) or not isinstance(document.get("sessions"), list):
        raise InputError("the plan has no list of sessions; it must be an object with the field sessions")
    for index, session in enumerate(document["sessions"]):
        unknown = sorted(set(session) - SESSION_FIELDS) if isinstance(session, dict) else ()
        if unknown:
            right = ", ".join(sorted(SESSION_FIELDS))
            raise InputError(f"sessions[{index}].{unknown[0]} is no field of a session; {right} are")
    return _validate(_sessions(), document["sessions"], "sessions")


@cache
def _problems() -> TypeAdapter[Problem]:
    return TypeAdapter(Problem)


@cache
def _sessions() -> TypeAdapter[tuple[Session, ...]]:
    return TypeAdapter(tuple[Session, ...])


def _parse(text: str | bytes, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{name} is no JSON: {error}") from None


def _validate(adapter: TypeAdapter[Value], document: object, *where: str) -> Value:
    """The value that a part of a document stands for.

    Raises:
        InputError: A field is missing or wrong; it is named, and so is its value, except one that may name a student.
    """
    try:
        return adapter.validate_python(document, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        private = PRIVATE & set(first["loc"]) or isinstance(first["input"], dict)
        value = "" if private else f"; it is {first['input']!r}"
        raise InputError(f"{_describe((*where, *first['loc']))}: {first['msg']}{value}") from None
    except ProblemError as error:
        raise InputError(str(error)) from None


def _describe(path: Path) -> str:
    """The path of a field as it is written in code, such as `needs[3].skill`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the instance"


def _find_unknown(
    value: Any,  # noqa: ANN401 - whatever JSON holds
    schema: dict[str, Any],
    path: Path = (),
) -> Iterator[Path]:
    """Paths of fields that the schema does not have."""
    schema = instance_schema()["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    for option in schema.get("anyOf", ()):
        if "$ref" in option or option.get("type") in {"array", "object"}:
            yield from _find_unknown(value, option, path)
    if isinstance(value, dict) and "properties" in schema:
        for key, member in value.items():
            if key in schema["properties"]:
                yield from _find_unknown(member, schema["properties"][key], (*path, key))
            else:
                yield (*path, key)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, member in enumerate(value):
            yield from _find_unknown(member, schema["items"], (*path, index))
