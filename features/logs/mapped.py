"""Any table with one row per response, read through a mapping, which `features.logs.mapping` explains."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from features.logs.cells import (
    Marks,
    are_written,
    as_numbers,
    as_seconds,
    as_shares,
    as_text,
    as_truth,
    as_whole_numbers,
    join_cells,
    with_points,
    without_words,
)
from features.logs.files.content import PARQUET, read_head
from features.logs.files.table_file import TableFile, describe_columns, find_column, open_table
from features.logs.files.table_start import find_start
from features.logs.mapping import Mapping
from features.logs.moments import as_dates, as_moments, as_moments_since, as_patterned, as_serials
from features.logs.rows import ITEM_MARK, SKILL_MARK, Cells, Log, first_rule
from features.logs.sections import SECONDS, Correct, Time
from features.logs.wide import describe_questions, find_questions, unpivot

UNIT_US = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000, "epoch_microseconds": 1}

NUMBERS = ("correct", "attempt", "hints", "duration_s", "question", "figure", "error")
"""How the names of columns of numbers begin, which may be written with a decimal comma."""

MARKS = {"item": ITEM_MARK, "time": " "}
"""Between the cells of several columns that are one."""

ROUNDING = 1e-9
"""Share of the largest score by which a score may miss the pass mark, since 5.6 of 7 is not quite .8 in binary."""

TOTAL = r"(?i)^(grand |class |sub-?)?(totals?|averages?|mean|median|sum|summary|count|overall)\b"
"""What stands in place of a student in a line below a table."""

ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"

OFFSET_OR_UTC = r"(?i)([T ].*[+-][0-9]{2}(:?[0-9]{2})?|z|utc|gmt)$"

ASSUMED = 'times without an offset are taken as UTC; [time] zone = "America/Chicago" or another says what they are'


def open_mapped(path: Path, mapping: Mapping, sheet: str | None = None) -> Log:
    """A log file read through a mapping.

    Args:
        path: The file.
        mapping: What its columns are.
        sheet: Name of the sheet, where it is a spreadsheet; without it, the one that the mapping names.

    Raises:
        InputError: The file cannot be read, or lacks a column that the mapping names.
    """
    table = open_plain(path, mapping, sheet)
    notes: list[str] = []
    positions = {
        key: find_column(table.columns, name, f"[columns] {key}") for key, name in name_columns(mapping).items()
    }
    largest: list[float | None] = []
    if mapping.questions:
        places, largest = find_questions(table.columns, mapping.questions)
        positions |= places
        notes.append(describe_questions(mapping.questions))
    return Log(
        mapping.file.source,
        table,
        positions,
        lambda cells: convert(cells, mapping, notes, largest),
        notes,
        leaves_open=_find_open(mapping),
    )


def name_columns(mapping: Mapping) -> dict[str, str]:
    """The file's columns by what they are; several that are one thing are numbered, such as "time 0"."""
    named = {key: (name,) if isinstance(name, str) else name for key, name in vars(mapping.columns).items() if name}
    return {
        key if len(names) == 1 else f"{key} {at}": name for key, names in named.items() for at, name in enumerate(names)
    }


def _find_open(mapping: Mapping) -> tuple[str, ...]:
    """What a log with this mapping does not say, of `features.logs.rows.OPEN`."""
    columns, has_clock = mapping.columns, mapping.time.form != "order"
    if mapping.questions:
        has_id, is_numbered = columns.event_id is not None, columns.attempt is not None
        return tuple(name for name, known in (("copies", has_id or is_numbered), ("retries", is_numbered)) if not known)
    counts_tries = columns.attempt is not None and columns.item is not None
    copies = columns.event_id is None and has_clock and not counts_tries
    retries = columns.attempt is None and columns.item is not None and has_clock and mapping.attempt.form == "counted"
    return tuple(name for name, is_open in (("copies", copies), ("retries", retries)) if is_open)


def open_plain(path: Path, mapping: Mapping | None = None, sheet: str | None = None) -> TableFile:
    """A Parquet file, a sheet, or text, by the mapping or else as its content and the ending of its name tell.

    Raises:
        InputError: The file cannot be read.
    """
    of_ending = {".tsv": "tsv", ".tab": "tsv", ".txt": "tsv"}
    said = mapping and mapping.file.format
    sheet = mapping.file.sheet if mapping and not sheet else sheet
    head = read_head(path, sheet)
    if said == "parquet" or (said is None and head.startswith(PARQUET)):
        return open_table(path, form=None)
    usual = "\t" if (said or of_ending.get(path.suffix.lower())) == "tsv" else ","
    if mapping is None:
        return open_table(path, replace(find_start(head, prefer=usual), sheet=sheet))
    file = mapping.file
    names = [*name_columns(mapping).values(), *(question.column for question in mapping.questions)]
    names = [name.strip() for name in (*names, *(column for column, _ in mapping.domains))]
    delimiter = file.delimiter or (usual if file.format else None)
    return open_table(path, replace(find_start(head, names, delimiter, file.encoding, usual), sheet=sheet))


def convert(
    cells: Cells, mapping: Mapping, notes: list[str], largest: Sequence[float | None] = ()
) -> dict[str, object]:
    """Raw columns of one chunk; a row may already carry the rule it breaks.

    Args:
        cells: The cells by the name that the mapping gives them.
        mapping: What they are.
        notes: Takes what was assumed.
        largest: How many points each question has, of a sheet with a row per student.
    """
    cells = join_parts(cells, mapping)
    most: float | np.ndarray[tuple[int], np.dtype[np.float64]] = mapping.correct.max_score
    if mapping.questions:
        cells, most = unpivot(cells, mapping.questions, mapping.file.quiz, largest, mapping.correct.max_score)
    size = len(cells["student"])
    kind, bad_kind = _kinds(cells.get("kind"), mapping, size)
    # an activity has no answer, whatever is written in its columns
    answers = {
        name: cell if kind is None else pc.if_else(pc.equal(kind, "response"), cell, None)
        for name, cell in cells.items()
    }
    times = cells.get("time", pa.nulls(size, pa.string()))
    sequence, occurred_at, bad_time = read_times(times, mapping.time)
    read: pd.Series[Any] | None = sequence if occurred_at is None else occurred_at
    timeless = np.ones(size, dtype=bool) if mapping.time.moment or read is None else read.isna().to_numpy() & ~bad_time
    if mapping.time.zone is None and ASSUMED not in notes and _has_local_times(times, mapping.time):
        notes.append(ASSUMED)
    score, bad_score = _scores(answers.get("correct", pa.nulls(size, pa.string())), mapping.correct, most)
    attempt, bad_attempt = as_whole_numbers(answers.get("attempt", pa.nulls(size, pa.string())))
    hints, bad_hints = as_whole_numbers(answers.get("hints", pa.nulls(size, pa.string())))
    duration_s, bad_duration = as_seconds(
        cells.get("duration_s", pa.nulls(size, pa.string())), SECONDS[mapping.duration.unit]
    )
    skills = _skills(answers["skills"], mapping.skills.separator) if "skills" in cells else None
    rules = {
        "bad_kind": bad_kind,
        "unreadable_time": bad_time,
        "unreadable_score": bad_score,
    }
    return {
        "student_id": as_text(cells["student"]),
        "kind": kind,
        "occurred_at": occurred_at,
        "sequence": sequence,
        "item_id": as_text(answers["item"]) if "item" in cells else pc.replace_substring(skills, SKILL_MARK, " + "),
        "score": score,
        "correct": pd.array(score >= mapping.correct.pass_mark - ROUNDING, dtype="boolean"),
        # not a number: as absurd as a negative one, and counted with it
        "attempt": attempt.mask(bad_attempt, -1),
        "hints": hints.mask(bad_hints, -1),
        "duration_s": np.where(bad_duration, np.inf, duration_s),
        "event_key": as_text(cells["event_id"]) if "event_id" in cells else None,
        "skills": skills,
        "unused": _around_table(cells, timeless, size, wide=bool(mapping.questions)),
        "rejected": first_rule(size, rules),
    }


def _around_table(cells: Cells, timeless: Marks, size: int, *, wide: bool) -> "pd.Series[str]":
    """Rows that are no part of the table: blank ones, and totals, without a time and a student; and questions open."""
    if not timeless.any() and not wide:
        return first_rule(size, {})
    student = as_text(cells["student"])
    unscored = ~are_written(as_text(cells["correct"])) if "correct" in cells else np.ones(size, dtype=bool)
    total = pc.fill_null(pc.match_substring_regex(student, TOTAL), False).to_numpy(zero_copy_only=False)
    nobody = ~are_written(student)
    rules = {"blank": timeless & unscored & nobody, "total_line": timeless & (nobody | total)}
    return first_rule(size, rules | ({"not_answered": unscored} if wide else {}))


def _has_local_times(cells: pa.Array, time: Time) -> bool:
    """Whether any time says nothing of its zone."""
    if time.form in {"order", *UNIT_US} or "%z" in time.form.lower():
        return False
    if pa.types.is_timestamp(cells.type):
        return cells.type.tz is None
    if pa.types.is_string(cells.type) and pc.all(pc.ends_with(cells, "Z"), min_count=0).as_py():
        return False
    with_offset = pc.match_substring_regex(as_text(cells), OFFSET_OR_UTC)
    return not pc.all(with_offset, min_count=0).as_py()


def refuse_without_mapping(path: Path, sheet: str | None = None) -> InputError:
    """The error for a table whose columns nobody knows."""
    return InputError(
        f"a table needs --mapping FILE, which says what each column of {path.name} is "
        f"({describe_columns(open_plain(path, sheet=sheet).columns)}); python -m features ingest {path.name} prints a "
        "first one"
    )


def join_parts(cells: Cells, mapping: Mapping) -> Cells:
    """Puts cells of several columns that are one together, and makes words for nothing and decimal commas plain."""
    if mapping.file.nulls:
        cells = {name: without_words(cell, mapping.file.nulls) for name, cell in cells.items()}
    if mapping.file.decimal == ",":
        numbers = (*NUMBERS, "time") if mapping.time.is_number else NUMBERS
        cells = {name: with_points(cell) if name.startswith(numbers) else cell for name, cell in cells.items()}
    joined = dict(cells)
    for key, mark in MARKS.items():
        parts = [joined.pop(name) for name in sorted(cells) if name.startswith(f"{key} ")]
        if parts:
            joined[key] = join_cells(parts, mark)
    return joined


def _kinds(cells: pa.Array | None, mapping: Mapping, size: int) -> tuple[pa.Array | None, Marks]:
    if cells is None:
        return None, np.zeros(size, dtype=bool)
    words, kinds = zip(*mapping.kinds, strict=True)
    text = pc.fill_null(as_text(cells), next((word for word, kind in mapping.kinds if kind == "response"), ""))
    place = pc.index_in(text, pa.array(words))
    unknown = pc.is_null(place).to_numpy(zero_copy_only=False)
    return pc.take(pa.array(kinds), place), unknown


def read_times(cells: pa.Array, time: Time) -> "tuple[pd.Series[int] | None, pd.Series[pd.Timestamp] | None, Marks]":
    """Places in an order, moments in UTC, and in which cells something else is written."""
    if time.moment is not None:
        every = pd.Series(pd.Timestamp(time.moment)).dt.tz_convert("UTC").dt.as_unit("us").repeat(len(cells))
        return None, every.reset_index(drop=True), np.zeros(len(cells), dtype=bool)
    if time.form == "order":
        sequence, unreadable = as_whole_numbers(cells)
        return sequence, None, unreadable
    if time.form == "iso" or pa.types.is_timestamp(cells.type):
        return None, *as_moments(cells, time.local)
    if time.form in {"us", "eu"}:
        occurred_at, unreadable = as_dates(cells, time.local, month_first=time.form == "us")
    elif time.form == "serial":
        occurred_at, unreadable = as_serials(cells, time.local)
    elif "%" in time.form:
        occurred_at, unreadable = as_patterned(cells, time.form, time.local)
    else:
        occurred_at, unreadable = as_moments_since(cells, UNIT_US[time.form], time.zero)
    if not unreadable.any():
        return None, occurred_at, unreadable
    # dates that a spreadsheet keeps as such come as ISO times, whatever it showed
    dates, still = as_moments(pc.if_else(pc.match_substring_regex(as_text(cells), ISO_DATE), cells, None), time.local)
    return None, occurred_at.mask(unreadable, dates), unreadable & (still | dates.isna().to_numpy())


def _scores(
    cells: pa.Array, correct: Correct, largest: float | np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], Marks]:
    if correct.form == "bool":
        return as_truth(cells, correct.yes, correct.no)
    if correct.form == "zero_one":
        score, unreadable = as_numbers(cells)
        return score, unreadable | ((score > 0) & (score < 1))
    return as_shares(cells, largest)


def _skills(cells: pa.Array, separator: str | None) -> pa.Array:
    if pa.types.is_list(cells.type) or pa.types.is_large_list(cells.type):
        return pc.binary_join(cells.cast(pa.list_(pa.string())), SKILL_MARK)
    text = as_text(cells)
    if separator is None:
        return text
    parted = pc.replace_substring_regex(text, rf"\s*{re.escape(separator)}\s*", SKILL_MARK)
    return pc.utf8_trim_whitespace(parted)
