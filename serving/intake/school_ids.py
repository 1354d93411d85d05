"""Turns the ids of students that the sources of a batch have into those of the roster."""

import pandas as pd

from features.database import Database
from features.events.translation import translate_students
from features.roster.people.id_table import translating
from serving.intake.read_batch import ReadBatch


def to_school_ids(database: Database, batch: ReadBatch) -> "tuple[pd.DataFrame, pd.Series[bool]]":
    """The rows of a batch with the roster's ids, and which of them have an id that stands for nobody.

    Such ids are kept apart for a person to look at, whoever sent them; to the caller they are those of a student whom
    the key may not load, so that nobody learns who is at another school.

    Args:
        database: With the id table.
        batch: The batch.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    parts, unmatched = [batch.raw], pd.Series(False, index=batch.raw.index, dtype=bool)
    for source, rows in batch.by_source(batch.raw):
        with translating(database, str(source)) as ids:
            if ids is None or ids.kind is None:
                continue
            translated = translate_students(rows, ids)
            unmatched[rows.index] = rows["student_id"].notna() & translated["student_id"].isna()
            parts.append(translated.assign(unused=rows["unused"]))
    if len(parts) == 1:
        return batch.raw, unmatched
    raw = pd.concat(parts)
    return raw[~raw.index.duplicated(keep="last")].loc[batch.raw.index], unmatched
