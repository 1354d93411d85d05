"""JSON files as a stream of documents: one on each line, an array, or the envelope of a record store or of Caliper."""

import codecs
import json
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from json import JSONDecodeError
from pathlib import Path
from typing import TextIO

import msgspec

from features.errors import InputError
from features.logs.files.content import open_content

READ_AT_ONCE = 1024 * 1024
"""Characters of a file that are read at a time."""

LISTS = ("statements", "data")
"""Fields of envelopes that hold documents: of xAPI's statement results, and of Caliper's envelopes."""

UNREADABLE = object()
"""Stands for a line that is no JSON."""

MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

BETWEEN = {" ": 0, "\t": 0, "\r": 0, "\n": 0, ",": 0, "[": 1, "]": -1}
"""What may stand between the documents of an array, and by how much it opens one."""

_decode = json.JSONDecoder().raw_decode


def is_json(head: bytes) -> bool:
    """Whether the first bytes of a file are those of JSON objects or of an array."""
    return _decode_head(head).lstrip()[:1] in {"{", "["}


def read_documents(path: Path, decode: Callable[[str], object] = msgspec.json.decode) -> Iterator[object]:
    """The documents of a file, in order; `UNREADABLE` for a line that is none.

    Args:
        path: The file.
        decode: Reads a line that holds one document; may leave out what nobody needs, and refuse what is not usual,
            which is then read whole.

    Raises:
        InputError: The file cannot be read, or breaks off.
    """
    try:
        with open_content(path) as content:
            head = content.read(4)
            content.seek(0)
            encoding = next((name for mark, name in MARKS.items() if head.startswith(mark)), "utf-8")
            text = TextIOWrapper(content, encoding=encoding)
            first = text.readline()
            text.seek(0)
            lines = _is_document(first)
            for value in _read_lines(text, decode) if lines else _read_stream(text, path):
                if isinstance(value, dict) and "actor" in value:
                    yield value  # most
                else:
                    yield from unfold(value)
    except UnicodeError:
        raise InputError(f"{path.name} is not text in utf-8; right would be JSON in utf-8") from None
    except RecursionError:
        raise InputError(f"{path.name} is nested too deeply; right would be statements or events") from None


def unfold(value: object) -> Iterator[object]:
    """The documents in a value: itself, those of a list, or those of an envelope.

    Example:
        >>> list(unfold({"statements": [{"id": "a"}, {"id": "b"}], "more": ""}))
        [{'id': 'a'}, {'id': 'b'}]
    """
    if isinstance(value, list):
        for each in value:
            yield from unfold(each)
        return
    if isinstance(value, dict):
        for name in LISTS:
            inner = value.get(name)
            if isinstance(inner, list) and "actor" not in value:
                yield from inner
                return
    yield value


def _decode_head(head: bytes) -> str:
    encoding = next((name for mark, name in MARKS.items() if head.startswith(mark)), "utf-8")
    return head[:64].decode(encoding, "replace")


def _is_document(line: str) -> bool:
    """Whether a first line is a whole object, so that the file has one on each line."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _read_lines(text: TextIO, decode: Callable[[str], object]) -> Iterator[object]:
    for line in text:
        try:
            yield decode(line)
        except (ValueError, RecursionError):
            if line.strip():
                yield _read_slowly(line)


def _read_slowly(line: str) -> object:
    """A line that the fast reader refuses: it takes fewer texts for JSON than Python does, such as NaN."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return UNREADABLE


def _read_stream(text: TextIO, path: Path) -> Iterator[object]:
    """The values of an array one by one, or values that follow each other, whatever their line breaks."""
    buffer, at, wanted, depth = "", 0, READ_AT_ONCE, 0
    while True:
        while at < len(buffer) and buffer[at] in BETWEEN:
            depth += BETWEEN[buffer[at]]
            at += 1
        if at < len(buffer):
            try:
                value, at = _decode(buffer, at)
            except JSONDecodeError:
                pass  # cut off, or wrong: more of the file tells
            else:
                wanted = READ_AT_ONCE
                yield value
                continue
        more = text.read(wanted)
        if not more:
            if depth or buffer[at:]:
                raise InputError(f"{path.name} is damaged: it breaks off, or is no JSON; right would be a whole file")
            return
        buffer, at, wanted = buffer[at:] + more, 0, 2 * wanted  # so that one large envelope is tried a few times only
