"""ASSISTments' own exports of problem logs, told apart by their headers: those of 2009, 2012, 2015 and 2017.

That of 2009 has a row per response and skill, in latin-1, in order but without a clock. A row is a student's first
response to a problem: `correct` is about it, so it is attempt 1, and `attempt_count` (how many attempts followed) is
not read. Later ones are tables like others, so each is a mapping. Names, contacts, teachers, schools and what is
guessed of a student (such as gender) are not read.

Source: https://sites.google.com/site/assistmentsdata
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from features.logs.cells import as_numbers, as_text, as_whole_numbers
from features.logs.files.table_file import find_column, open_table
from features.logs.files.text_file import TextForm
from features.logs.mapped import open_mapped, open_plain
from features.logs.mapping import parse_mapping
from features.logs.rows import Cells, Log, first_rule

COLUMNS = (
    "order_id",
    "user_id",
    "problem_id",
    "skill_id",
    "correct",
    "hint_count",
    "ms_first_response",
)
"""What is read; a header with all of these is this format."""

MS = 0.001
"""Seconds in the export's unit of time."""

LATER: dict[str, dict[str, Any]] = {
    "2012": {
        "columns": {
            "event_id": "problem_log_id",
            "student": "user_id",
            "item": "problem_id",
            "time": "start_time",
            "correct": "correct",
            "skills": "skill",
            "hints": "hint_count",
            "duration_s": "ms_first_response",
        },
        "duration": {"unit": "ms"},
        "attempt": {"form": "first"},
    },
    "2015": {
        "columns": {
            "event_id": "log_id",
            "student": "user_id",
            "time": "log_id",
            "correct": "correct",
            "skills": "sequence_id",
        },
        "time": {"form": "order"},
        "attempt": {"form": "first"},
    },
    "2017": {
        "columns": {
            "student": "studentId",
            "item": "problemId",
            "time": "startTime",
            "correct": "correct",
            "skills": "skill",
            "hints": "hintCount",
            "duration_s": "timeTaken",
        },
        "time": {"form": "epoch_seconds"},
    },
}
"""Mappings of the later exports by their year; a header with all of its columns is that of the year."""

FILE = {"source": "assistments", "nulls": ["NA", "NULL", "\\N", "noskill"]}
"""What holds for the files of each later year."""


def find_year(columns: Collection[str]) -> str | None:
    """The year of the export that has these columns; null where it is none.

    Example:
        >>> find_year(["user_id", "log_id", "sequence_id", "correct"])
        '2015'
    """
    if set(COLUMNS) <= set(columns):
        return "2009"
    return next((year for year, said in LATER.items() if set(said["columns"].values()) <= set(columns)), None)


def open_assistments(path: Path, sheet: str | None = None, zone: str | None = None) -> Log:
    """The provider's export.

    Args:
        path: The export.
        sheet: Name of the sheet, where it is a spreadsheet.
        zone: Time zone of times that name none; without it, UTC.

    Raises:
        InputError: The file cannot be read, lacks one of `COLUMNS`, or has no times that a zone would be of.
    """
    table = open_table(path, TextForm(encoding="latin-1", sheet=sheet))
    year = find_year(table.columns) or find_year(open_plain(path, sheet=sheet).columns)
    if zone and year != "2012":
        raise InputError("--zone is for ASSISTments' export of 2012; others have an order or count from 1970 in UTC")
    if year in LATER:
        said = parse_mapping({"file": FILE, **LATER[year]})
        log = open_mapped(path, replace(said, time=replace(said.time, zone=zone)), sheet)
        log.notes.insert(0, f"read as ASSISTments' answers of {year}")
        return log
    positions = {name: find_column(table.columns, name, "format assistments: column") for name in COLUMNS}
    return Log("assistments", table, positions, convert, ["read as ASSISTments' answers of 2009"])


def convert(cells: Cells) -> dict[str, object]:
    """Raw columns of one chunk; `order_id` is both the id of a response and its place in the order."""
    score, bad_score = as_numbers(cells["correct"])
    sequence, bad_order = as_whole_numbers(cells["order_id"])
    hints, bad_hints = as_whole_numbers(cells["hint_count"])
    first_response_ms, bad_duration = as_numbers(cells["ms_first_response"])
    rules = {"unreadable_time": bad_order, "unreadable_score": bad_score}
    return {
        "student_id": as_text(cells["user_id"]),
        "sequence": sequence,
        "item_id": as_text(cells["problem_id"]),
        "score": score,
        "correct": pd.array(score >= 1, dtype="boolean"),
        "attempt": 1,
        "hints": hints.mask(bad_hints, -1),
        "duration_s": np.where(bad_duration, np.inf, first_response_ms * MS),
        "event_key": as_text(cells["order_id"]),
        "skills": without_decimals(as_text(cells["skill_id"])),
        "rejected": first_rule(len(score), rules),
    }


def without_decimals(skills: pa.Array) -> pa.Array:
    """Skill ids as whole numbers: exports that went through a spreadsheet or pandas say 10.0 for skill 10.

    Example:
        >>> without_decimals(pa.array(["10.0", "10", "1_13"])).to_pylist()
        ['10', '10', '1_13']
    """
    return pc.replace_substring_regex(skills, r"^([0-9]+)\.0$", r"\1")
