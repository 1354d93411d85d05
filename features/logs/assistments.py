"""ASSISTments' own export of problem logs: a row per response and skill, in latin-1, in order but without a clock.

A row is a student's first response to a problem: `correct` is about it, so it is attempt 1, and `attempt_count` (how
many attempts followed) is not read. Names, contacts, teachers and schools are not read either.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.logs.cells import as_numbers, as_text, as_whole_numbers
from features.logs.files.table_file import find_column, open_table
from features.logs.files.text_file import TextForm
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


def open_assistments(path: Path, sheet: str | None = None) -> Log:
    """The provider's export.

    Raises:
        InputError: The file cannot be read or lacks one of `COLUMNS`.
    """
    table = open_table(path, TextForm(encoding="latin-1", sheet=sheet))
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
