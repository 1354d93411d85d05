"""Ids of events: the same response has the same id in every file, run and version of the libraries below."""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

SCORE_STEPS = 1_000_000
"""Scores that differ by less than a millionth are one score to an event's id."""

MARK = "\x1f"
"""Between the fields that are hashed."""


def event_ids(rows: pd.DataFrame, source: str) -> "pd.Series[str]":
    """32 hexadecimal digits per row: the same response has the same id in every file, run and version.

    It is the BLAKE2b hash of source, student and the source's own key; without a key, of source, student, time,
    place in the order, score, attempt, kind and item. The student's length is in it, so that no id can end in what
    looks like the next field.

    Example:
        >>> from features.logs.rows import raw_rows
        >>> event_ids(raw_rows({"student_id": "s1", "event_key": "e1"}, size=1), "app")[0]
        '7c4fe01989d793513a4c28d96686193c'
    """
    student, key = _text(rows["student_id"]), _text(rows["event_key"])
    who = [pa.scalar(source), _text(pc.utf8_length(student)), student]
    content = [
        pa.scalar("content"),
        _whole(pa.array(rows["occurred_at"].dt.tz_convert(None), pa.timestamp("us"), from_pandas=True)),
        _whole(rows["sequence"]),
        _whole(pa.array((rows["score"] * SCORE_STEPS).round(), pa.float64(), from_pandas=True)),
        _whole(rows["attempt"]),
        _text(rows["kind"]),
        _text(rows["item_id"]),
    ]
    by_key = [pa.scalar("key"), key]
    if key.null_count == len(key):
        texts = _join(*who, *content)
    elif key.null_count == 0:
        texts = _join(*who, *by_key)
    else:
        texts = pc.if_else(pc.is_null(key), _join(*who, *content), _join(*who, *by_key))
    ids: pd.Series[str] = _hash(texts).to_pandas().set_axis(rows.index)
    return ids


def copy_ids(ids: "pd.Series[str]", numbers: "pd.Series[int]") -> "pd.Series[str]":
    """The ids of further rows that are equal to a first: the hash of its id and of their number, from 1.

    Example:
        >>> copy_ids(pd.Series(["7c4f"]), pd.Series([1]))[0]
        '1cce5496055c9b303b917c968e364d56'
    """
    number = pa.array(numbers, pa.int64(), from_pandas=True)
    copies: pd.Series[str] = _hash(_join(_text(ids), pa.scalar("copy"), number)).to_pandas().set_axis(ids.index)
    return copies


def keyed_ids(source: str, student_ids: Sequence[str], keys: Sequence[str]) -> pa.Array:
    """The ids of the events that each of the students would have under each of the source's own keys.

    Example:
        >>> keyed_ids("app", ["s1"], ["e1"]).to_pylist()
        ['7c4fe01989d793513a4c28d96686193c']
    """
    student = pa.array(np.repeat(np.asarray(student_ids, dtype=object), len(keys)), pa.large_string())
    key = pa.array(np.tile(np.asarray(keys, dtype=object), len(student_ids)), pa.large_string())
    who = _join(pc.cast(pc.utf8_length(student), pa.string()), student)
    return _hash(_join(pa.scalar(source), who, _join(pa.scalar("key"), key)))


def statement_hash(source: str, key: str) -> str:
    """32 hexadecimal digits for the source's own id of an event, whoever the student is."""
    return blake2b(MARK.join((source, key)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _text(values: "pd.Series[str] | pa.Array") -> pa.Array:
    text = pa.array(values, from_pandas=True)
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    return text.cast(pa.large_string())


def _whole(values: "pd.Series[int] | pa.Array") -> pa.Array:
    """Whole numbers as text."""
    numbers = pa.array(values, from_pandas=True)
    return pa.scalar("") if numbers.null_count == len(numbers) else numbers.cast(pa.int64()).cast(pa.large_string())


def _join(*parts: pa.Array) -> pa.Array:
    as_large = (part.cast(pa.large_string()) for part in parts)
    return pc.binary_join_element_wise(*as_large, pa.scalar(MARK, pa.large_string()), null_handling="replace")


def _hash(texts: pa.Array) -> pa.Array:
    """The hash of each large string; the loop walks one buffer, since a Python string per row takes twice as long."""
    _, ends, text = texts.buffers()
    offsets = np.frombuffer(ends, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1].tolist()
    view = memoryview(text or b"")
    digests = b"".join(blake2b(view[start:end], digest_size=16).digest() for start, end in pairwise(offsets))
    width = 32 * np.arange(len(texts) + 1, dtype=np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(width), pa.py_buffer(digests.hex().encode()))
