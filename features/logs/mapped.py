"""Any table with one row per response, read through a mapping: a TOML file that says which column is what.

```toml
[file]
format = "csv"            # csv, tsv or parquet; without it, by the file's ending
encoding = "utf-8"        # or "cp1252", ...; without it, UTF-8, or UTF-16 by its mark
delimiter = ";"           # without it, what the first lines show; lines above the header are skipped
decimal = ","             # of numbers such as 0,5; without it, "."
nulls = ["NA", "NULL"]    # words that mean that nothing is known; without it, only blank cells do
source = "practice-app"   # what the events name as their source: the same response from two files of one source
                          # is one event. Without it, "mapped"

[columns]                 # right of each = stands the file's own column name
student = "user"
time = "submitted"        # or two columns, date and clock: ["day", "clock"]
correct = "points"        # may be missing where kind says that no row is a response
item = "question"         # or several that are the item together, such as ["problem", "step"]; without it, the skill
                          # stands for the item
skills = "standards"      # of this response; where blank, it has those of most responses to its item
attempt = "attempt"       # 1 = first attempt; without it, see [attempt]
hints = "hints"           # how many were asked for
duration_s = "seconds"    # time on this response
event_id = "row_id"       # the log's own id of a response, the same in every file; without it, and without numbers
                          # of attempts on items, equal rows of one file are answers of their own
kind = "type"             # response, lesson, video or login; blank, or without it: response

[time]
form = "iso"              # iso; us (3/5/2026 9:05 AM) or eu (5.3.2026 21:05); a pattern such as "%d-%b-%Y %H:%M";
                          # serial, the days of a spreadsheet; epoch_seconds, epoch_milliseconds, epoch_microseconds;
                          # or order: a number that only gives the order
zone = "Europe/Berlin"    # of times without an offset; without it, UTC
# origin = 2024-09-01T00:00:00Z    what an epoch counts from; without it, 1970

[correct]
form = "score"            # bool (true/false, right/wrong, ...), zero_one, or score (8, 80 % or 4/5)
max_score = 10            # of form score: a score of 10 is 1.0; percents and fractions are shares already
pass_mark = 0.8           # share of max_score from which a response is correct; without it, 1.0
# yes = ["OK"]            # of form bool: further words, such as these
# no = ["BUG", "hint"]

# [attempt]               # of a log without a column of attempts
# form = "counted"        # counted: an answer to an item that the student answered before in the same session, without
                          # a pause of an hour, is a retry; or first: every answer is a first one

[duration]
unit = "s"                # s, ms or min; a cell such as 1:30 is 90 seconds in any of them

[skills]
separator = ","           # between several skills in one cell; without it, a cell is one skill, and a response
                          # with several skills is repeated with each. A Parquet file may hold lists

[kinds]                   # the log's own words for kinds, if it has others
problem = "response"
watch = "video"
```

The mapping of xAPI statements, Caliper events or a tracking log of Open edX has `[file]` alone, with
`format = "xapi"`, `"caliper"` or `"openedx"`, and maybe `[prefixes]`: `student_prefix`, `item_prefix` and
`skill_prefix` are removed from the start of addresses.

Only `student`, `time`, `correct`, and `item` or `skills` have to be there. Blank cells are null; ids are kept as
written, but for white space around them. A number of attempts or hints, or a duration, that cannot be read is null, and
its answer is kept.
"""

import re
from pathlib import Path

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
    with_points,
    without_words,
)
from features.logs.mapping import SECONDS, Correct, Mapping, Time
from features.logs.moments import as_dates, as_moments, as_moments_since, as_patterned, as_serials
from features.logs.rows import ITEM_MARK, SKILL_MARK, Cells, Log, first_rule
from features.logs.table_file import TableFile, describe_columns, find_column, open_table, read_head
from features.logs.table_start import find_start

UNIT_US = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000, "epoch_microseconds": 1}

NUMBERS = ("correct", "attempt", "hints", "duration_s")
"""Columns of numbers, which may be written with a decimal comma."""

MARKS = {"item": ITEM_MARK, "time": " "}
"""Between the cells of several columns that are one."""

ROUNDING = 1e-9
"""Share of the largest score by which a score may miss the pass mark, since 5.6 of 7 is not quite .8 in binary."""

TOTAL = r"(?i)^(grand |class |sub-?)?(totals?|averages?|mean|median|sum|summary|count|overall)\b"
"""What stands in place of a student in a line below a table."""

OFFSET_OR_UTC = r"(?i)([T ].*[+-][0-9]{2}(:?[0-9]{2})?|z|utc|gmt)$"

ASSUMED = 'times without an offset are taken as UTC; [time] zone = "America/Chicago" or another says what they are'


def open_mapped(path: Path, mapping: Mapping) -> Log:
    """A log file read through a mapping.

    Raises:
        InputError: The file cannot be read, or lacks a column that the mapping names.
    """
    table = open_plain(path, mapping)
    notes: list[str] = []
    named = {key: (name,) if isinstance(name, str) else name for key, name in vars(mapping.columns).items() if name}
    positions = {
        key if len(names) == 1 else f"{key} {at}": find_column(table.columns, name, f"[columns] {key}")
        for key, names in named.items()
        for at, name in enumerate(names)
    }
    return Log(
        mapping.file.source,
        table,
        positions,
        lambda cells: convert(cells, mapping, notes),
        notes,
        leaves_open=_find_open(mapping),
    )


def _find_open(mapping: Mapping) -> tuple[str, ...]:
    """What a log with this mapping does not say, of `features.logs.rows.OPEN`."""
    columns, has_clock = mapping.columns, mapping.time.form != "order"
    counts_tries = columns.attempt is not None and columns.item is not None
    copies = columns.event_id is None and has_clock and not counts_tries
    retries = columns.attempt is None and columns.item is not None and has_clock and mapping.attempt.form == "counted"
    return tuple(name for name, is_open in (("copies", copies), ("retries", retries)) if is_open)


def open_plain(path: Path, mapping: Mapping | None = None) -> TableFile:
    """A CSV, TSV or Parquet file, by its mapping or else by its ending.

    Raises:
        InputError: The file cannot be read.
    """
    of_ending = {".parquet": "parquet", ".pq": "parquet", ".tsv": "tsv", ".tab": "tsv", ".txt": "tsv"}
    form = (mapping and mapping.file.format) or of_ending.get(path.suffix.lower(), "csv")
    if form == "parquet":
        return open_table(path, form=None)
    usual = "\t" if form == "tsv" else ","
    if mapping is None:
        return open_table(path, find_start(read_head(path), prefer=usual))
    file, columns = mapping.file, vars(mapping.columns).values()
    names = [name for column in columns for name in ((column,) if isinstance(column, str) else column or ())]
    delimiter = file.delimiter or (usual if file.format else None)
    return open_table(path, find_start(read_head(path), names, delimiter, file.encoding, usual))


def convert(cells: Cells, mapping: Mapping, notes: list[str]) -> dict[str, object]:
    """Raw columns of one chunk; a row may already carry the rule it breaks.

    Args:
        cells: The cells by the name that the mapping gives them.
        mapping: What they are.
        notes: Takes what was assumed.
    """
    size = len(cells["student"])
    cells = _join_parts(cells, mapping)
    kind, bad_kind = _kinds(cells.get("kind"), mapping, size)
    # an activity has no answer, whatever is written in its columns
    answers = {
        name: cell if kind is None else pc.if_else(pc.equal(kind, "response"), cell, None)
        for name, cell in cells.items()
    }
    sequence, occurred_at, bad_time = _times(cells["time"], mapping.time)
    if mapping.time.zone is None and ASSUMED not in notes and _has_local_times(cells["time"], mapping.time):
        notes.append(ASSUMED)
    score, bad_score = _scores(answers.get("correct", pa.nulls(size, pa.string())), mapping.correct)
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
        "unused": _around_table(cells, size),
        "rejected": first_rule(size, rules),
    }


def _around_table(cells: Cells, size: int) -> "pd.Series[str]":
    """Rows that are no part of the table: blank ones, and totals, without a time and a student."""
    student, time = as_text(cells["student"]), cells["time"]
    timeless = ~are_written(as_text(time) if pa.types.is_string(time.type) else time)
    if not timeless.any():
        return first_rule(size, {})
    unscored = ~are_written(as_text(cells["correct"])) if "correct" in cells else np.ones(size, dtype=bool)
    total = pc.fill_null(pc.match_substring_regex(student, TOTAL), False).to_numpy(zero_copy_only=False)
    nobody = ~are_written(student)
    return first_rule(size, {"blank": timeless & unscored & nobody, "total_line": timeless & (nobody | total)})


def _has_local_times(cells: pa.Array, time: Time) -> bool:
    """Whether any time says nothing of its zone."""
    if time.form in {"order", *UNIT_US} or "%z" in time.form:
        return False
    if pa.types.is_timestamp(cells.type):
        return cells.type.tz is None
    with_offset = pc.match_substring_regex(as_text(cells), OFFSET_OR_UTC)
    return not pc.all(with_offset, min_count=0).as_py()


def refuse_without_mapping(path: Path) -> InputError:
    """The error for a table whose columns nobody knows."""
    return InputError(
        f"a table needs --mapping FILE, which says what each column of {path.name} is "
        f"({describe_columns(open_plain(path).columns)}); python -m features ingest {path.name} prints a first one"
    )


def _join_parts(cells: Cells, mapping: Mapping) -> Cells:
    """Puts cells of several columns that are one together, and makes words for nothing and decimal commas plain."""
    if mapping.file.nulls:
        cells = {name: without_words(cell, mapping.file.nulls) for name, cell in cells.items()}
    if mapping.file.decimal == ",":
        cells = {name: with_points(cell) if name in NUMBERS else cell for name, cell in cells.items()}
    joined = dict(cells)
    for key, mark in MARKS.items():
        parts = [as_text(joined.pop(name)) for name in sorted(cells) if name.startswith(f"{key} ")]
        if parts:
            joined[key] = pc.binary_join_element_wise(*parts, mark, null_handling="skip")
    return joined


def _kinds(cells: pa.Array | None, mapping: Mapping, size: int) -> tuple[pa.Array | None, Marks]:
    if cells is None:
        return None, np.zeros(size, dtype=bool)
    words, kinds = zip(*mapping.kinds, strict=True)
    text = pc.fill_null(as_text(cells), next((word for word, kind in mapping.kinds if kind == "response"), ""))
    place = pc.index_in(text, pa.array(words))
    unknown = pc.is_null(place).to_numpy(zero_copy_only=False)
    return pc.take(pa.array(kinds), place), unknown


def _times(cells: pa.Array, time: Time) -> "tuple[pd.Series[int] | None, pd.Series[pd.Timestamp] | None, Marks]":
    if time.form == "order":
        sequence, unreadable = as_whole_numbers(cells)
        return sequence, None, unreadable
    if time.form == "iso" or pa.types.is_timestamp(cells.type):
        occurred_at, unreadable = as_moments(cells, time.local)
    elif time.form in {"us", "eu"}:
        occurred_at, unreadable = as_dates(cells, time.local, month_first=time.form == "us")
    elif time.form == "serial":
        occurred_at, unreadable = as_serials(cells, time.local)
    elif "%" in time.form:
        occurred_at, unreadable = as_patterned(cells, time.form, time.local)
    else:
        occurred_at, unreadable = as_moments_since(cells, UNIT_US[time.form], time.zero)
    return None, occurred_at, unreadable


def _scores(cells: pa.Array, correct: Correct) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], Marks]:
    if correct.form == "bool":
        return as_truth(cells, correct.yes, correct.no)
    if correct.form == "zero_one":
        score, unreadable = as_numbers(cells)
        return score, unreadable | ((score > 0) & (score < 1))
    return as_shares(cells, correct.max_score)


def _skills(cells: pa.Array, separator: str | None) -> pa.Array:
    if pa.types.is_list(cells.type) or pa.types.is_large_list(cells.type):
        return pc.binary_join(cells.cast(pa.list_(pa.string())), SKILL_MARK)
    text = as_text(cells)
    if separator is None:
        return text
    parted = pc.replace_substring_regex(text, rf"\s*{re.escape(separator)}\s*", SKILL_MARK)
    return pc.utf8_trim_whitespace(parted)
