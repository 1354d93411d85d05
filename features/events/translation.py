"""Turns the ids of students that a source has into those of the roster, on raw rows."""

import pandas as pd

from features.roster.people.id_table import SourceIds

UNMATCHED = "unmatched_student"
"""Rows whose student's id stands for nobody of the roster are unused."""


def translate_students(raw: pd.DataFrame, ids: SourceIds | None) -> pd.DataFrame:
    """The rows with the roster's ids; those whose id stands for nobody lose it and are unused.

    Args:
        raw: Rows in the shape of `features.logs.rows.RAW_TYPES`.
        ids: Translates ids of the source; null where no roster is loaded.
    """
    if ids is None:
        return raw
    found = ids.translate({str(student): count for student, count in raw["student_id"].value_counts().items()})
    if ids.kind is None:
        return raw
    students = raw["student_id"].map(found).astype(raw["student_id"].dtype)
    lost = raw["student_id"].notna() & students.isna()
    return raw.assign(student_id=students, unused=raw["unused"].mask(lost & raw["unused"].isna(), UNMATCHED))
