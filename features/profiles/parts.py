"""Parts of saved state: a whole one, and what later nights changed of it, row by row.

A student who answers ten questions of a day changes one row of their own, and one for each item and skill among these;
the hundreds of others stay as they were written once. Rows of items, which are most of a state, say in changes how many
answers came, so that a night needs none of the earlier ones.
"""

import io
import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any, BinaryIO, Self

import numba as nb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.arrays import pack_arrays, read_arrays
from features.profiles.kernel import Item, Student
from features.profiles.state import Codes, Floats, Offsets, State
from features.profiles.vocabulary import Vocabulary

NODE_CODES = [Student.STINT_NODE, Student.PREVIOUS_NODE]
"""Columns of a student's row that hold the code of a node; -1 for none."""

OF_ITEMS = ("item", "item_start", "item_code")
"""Members of a state that hold the rows of items."""

COUNTED = Item.RESPONSES + 1
"""As many columns, the first ones of an item's row, are counts: changes hold what is added to them."""


@dataclass(frozen=True)
class Known:
    """How many items and nodes every part of a publication numbers alike: those that the models were trained with.

    Later ones are numbered anew with every night, by name; so a part holds the names of those that occur in it.

    Attributes:
        items: Items of the trained statistics.
        nodes: Their nodes.
    """

    items: int
    nodes: int

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Self:
        """Those of the trained statistics' vocabulary."""
        return cls(len(vocabulary.items), len(vocabulary.nodes))


def write_part(state: State, vocabulary: Vocabulary, known: Known) -> bytes:
    """The state as packed arrays, with the names of the items and nodes that come after the known ones.

    Args:
        state: Its codes are those of the vocabulary.
        vocabulary: Begins with the known items and nodes.
        known: How many these are.
    """
    return pack_arrays(_list_arrays(state, vocabulary, known))


def _list_arrays(state: State, vocabulary: Vocabulary, known: Known) -> dict[str, npt.NDArray[Any]]:
    items = np.unique(np.concatenate([state.item_code, _codes(state.student[:, [Student.LAST_ITEM]])]))
    nodes = np.unique(np.concatenate([state.skill_node, _codes(state.student[:, NODE_CODES])]))
    items, nodes = items[items >= known.items], nodes[nodes >= known.nodes]
    item_of, node_of = _number(vocabulary.items, known.items, items), _number(vocabulary.nodes, known.nodes, nodes)
    own = recode_state(state, item_of, node_of)
    names = {"items": vocabulary.items[items], "nodes": vocabulary.nodes[nodes], "students": pd.Index(state.students)}
    texts = {name: np.frombuffer(_join(values), np.uint8) for name, values in names.items()}
    rows = {field.name: getattr(own, field.name) for field in fields(own) if field.name != "students"}
    return {"known": np.array([known.items, known.nodes]), **texts, **rows}


def read_part(file: Path | BinaryIO, vocabulary: Vocabulary, *, items: bool = True) -> State:
    """The state that `write_part` wrote, in the codes of a vocabulary that begins with the same known items and nodes.

    Args:
        file: The file; of one on disk, only what is asked for is read.
        vocabulary: The vocabulary.
        items: Whether rows of items, most of a state, are read; without them nobody has any.

    Raises:
        KeyError: The vocabulary lacks an item or a node of the state.
        ValueError: This is no such file.
    """
    with file.open("rb") if isinstance(file, Path) else nullcontext(file) as opened:
        arrays: dict[str, Any] = read_arrays(opened, () if items else OF_ITEMS)
    known_items, known_nodes = (int(count) for count in arrays.pop("known"))
    item_of = _find(vocabulary.items, known_items, _split(arrays.pop("items")))
    node_of = _find(vocabulary.nodes, known_nodes, _split(arrays.pop("nodes")))
    students = np.array(_split(arrays.pop("students")), object)
    if not items:
        nothing = State.empty()
        arrays |= {name: getattr(nothing, name) for name in OF_ITEMS}
        arrays["item_start"] = np.zeros(len(students) + 1, np.int64)
    return recode_state(State(students=students, **arrays), item_of, node_of)


def read_students(content: bytes) -> list[str]:
    """The ids of the students of a part, or of the state that `State.save` wrote.

    Raises:
        ValueError: This is no such file.
    """
    others = [field.name for field in fields(State) if field.name != "students"]
    students = read_arrays(io.BytesIO(content), others)["students"]
    return _split(students) if students.dtype == np.uint8 else students.tolist()


def recode_state(state: State, item_of: Codes, node_of: Codes) -> State:
    """The state with other codes: those that the arrays hold at the old ones."""
    if _is_same(item_of) and _is_same(node_of):
        return state
    student = state.student.copy()
    for columns, code_of in (([Student.LAST_ITEM], item_of), (NODE_CODES, node_of)):
        codes = student[:, columns].astype(np.int64)
        student[:, columns] = np.where(codes < 0, -1, np.append(code_of, -1)[codes])
    return replace(state, student=student, item_code=item_of[state.item_code], skill_node=node_of[state.skill_node])


def find_changes(before: State, after: State) -> State:
    """The rows of skills that differ from those of an earlier state, or that it has beyond them, and all of items.

    Args:
        before: Has no rows of items. Its students are the first ones of `after`, in the same order, and their rows of
            skills the first of theirs.
        after: What came of folding events into `before`.
    """
    owner = np.repeat(np.arange(len(before.students)), np.diff(before.skill_start))
    at = np.arange(len(before.skill)) + (after.skill_start[:-1][owner] - before.skill_start[:-1][owner])
    changed = np.ones(len(after.skill), bool)
    changed[at] = (after.skill[at].view(np.int64) != before.skill.view(np.int64)).any(axis=1)
    of_each = np.diff(after.skill_start)
    count = np.add.reduceat(np.append(changed, False), after.skill_start, dtype=np.int64)[:-1] * (of_each > 0)
    return replace(after, skill=after.skill[changed], skill_node=after.skill_node[changed], skill_start=_offsets(count))


def join_parts(parts: Sequence[State], counted: int = COUNTED) -> State:
    """The state that a whole part and its later changes make, by student id.

    Args:
        parts: The whole one first, the changes in the order of their nights.
        counted: How many columns of items are counts that add up, and do not replace those of before.
    """
    update = partial(_update, counted=counted)
    changes = reduce(update, parts[2:], parts[1]) if len(parts) > 1 else None
    state = parts[0] if changes is None else update(parts[0], changes)
    return state.take(np.argsort(state.students))


def _update(state: State, changes: State, counted: int) -> State:
    """The state with rows that were changed in their place, and further ones after those of the same student."""
    new = sorted(set(changes.students).difference(state.students))
    students = np.append(state.students, np.array(new, object))
    place = pd.Index(students).get_indexer(pd.Index(changes.students))
    student = np.empty((len(students), state.student.shape[1]))
    student[: len(state.student)] = state.student
    student[place] = changes.student
    at = np.full(len(students), -1)
    at[place] = np.arange(len(place))
    parts: dict[str, Any] = {}
    for rows, start, code, adds in (("skill", "skill_start", "skill_node", 0), (*OF_ITEMS, counted)):
        old = getattr(state, start), getattr(state, code), getattr(state, rows)
        more = getattr(changes, start), getattr(changes, code), getattr(changes, rows)
        codes = 1 + int(max(old[1].max(initial=0), more[1].max(initial=0)))
        parts |= dict(zip((start, code, rows), _update_rows(*old, at, *more, codes, adds), strict=True))
    return State(students, student, **parts)


@nb.njit(cache=True, error_model="numpy")
def _update_rows(  # type: ignore[no-untyped-def]  # noqa: ANN202, C901 - numba infers types, and inlines nothing
    old_start, old_code, old_row, at, new_start, new_code, new_row, codes, adds,  # noqa: ANN001
):  # fmt: skip
    """Rows of students by code, changed ones in the place of old ones; `at` is where a student's changes are.

    The first columns, as many as `adds`, are counts that are added up.
    """
    students, width = len(at), old_row.shape[1]
    start = np.empty(students + 1, np.int64)
    code = np.empty(len(old_code) + len(new_code), np.int32)
    out = np.empty((len(code), width))
    row_of = np.empty(codes, np.int64)
    owner_of = np.full(codes, -1, np.int64)
    used = 0
    for who in range(students):
        start[who] = used
        if who < len(old_start) - 1:
            for row in range(old_start[who], old_start[who + 1]):
                if at[who] >= 0:
                    row_of[old_code[row]] = used
                    owner_of[old_code[row]] = who
                code[used] = old_code[row]
                for column in range(width):
                    out[used, column] = old_row[row, column]
                used += 1
        if at[who] >= 0:
            for row in range(new_start[at[who]], new_start[at[who] + 1]):
                place, added = used, 0
                if owner_of[new_code[row]] == who:
                    place, added = row_of[new_code[row]], adds
                else:
                    code[used] = new_code[row]
                    used += 1
                for column in range(added):
                    out[place, column] += new_row[row, column]
                for column in range(added, width):
                    out[place, column] = new_row[row, column]
    start[students] = used
    return start, code[:used], out[:used]


def _codes(values: Floats) -> Codes:
    return values.astype(np.int32).ravel()


def _number(names: "pd.Index[str]", known: int, used: Codes) -> Codes:
    """New codes by old ones: those that are used follow the known ones without a gap."""
    code_of = np.arange(len(names), dtype=np.int32)
    code_of[known:] = -1
    code_of[used] = known + np.arange(len(used))
    return code_of


def _find(names: "pd.Index[str]", known: int, later: list[str]) -> Codes:
    found = names.get_indexer(pd.Index(later, dtype="str"))
    if (found < 0).any() or known > len(names):
        raise KeyError("the state names an item or a skill that the statistics lack")
    return np.concatenate([np.arange(known), found]).astype(np.int32)


def _is_same(code_of: npt.NDArray[np.int32]) -> bool:
    return bool((code_of == np.arange(len(code_of))).all())


def _offsets(counts: Offsets) -> Offsets:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _join(names: "pd.Index[str]") -> bytes:
    return json.dumps(names.tolist(), ensure_ascii=False).encode()


def _split(content: npt.NDArray[np.uint8]) -> list[str]:
    names: list[str] = json.loads(content.tobytes())
    return names
