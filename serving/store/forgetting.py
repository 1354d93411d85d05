"""Removes students from stored JSON by the fields of its schema, whatever other ids look like theirs.

The schema is a type: a body of `serving.schemas`, a dataclass of the planner, or a list of these. The fields of
students are those whose type is marked with `serving.grouping.STUDENT`.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from serving.grouping import STUDENT
from serving.schemas.common import NAMES_STUDENTS, NEEDED

FORGOTTEN = "A student whom this sentence was about was erased."
"""What a sentence says that named the student."""

Json = Any
Kind = Any  # a type, which may be a union or an annotated one


def forget_students(kind: Kind, document: Json, student_ids: Collection[str]) -> Json:
    """JSON without some students; JSON that does not name them is returned as it is.

    An object with the id of a student, such as a seat, a need or an absence, is removed from its list as a whole, and
    so is a pair. A list of ids loses the id. A rule or a session that is nothing without the student is removed too,
    and a sentence that may name the student is replaced.

    Args:
        kind: The type that the JSON is of.
        document: The parsed JSON.
        student_ids: Ids of the students.

    Example:
        >>> from serving.schemas.recommendations import DayRule
        >>> day = [{"kind": "pinned", "student_ids": ["14", "15"], "skill_id": "14"}]
        >>> forget_students(list[DayRule], day, ["14"])
        [{'kind': 'pinned', 'student_ids': ['15'], 'skill_id': '14'}]
        >>> forget_students(list[DayRule], day, ["14", "15"])
        []
    """
    schema = _read_schema(kind)
    return document if schema is None else schema.without(document, frozenset(student_ids))


def forget_in_text(kind: Kind, text: str, student_ids: Collection[str]) -> str:
    """The same for a text that holds JSON; one that names none of the students is returned as it is."""
    if not student_ids:
        return text
    document = json.loads(text)
    left = forget_students(kind, document, student_ids)
    return text if left is document else json.dumps(left, separators=(",", ":"))


class _Gone(Enum):
    """Stands for a value that has to be removed from what holds it."""

    GONE = "gone"


class _Schema(Protocol):
    """A type whose values name students."""

    def without(self, value: Json, gone: frozenset[str]) -> Json:
        """The value without students; the same object where it names none of them."""
        ...

    def takes(self, value: Json) -> bool:
        """Whether the value is of this type, as far as JSON tells."""
        ...


@dataclass(frozen=True)
class _Student:
    """The id of a student."""

    def without(self, value: Json, gone: frozenset[str]) -> Json:
        return _Gone.GONE if value in gone else value

    def takes(self, value: Json) -> bool:
        return isinstance(value, str)


@dataclass(frozen=True)
class _Many:
    """A list whose elements are removed one by one."""

    element: _Schema

    def without(self, value: Json, gone: frozenset[str]) -> Json:
        kept = [left for each in value if (left := self.element.without(each, gone)) is not _Gone.GONE]
        same = len(kept) == len(value) and all(left is each for left, each in zip(kept, value, strict=True))
        return value if same else kept

    def takes(self, value: Json) -> bool:
        return isinstance(value, list)


@dataclass(frozen=True)
class _Few:
    """A fixed number of values, such as a pair, that are removed together."""

    elements: tuple[_Schema | None, ...]

    def without(self, value: Json, gone: frozenset[str]) -> Json:
        for element, each in zip(self.elements, value, strict=True):
            if element is not None and element.without(each, gone) is _Gone.GONE:
                return _Gone.GONE
        return value

    def takes(self, value: Json) -> bool:
        return isinstance(value, list)


@dataclass(frozen=True)
class _OneOf:
    """Any of several types."""

    options: tuple[_Schema, ...]

    def without(self, value: Json, gone: frozenset[str]) -> Json:
        option = next((option for option in self.options if option.takes(value)), None)
        return value if option is None else option.without(value, gone)

    def takes(self, value: Json) -> bool:
        return any(option.takes(value) for option in self.options)


@dataclass(frozen=True, eq=False)
class _Object:
    """An object, which is removed with the student whom it is about.

    Attributes:
        kind: Its type.
        fields: The fields that name students.
        needed: Those of them that must not become empty.
        sentences: Texts that may name students of its lists.
    """

    kind: Kind
    fields: Mapping[str, _Schema]
    needed: frozenset[str]
    sentences: frozenset[str]

    def without(self, value: Json, gone: frozenset[str]) -> Json:
        changed: dict[str, Json] = {}
        for name, schema in self.fields.items():
            old = value.get(name)
            new = None if old is None else schema.without(old, gone)
            if new is _Gone.GONE or (name in self.needed and old and not new):
                return _Gone.GONE
            if new is not old:
                changed[name] = new
        if not changed:
            return value
        left = value | changed
        if any(self._lists_ids(name) for name in changed):
            left |= {name: FORGOTTEN for name in self.sentences if value.get(name)}
            if self._allows(value) and not self._allows(left):
                return _Gone.GONE  # such as a rule for two students
        return left

    def takes(self, value: Json) -> bool:
        return isinstance(value, dict)

    def _lists_ids(self, name: str) -> bool:
        schema = self.fields[name]
        return isinstance(schema, _Many) and isinstance(schema.element, _Student)

    def _allows(self, value: Json) -> bool:
        try:
            TypeAdapter(self.kind).validate_python(value)
        except ValidationError:
            return False
        return True


@cache
def _read_schema(kind: Kind) -> _Schema | None:
    """How values of a type name students; None where they name none."""
    origin: Any = get_origin(kind)
    parts = get_args(kind)
    if origin is Annotated:
        return _Student() if STUDENT in parts[1:] else _read_schema(parts[0])
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, BaseModel)):
        return _read_object(kind)
    schemas = [None if part in (NoneType, Ellipsis) else _read_schema(part) for part in parts]
    found = tuple(schema for schema in schemas if schema is not None)
    if not found:
        return None
    if origin in (Union, UnionType):
        return found[0] if len(found) == 1 else _OneOf(found)
    if origin is tuple and Ellipsis not in parts:
        return _Few(tuple(schemas))
    if origin in (list, tuple, frozenset):
        return _Many(found[0])
    raise TypeError(f"{kind} names students where they are not looked for; make it a list")


def _read_object(kind: Kind) -> _Schema | None:
    hints = get_type_hints(kind, include_extras=True)
    fields = {name: schema for name, hint in hints.items() if (schema := _read_schema(hint)) is not None}

    def marked(mark: str) -> frozenset[str]:
        return frozenset(name for name, hint in hints.items() if mark in getattr(hint, "__metadata__", ()))

    return _Object(kind, fields, marked(NEEDED), marked(NAMES_STUDENTS)) if fields else None
