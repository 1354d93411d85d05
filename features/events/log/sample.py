"""A sample of students of the event log, read without reading the others."""

import zlib
from datetime import datetime

import pandas as pd

from features.events.log.files import count_events, list_files, list_students
from features.events.log.store import read_events
from features.home import Home

SALT = "sample"
"""So that the sample knows nothing of other parts by a hash of the student's id."""

SCALE = 2**32


def read_sample(home: Home, version: int, before: datetime | None, most: int) -> pd.DataFrame:
    """The events before a moment: all, or those of students drawn by hash so that there are about as many as asked for.

    Whole student buckets are drawn first, and only these are opened; then students of them. The same students are drawn
    each night, for as long as the log does not outgrow the number by a further share.

    Args:
        home: Where the event log is.
        version: Its version.
        before: As in `read_events`.
        most: Events to be read at most, but for chance: students have more or fewer than others.

    Raises:
        UnavailableError: The log cannot be read.
    """
    counts = count_events(home, version)
    total = sum(counts.values())
    if total <= most:
        return read_events(home, version=version, before=before)
    chosen: list[int] = []
    held = 0
    for bucket in sorted(counts, key=lambda number: _draw(str(number))):
        chosen.append(bucket)
        held += counts[bucket]
        if held >= most:
            break
    files = list_files(home, version)
    students = list_students([path for bucket in chosen for path in files[bucket]])
    drawn = [student for student in students if _draw(student) < most / held]
    return read_events(home, version=version, before=before, students=drawn)


def _draw(text: str) -> float:
    """A number from 0 to 1 that the text and nothing else decides."""
    return zlib.crc32(f"{SALT} {text}".encode()) / SCALE
