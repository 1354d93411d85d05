"""EdNet's KT1: a folder with a file for each student, and another file that says which answer is right.

`u123.csv` has a row per answer of the student u123; whether it is right and which skills the question has stands in
`contents/questions.csv`. Times count milliseconds since 1970, so a row that equals another is the same answer.

Source: https://github.com/riiid/ednet, sections KT1 and Contents.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from features.logs.cells import are_written, as_seconds, as_text
from features.logs.files.table_file import CHUNK_ROWS, TableFile, find_column, open_table, read_cells
from features.logs.files.text_file import CellChunk, TextForm
from features.logs.moments import as_moments_since
from features.logs.rows import SKILL_MARK, first_rule, raw_rows

ANSWERS = ("timestamp", "question_id", "user_answer", "elapsed_time")
"""Columns of a student's file that are read."""

QUESTIONS = ("question_id", "correct_answer", "tags")
"""Columns of the file of questions that are read."""

STUDENT_FILE = re.compile(r"u[0-9]+\.csv")

NO_TAG = "-1"

FORMAT = "format ednet: column"

MS_US = 1_000
"""Microseconds in the unit of its times."""


@dataclass(frozen=True)
class EdNetLog:
    """A folder of EdNet that is ready to be read; it has what a `features.logs.rows.Log` has.

    Attributes:
        files: The students' files, by name.
        questions: A text array for each of `QUESTIONS`.
        notes: What it was taken for.
    """

    files: tuple[Path, ...]
    questions: tuple[pa.Array, ...]
    notes: tuple[str, ...]
    source: str = "ednet"
    expected_chunks: int | None = None
    leaves_open: tuple[str, ...] = ("retries",)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """The raw rows, a few hundred thousand at a time.

        Raises:
            InputError: A file is damaged, or lacks a column.
        """
        parts, size, broken = list[tuple[pa.Array, ...]](), 0, 0
        for path in self.files:
            for chunk in _read(path, ANSWERS):
                student = pa.repeat(pa.scalar(path.stem), len(chunk.cells[0]))
                parts.append((student, *chunk.cells))
                size, broken = size + len(student), broken + chunk.broken_lines + chunk.text_lines
            if size >= CHUNK_ROWS:
                yield self._convert(parts)
                parts, size = [], 0
        if size:
            yield self._convert(parts)
        if broken:
            yield raw_rows({"rejected": "wrong_number_of_cells"}, broken)

    def _convert(self, parts: list[tuple[pa.Array, ...]]) -> pd.DataFrame:
        student, time, question, answer, elapsed = map(pa.concat_arrays, zip(*parts, strict=True))
        item, given = as_text(question), as_text(answer)
        place = pc.index_in(item, self.questions[0])
        right = pc.equal(pc.utf8_lower(given), pc.utf8_lower(pc.take(self.questions[1], place)))
        occurred_at, bad_time = as_moments_since(time, MS_US, datetime(1970, 1, 1, tzinfo=UTC))
        duration_s, bad_duration = as_seconds(elapsed, 0.001)
        columns = {
            "student_id": student,
            "occurred_at": occurred_at,
            "item_id": item,
            "score": right.cast(pa.float64()),
            "correct": right,
            "duration_s": np.where(bad_duration, np.inf, duration_s),
            "skills": pc.take(self.questions[2], place),
            "unused": first_rule(len(item), {"not_answered": ~are_written(given)}),
            "rejected": first_rule(len(item), {"unreadable_time": bad_time}),
        }
        return raw_rows(columns, len(item))


def is_ednet(folder: Path) -> bool:
    """Whether a folder has files of students as EdNet names them, or a folder that has."""
    return bool(_find_students(folder))


def open_ednet(folder: Path) -> EdNetLog:
    """The folder with the students' files, or the one that it and the folder `contents` are in.

    Raises:
        InputError: There are no such files, they are of KT2 to KT4, or the file of questions is not there.
    """
    files = _find_students(folder)
    if not files:
        raise InputError(
            f"{folder.name} is not EdNet's KT1; right would be a folder with a file such as u1.csv for each"
        )
    inside = files[0].parent
    places = [place / "questions.csv" for at in (folder, inside, inside.parent) for place in (at / "contents", at)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise InputError(
            f"{folder.name} has files of students, but not contents/questions.csv, which says what is right; put "
            "EdNet's folder contents beside them"
        )
    _open(files[0], ANSWERS)
    chunks = [chunk.cells for chunk in _read(path, QUESTIONS)]
    question, right, tags = (as_text(pa.concat_arrays(cells)) for cells in zip(*chunks, strict=True))
    skills = pc.replace_substring(pc.if_else(pc.equal(tags, NO_TAG), None, tags), ";", SKILL_MARK)
    note = f"read as EdNet's KT1: {len(files):,} files of students, {len(question):,} questions of {path.name}"
    return EdNetLog(files, (question, right, skills), (note,))


def _find_students(folder: Path) -> tuple[Path, ...]:
    """The files of students in a folder or else in one of its folders, in order of their numbers."""
    for place in (folder, *(each for each in sorted(folder.iterdir()) if each.is_dir())):
        files = [path for path in place.iterdir() if STUDENT_FILE.fullmatch(path.name)]
        if files:
            return tuple(sorted(files, key=lambda path: (len(path.name), path.name)))
    return ()


def _open(path: Path, names: tuple[str, ...]) -> tuple[TableFile, list[int]]:
    table = open_table(path, TextForm())
    return table, [find_column(table.columns, name, FORMAT) for name in names]


def _read(path: Path, names: tuple[str, ...]) -> Iterator[CellChunk]:
    """The columns of these names."""
    table, places = _open(path, names)
    order = sorted(set(places))
    for chunk in read_cells(table, order):
        cells = tuple(chunk.cells[order.index(place)] for place in places)
        yield CellChunk(cells, chunk.broken_lines, chunk.text_lines)
