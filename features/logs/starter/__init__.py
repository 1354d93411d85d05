"""A mapping to begin with for a table that nobody knows: its columns and forms guessed from names and values.

What is printed is a mapping as it stands: saved unedited it reads the file, or says which line has to be decided first.
Three rows are shown as they would be read, so that a wrong guess is seen before anything is stored.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from features.logs.cells import are_written, as_text
from features.logs.files.content import PARQUET, read_head
from features.logs.files.table_file import TableFile, looks_like_data, open_table, read_cells
from features.logs.files.table_start import find_start, is_wide
from features.logs.files.text_file import TextForm
from features.logs.mapped import open_mapped, open_plain
from features.logs.mapping import parse_mapping
from features.logs.rows import SKILL_MARK
from features.logs.starter.columns import LIKELY, Cells, Columns, plain
from features.logs.starter.guesses import (
    Guess,
    are_counts,
    find_nulls,
    guess_correct,
    guess_duration,
    guess_separator,
    has_decimal_comma,
)
from features.logs.starter.sheets import NUMBERED, Sheet, guess_sheet
from features.logs.totals import open_totals

SAMPLE = 5_000
"""Rows that are looked at."""

FULL = 0.5
"""Share of the cells of the fullest row that a row has to have, to be none of the totals below a table."""

SHOWN = 3
"""Rows that are shown."""

KINDS = {
    "response": ("response", "question", "problem", "quiz", "answer", "practice", "exercise", "assessment"),
    "lesson": ("lesson", "reading", "page", "study", "article", "instruction"),
    "video": ("video", "watch", "film"),
    "login": ("login", "log in", "sign in"),
}
"""Words for what a row is."""


def starter_mapping(path: Path, sheet: str | None = None) -> str:
    """A mapping to begin with for a table, as TOML, with three of its rows as they would be read.

    Args:
        path: The file.
        sheet: Name of the sheet, where it is a spreadsheet.

    Raises:
        InputError: The file cannot be read, or its first row holds values.
    """
    table = _open(path, sheet)
    if looks_like_data(table.columns):
        raise InputError(f"{path.name}: its first row holds values, not column names; add a row of names")
    cells = _sample(table)
    text = "\n".join(_lines(table, cells))
    return f"{_introduce(path, len(next(iter(cells.values()), ())))}\n{text}\n\n{_show_rows(path, text)}"


def _open(path: Path, sheet: str | None) -> TableFile:
    """The table, in UTF-8, UTF-16 or else as Windows writes it."""
    head = read_head(path, sheet)
    if is_wide(head) or head.startswith(PARQUET):
        return open_plain(path, sheet=sheet)
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return open_table(path, find_start(head, encoding="cp1252"))
    return open_plain(path, sheet=sheet)


def _sample(table: TableFile) -> Cells:
    """The first rows, by the names of columns that come once."""
    names = [name for name in table.columns if name and table.columns.count(name) == 1]
    for chunk in read_cells(table, [table.columns.index(name) for name in names]):
        rows = [cells.slice(0, SAMPLE) for cells in chunk.cells]
        written = np.sum([are_written(cells) for cells in rows], axis=0)
        part_of_table = pa.array(written >= FULL * written.max(initial=0))
        return {name: cells.filter(part_of_table) for name, cells in zip(names, rows, strict=True)}
    return {}


def _lines(table: TableFile, cells: Cells) -> Iterator[str]:
    """The lines of the mapping."""
    sheet = guess_sheet(table.columns, cells)
    columns, sections = _guess(cells) if sheet is None else _guess_of_sheet(cells, sheet)
    said = _describe_form(table)
    numbers = [str(columns[key]) for key in ("correct", "duration_s") if key in columns]
    if any(has_decimal_comma(cells[name]) for name in (*numbers, *(sheet.numbers if sheet else ()))):
        said["decimal"] = ","
    named = [name for value in columns.values() for name in ([value] if isinstance(value, str) else value)]
    if nulls := find_nulls([cells[name] for name in (*named, *(sheet.uses if sheet else ()))]):
        said["nulls"] = nulls
    yield "[file]"
    yield from (f"{key} = {_toml(value)}" for key, value in said.items())
    yield '# source = "practice-app"  # the name of the product, the same for all its files'
    if any(NUMBERED.fullmatch(name) for name in (sections["questions"].lines if "questions" in sections else ())):
        yield f"quiz = {_toml(table.path.stem)}  # goes before each question: question 1 of two quizzes are two items"
    yield from _column_lines(columns, sheet)
    for section, guess in sections.items():
        yield f"\n[{section}]"
        for key, value in guess.lines.items():
            remark = f"  # {guess.why[key]}" if key in guess.why else ""
            yield f"{_toml_key(key)} = {_toml(value)}{remark}"


def _column_lines(columns: Mapping[str, str | list[str]], sheet: Sheet | None) -> Iterator[str]:
    """The columns, and what nobody found among those that a mapping needs."""
    wanted = {"student", "time", *(("correct", "item", "skills") if sheet is None else ())}
    if sheet is not None and sheet.needs_skill:
        wanted.add("skills")
    yield "\n[columns]"
    for key in LIKELY:
        if key in columns:
            yield f"{key} = {_toml(columns[key])}"
        elif key in wanted:
            yield f'# {key} = ""  # ? no column looks like it'
    if "time" in wanted - columns.keys():
        yield "\n[time]\n# at = 2026-03-05T12:00:00Z  # ? no column is a time: write of when all of it is"


def _describe_form(table: TableFile) -> dict[str, object]:
    """What `[file]` has to say of how a text is written."""
    usual, form = TextForm(), table.form or TextForm()
    return {
        name: getattr(form, name)
        for name in ("sheet", "encoding", "delimiter")
        if getattr(form, name) != getattr(usual, name)
    }


def _guess_of_sheet(cells: Cells, sheet: Sheet) -> tuple[dict[str, str | list[str]], dict[str, Guess]]:
    """The columns beside questions or totals, and what the other sections say."""
    found = Columns({name: column for name, column in cells.items() if name not in sheet.uses})
    found.take_time()
    found.take("student", lambda name: cells[name].null_count < len(cells[name]))
    if "questions" in sheet.sections:
        found.take("attempt", lambda name: are_counts(cells[name], 1))
    if sheet.needs_skill:
        found.take_skill()
    return found.named, {**found.sections, **sheet.sections}


def _guess(cells: Cells) -> tuple[dict[str, str | list[str]], dict[str, Guess]]:
    """The columns by what they are, and what the other sections say of them."""
    found = Columns(cells)
    found.guess("duration_s", "duration", lambda name: guess_duration(cells[name], plain(name)))
    found.take_time()
    found.take("event_id", lambda name: _are_distinct(cells[name]))
    found.take("student", lambda name: cells[name].null_count < len(cells[name]))
    found.take("attempt", lambda name: are_counts(cells[name], 1))
    found.take("hints", lambda name: are_counts(cells[name], 0))
    students = cells.get(str(found.named.get("student")))
    found.guess("correct", "correct", lambda name: _guess_outcome(cells, name, students))
    if (name := found.take("skills")) and (separator := guess_separator(cells[name])):
        found.sections["skills"] = Guess({"separator": separator})
    found.take_item()
    found.guess("kind", "kinds", lambda name: _guess_kinds(cells[name]))
    order = [key for key in ("time", "correct", "duration", "skills", "kinds") if key in found.sections]
    return found.named, {key: found.sections[key] for key in order}


def _are_distinct(cells: pa.Array) -> bool:
    """Whether each cell is an id of its own, and not the number of a row, which starts anew in every file."""
    text = as_text(cells)
    distinct = text.null_count == 0 and len(pc.unique(text)) == len(text) > 1
    return distinct and text.to_pylist() != [str(number) for number in range(1, len(text) + 1)]


def _guess_outcome(cells: Cells, name: str, students: pa.Array | None) -> Guess | None:
    """How outcomes are written; a school year, one number for each student, is none."""
    if students is not None and re.search("grade", plain(name)):
        pairs = pd.DataFrame({"student": as_text(students).to_pandas(), "grade": as_text(cells[name]).to_pandas()})
        if not pairs.drop_duplicates()["student"].duplicated().any():
            return None
    return guess_correct(cells[name])


def _guess_kinds(cells: pa.Array) -> Guess | None:
    """The kind of every word; null where one is unknown."""
    words = pc.unique(as_text(cells)).drop_null().to_pylist()
    kinds = {word: next((kind for kind, known in KINDS.items() if word.lower() in known), None) for word in words}
    return Guess(dict(kinds)) if words and None not in kinds.values() else None


def _introduce(path: Path, rows: int) -> str:
    return (
        f"# What each column of {path.name} is, guessed from {rows:,} rows: check the lines with a question mark\n"
        f"# and the rows at the end, save this as {path.stem}.toml, and then:\n"
        f"# python -m features ingest {path.name} --mapping {path.stem}.toml\n"
    )


def _show_rows(path: Path, text: str) -> str:
    """The first rows as the mapping reads them, in comments, or why it reads none."""
    try:
        mapping = parse_mapping(tomllib.loads(text))
        if mapping.totals is None:
            rows = next(iter(open_mapped(path, mapping).chunks()))
        else:
            rows = next(iter(open_totals(open_plain(path, mapping), mapping, mapping.totals).chunks()))
    except InputError as error:
        return f"# As it stands it reads no row: {error}"
    answers = rows[rows["unused"].isna()].head(SHOWN)
    return "\n".join(["# The first rows would be read as:", *(f"#   {_show(row)}" for _, row in answers.iterrows())])


def _show(row: "pd.Series[Any]") -> str:
    """One row in words."""
    said = {str(name): value for name, value in row.dropna().items()}
    if "score" not in said:
        said.pop("correct", None)
    if "rejected" in said:
        return f"rejected: {said['rejected']}"
    if "occurred_at" in said:
        said["occurred_at"] = f"{said['occurred_at']:%Y-%m-%d %H:%M:%S} UTC"
    if "skills" in said:
        said["skills"] = str(said["skills"]).replace(SKILL_MARK, " + ")
    return ", ".join(f"{name} {f'{value:.4g}' if isinstance(value, float) else value}" for name, value in said.items())


def _toml(value: object) -> str:
    """A value as TOML; a JSON text, number or list of texts is one."""
    return json.dumps(value, ensure_ascii=False)


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml(key)
