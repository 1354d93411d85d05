"""Raw rows: the shape that every reader hands on, before any rule is checked."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa

from features.errors import InputError
from features.logs.cells import Marks
from features.logs.files.table_file import TableFile, read_cells
from features.logs.moments import UTC

RAW_TYPES: dict[str, object] = {
    "student_id": "str",
    "kind": "str",
    "occurred_at": UTC,
    "sequence": pd.Int64Dtype(),
    "item_id": "str",
    "score": "float64",
    "correct": pd.BooleanDtype(),
    "attempt": pd.Int64Dtype(),
    "hints": pd.Int64Dtype(),
    "duration_s": "float64",
    "event_key": "str",
    "skills": "str",
    "unused": "str",
    "rejected": "str",
}
"""Columns and types of a raw row.

Columns of `features.schema.Events` mean the same here. The others are null where they do not apply:
`event_key` is the source's own id of the response, `skills` all skills of the row joined by `SKILL_MARK` in any order,
`unused` the kind of a row that is no event, `rejected` the rule that the reader already found broken.
"""

SKILL_MARK = "\x1f"
"""Between the skills of one row: ASCII's unit separator, which no skill's name contains."""

VOIDING, VOIDED = "voiding statement", "voided statement"
"""Kinds of unused rows: statements that take another back, whose id is their `event_key`, and those taken back."""

ITEM_MARK = " :: "
"""Between the parts of an item's id, such as problem and step."""

OPEN = ("copies", "retries")
"""What a log may leave open: whether equal rows are one answer or several, and which answers are retries."""

Cells = Mapping[str, pa.Array]
"""One chunk of a file: an array per name that the reader asked for."""


@dataclass(frozen=True)
class Log:
    """A log file that is ready to be read.

    Attributes:
        source: The `source` of its events.
        table: The file.
        positions: The column's position in the file by the name that `convert` uses.
        convert: Turns cells into raw columns; columns left out are null.
        notes: What was assumed, in sentences for whoever loads the file; reading may add to it.
        leaves_open: What it does not say, of `OPEN`.
    """

    source: str
    table: TableFile
    positions: Mapping[str, int]
    convert: Callable[[Cells], Mapping[str, object]]
    notes: list[str] = field(default_factory=list)
    leaves_open: tuple[str, ...] = ()

    @property
    def expected_chunks(self) -> int | None:
        """How many chunks reading will yield, roughly."""
        return self.table.expected_chunks

    def chunks(self) -> Iterator[pd.DataFrame]:
        """The raw rows, a few hundred thousand at a time.

        Raises:
            InputError: The file is damaged, not in its encoding, or has columns of lists or records.
        """
        distinct = sorted(set(self.positions.values()))
        for chunk in read_cells(self.table, distinct):
            cells = {name: chunk.cells[distinct.index(place)] for name, place in self.positions.items()}
            size = len(chunk.cells[0])
            if size:
                try:
                    columns = self.convert(cells)
                    yield raw_rows(columns, len(cast("Sequence[object]", columns["student_id"])))
                except pa.ArrowException:
                    types = ", ".join(f"{name}: {cell.type}" for name, cell in cells.items())
                    raise InputError(f"{self.table.path.name} has columns of other types ({types})") from None
            if chunk.broken_lines:
                yield raw_rows({"rejected": "wrong_number_of_cells"}, chunk.broken_lines)
            if chunk.text_lines:
                yield raw_rows({"unused": "text_line"}, chunk.text_lines)


def raw_rows(columns: Mapping[str, object], size: int) -> pd.DataFrame:
    """A table in the shape of `RAW_TYPES`; columns left out are null.

    Example:
        >>> raw_rows({"student_id": ["s1"]}, size=1)["score"].isna().tolist()
        [True]
    """
    index = pd.RangeIndex(size)
    of_name = {
        name: pd.Series(_plain(columns.get(name), kind, size), index=index, dtype=kind)  # type: ignore[call-overload]
        for name, kind in RAW_TYPES.items()
    }
    return pd.DataFrame(of_name, index=index, copy=False)


def first_rule(size: int, rules: Mapping[str, Marks]) -> "pd.Series[str]":
    """The first rule that a row breaks, in the order of `rules`; null for a good row.

    Example:
        >>> first_rule(2, {"bad_hints": np.array([True, False])}).isna().tolist()
        [False, True]
    """
    broken = np.zeros(size, dtype=np.int64)
    for code, marks in reversed(list(enumerate(rules.values(), start=1))):
        broken[marks] = code
    if not broken.any():
        none: pd.Series[str] = pa.nulls(size, pa.large_string()).to_pandas()
        return none
    names = pd.array([None, *rules], dtype="str")
    return pd.Series(names.take(broken))


def _plain(values: object, kind: object, size: int) -> object:
    if values is None and kind == "str":
        values = pa.nulls(size, pa.large_string())  # a hundred times as fast as nothing is
    return values.to_pandas() if isinstance(values, pa.Array) else values


def join_skills(texts: "Iterable[str | float | None]") -> str | None:
    r"""The skills of all texts, each once, sorted and joined by `SKILL_MARK`; null without any.

    Example:
        >>> join_skills(["b\x1fa", None, "b"])
        'a\x1fb'
    """
    skills = {skill for text in texts if isinstance(text, str) for skill in text.split(SKILL_MARK)}
    return SKILL_MARK.join(sorted(skills - {""})) or None


def unite_skills(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per event, the first, with the skills that any of its rows names.

    Args:
        rows: Rows with at least `event_id` and `skills`; the same event may come several times.
    """
    again = rows["event_id"].duplicated(keep=False)
    if not again.any():
        return rows
    of_event = rows[again].groupby("event_id")["skills"].agg(join_skills)
    once = rows[~rows["event_id"].duplicated()]
    united = once["event_id"].map(of_event).astype("str")
    return once.assign(skills=once["skills"].where(~again[once.index], united))


def split_skills(rows: pd.DataFrame) -> pd.DataFrame:
    r"""The distinct pairs of item and skill in rows that name several skills, sorted.

    Example:
        >>> split_skills(pd.DataFrame({"item_id": ["i"], "skills": ["b\x1fa"]})).to_numpy().tolist()
        [['i', 'a'], ['i', 'b']]
    """
    pairs = rows.dropna().drop_duplicates().rename(columns={"skills": "skill_id"})
    if pairs["skill_id"].str.contains(SKILL_MARK, regex=False).any():  # mostly none has several
        pairs = pairs.assign(skill_id=pairs["skill_id"].str.split(SKILL_MARK)).explode("skill_id")
    pairs = pairs[pairs["skill_id"] != ""].astype({"skill_id": "str"})[["item_id", "skill_id"]]
    return pairs.drop_duplicates().sort_values(["item_id", "skill_id"], ignore_index=True)
