"""What is known of each student beyond single skills, as arrays: a request looks up one row."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.columns import OF_STUDENTS
from features.history import NO_TIME


@dataclass(frozen=True)
class StudentFacts:
    """Rows of `features.columns.STUDENT_PROFILES`.

    Attributes:
        position: Where each student's row is.
        last_active: Microseconds since 1970 UTC; the smallest integer where there is no clock.
        values: The columns of `OF_STUDENTS`; NaN where not observed.
    """

    position: Mapping[str, int]
    last_active: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]

    @classmethod
    def from_rows(cls, students: Iterable[str], table: pd.DataFrame) -> Self:
        """The rows of a table, whose students are in the same order."""
        return cls(
            position={str(student): at for at, student in enumerate(students)},
            last_active=table["last_active"].to_numpy("datetime64[us]").astype(np.int64),
            values=table[list(OF_STUDENTS)].to_numpy(np.float32),
        )

    def of(self, student: str) -> dict[str, float]:
        """What was observed of a student, by column; empty for one who is not known."""
        at = self.position.get(student)
        if at is None:
            return {}
        row = zip(OF_STUDENTS, self.values[at].tolist(), strict=True)
        return {name: value for name, value in row if not math.isnan(value)}

    def last_active_of(self, student: str) -> datetime | None:
        """When a student was last at work, UTC; null where that is not known."""
        at = self.position.get(student)
        if at is None or self.last_active[at] == NO_TIME:
            return None
        return datetime.fromtimestamp(int(self.last_active[at]) / 1_000_000, tz=UTC)
