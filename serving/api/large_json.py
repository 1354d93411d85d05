"""Reads large JSON so that other threads go on meanwhile.

Python's own reader holds the interpreter's lock until it is done, for 0.2 s where a body has 16 MB, and every request
of the process waits. Here it reads small values only, and what holds them is read one value at a time.
"""

import json
import re
from json import JSONDecodeError
from typing import Any

WINDOWS = 2**10, 2**14
"""Characters of arrays and objects that Python's own reader is given; larger ones are read value by value."""

DEEPEST = 16
"""Levels of arrays and objects that are larger than the last window."""

SPACE = re.compile(r"[ \t\n\r]*")

_read_value = json.JSONDecoder().raw_decode


class TooManyValuesError(ValueError):
    """The arrays and objects that are not small have more values than anybody needs."""


def read_json(text: str, most: int) -> Any:  # noqa: ANN401 - any JSON
    """Reads what `json.loads` reads, with equal results.

    Args:
        text: JSON.
        most: Values that the large arrays and objects may have; what small ones hold does not count.

    Raises:
        JSONDecodeError: The text is no JSON.
        RecursionError: Arrays or objects are nested too deeply.
        TooManyValuesError: There are more values than `most`.

    Example:
        >>> read_json('{"events": [{"score": 1}]}', most=10)
        {'events': [{'score': 1}]}
    """
    reader = _Reader(text, most)
    value, end = reader.read(reader.skip(0), 0)
    end = reader.skip(end)
    if end != len(text):
        raise JSONDecodeError("Extra data", text, end)
    return value


class _Reader:
    """A text, and how many more values of it may be read one at a time."""

    def __init__(self, text: str, most: int) -> None:
        self._text = text
        self._left = most

    def skip(self, at: int) -> int:
        """The place of the next character that is no space."""
        found = SPACE.match(self._text, at)
        assert found is not None, "the pattern matches nothing, too"
        return found.end()

    def read(self, at: int, depth: int) -> tuple[Any, int]:
        """The value at a place, and the place after it."""
        self._left -= 1
        if self._left < 0:
            raise TooManyValuesError
        opening = self._text[at : at + 1]
        if opening not in {"[", "{"}:
            return _read_value(self._text, at)
        for window in WINDOWS:
            try:
                value, length = _read_value(self._text[at : at + window])
            except JSONDecodeError:
                continue  # cut off, or wrong; if it is wrong, reading it value by value finds where
            return value, at + length
        if depth == DEEPEST:
            raise RecursionError
        return self._read_array(at + 1, depth) if opening == "[" else self._read_object(at + 1, depth)

    def _read_array(self, at: int, depth: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        at = self.skip(at)
        if self._text[at : at + 1] == "]":
            return values, at + 1
        while True:
            value, at = self.read(at, depth + 1)
            values.append(value)
            at = self.skip(at)
            mark = self._text[at : at + 1]
            if mark == "]":
                return values, at + 1
            if mark != ",":
                raise JSONDecodeError("Expecting ',' delimiter", self._text, at)
            at = self.skip(at + 1)

    def _read_object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        members: dict[str, Any] = {}
        at = self.skip(at)
        if self._text[at : at + 1] == "}":
            return members, at + 1
        while True:
            if self._text[at : at + 1] != '"':
                raise JSONDecodeError("Expecting property name enclosed in double quotes", self._text, at)
            name, at = _read_value(self._text, at)
            at = self.skip(at)
            if self._text[at : at + 1] != ":":
                raise JSONDecodeError("Expecting ':' delimiter", self._text, at)
            members[name], at = self.read(self.skip(at + 1), depth + 1)
            at = self.skip(at)
            mark = self._text[at : at + 1]
            if mark == "}":
                return members, at + 1
            if mark != ",":
                raise JSONDecodeError("Expecting ',' delimiter", self._text, at)
            at = self.skip(at + 1)
