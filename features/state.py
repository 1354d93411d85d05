"""What the kernel remembers, on disk and in memory."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.history import Item, Skill, Student

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class State:
    """What the kernel remembers of every student, and nothing else is needed to go on.

    Attributes:
        students: Student ids.
        student: One row per student, columns `history.Student`.
        skill_start: Where each student's skills begin; one longer than `students`.
        skill_node: Skill node of each row of `skill`.
        skill: One row per student and practised node, columns `history.Skill`.
        item_start: Where each student's items begin; one longer than `students`.
        item_code: Item of each row of `item`.
        item: One row per student and answered item, columns `history.Item`.
    """

    students: "pd.Index[str]"
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
        return cls(pd.Index([], dtype="str"), rows[0], start, none, rows[1], start, none, rows[2])

    def save(self, path: Path) -> None:
        """Writes the state as plain arrays; the codes in it mean what the statistics' catalog says."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "students"}
        np.savez(path, students=np.array(self.students, dtype="U"), **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The state that `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            arrays = {field.name: stored[field.name] for field in fields(cls) if field.name != "students"}
            return cls(students=pd.Index(stored["students"], dtype="str"), **arrays)
