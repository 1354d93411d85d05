"""The kernel's state of all students, in memory and on disk."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

from features.profiles.kernel import Item, Skill, Student

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]
Ids = npt.NDArray[np.object_]


@dataclass(frozen=True)
class State:
    """What the kernel keeps of every student; nothing else is needed to fold later events.

    Attributes:
        students: Student ids.
        student: One row per student, columns `kernel.Student`.
        skill_start: Where each student's skills begin; one longer than `students`.
        skill_node: Skill node of each row of `skill`.
        skill: One row per student and practiced node, columns `kernel.Skill`.
        item_start: Where each student's items begin; one longer than `students`.
        item_code: Item of each row of `item`.
        item: One row per student and answered item, columns `kernel.Item`.
    """

    students: Ids
    student: Floats
    skill_start: Offsets
    skill_node: Codes
    skill: Floats
    item_start: Offsets
    item_code: Codes
    item: Floats

    @classmethod
    def empty(cls) -> Self:
        """The state before the first event of the first student."""
        none, start = np.empty(0, np.int32), np.zeros(1, np.int64)
        rows = [np.empty((0, len(kind))) for kind in (Student, Skill, Item)]
        return cls(np.empty(0, object), rows[0], start, none, rows[1], start, none, rows[2])

    def take(self, positions: Offsets) -> Self:
        """The state of the students at some positions of `students`, in that order."""
        skills, skill_start = _slices(self.skill_start, positions)
        items, item_start = _slices(self.item_start, positions)
        return type(self)(
            self.students[positions], self.student[positions],
            skill_start, self.skill_node[skills], self.skill[skills],
            item_start, self.item_code[items], self.item[items],
        )  # fmt: skip

    def split(self) -> list[Self]:
        """The state of each student by itself, which shares no memory with that of others."""
        skills, items = self.skill_start.tolist(), self.item_start.tolist()
        return [
            type(self)(
                self.students[at : at + 1].copy(), self.student[at : at + 1].copy(),
                np.array([0, skill_end - skill]), self.skill_node[skill:skill_end].copy(),
                self.skill[skill:skill_end].copy(),
                np.array([0, item_end - item]), self.item_code[item:item_end].copy(), self.item[item:item_end].copy(),
            )
            for at, (skill, skill_end, item, item_end) in enumerate(
                zip(skills[:-1], skills[1:], items[:-1], items[1:], strict=True)
            )
        ]  # fmt: skip

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """The state of the students of all parts, part by part; no student is in two."""
        parts = parts or [cls.empty()]
        return cls(
            np.concatenate([part.students for part in parts]),
            np.concatenate([part.student for part in parts]),
            _join_starts([part.skill_start for part in parts]),
            np.concatenate([part.skill_node for part in parts]),
            np.concatenate([part.skill for part in parts]),
            _join_starts([part.item_start for part in parts]),
            np.concatenate([part.item_code for part in parts]),
            np.concatenate([part.item for part in parts]),
        )

    def save(self, path: Path) -> None:
        """Writes the state as plain arrays; its codes are those of the statistics' vocabulary."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "students"}
        np.savez(path, students=np.array(self.students, dtype="U"), **arrays)

    @classmethod
    def load(cls, file: Path | BinaryIO) -> Self:
        """The state that `save` wrote."""
        with np.load(file, allow_pickle=False) as stored:
            arrays = {field.name: stored[field.name] for field in fields(cls) if field.name != "students"}
            return cls(students=stored["students"].astype(object), **arrays)


def _slices(start: Offsets, positions: Offsets) -> tuple[Offsets, Offsets]:
    """The rows of the parts at some positions, part by part, and where each part then begins."""
    counts = (start[1:] - start[:-1])[positions]
    begins = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    rows = np.arange(begins[-1]) + np.repeat(start[positions] - begins[:-1], counts)
    return rows.astype(np.int64), begins


def _join_starts(starts: Sequence[Offsets]) -> Offsets:
    """Where each row's part begins after the parts of several states were put one after another."""
    counts = np.concatenate([np.diff(start) for start in starts])
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
