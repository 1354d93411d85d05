"""A mapping to begin with for a table that nobody knows: its columns and forms guessed from names and values.

What is printed is a mapping as it stands: saved unedited it reads the file, or says which line has to be decided first.
Three rows are shown as they would be read, so that a wrong guess is seen before anything is stored.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
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
from features.logs.starter.guesses import (
    Guess,
    are_counts,
    find_nulls,
    guess_correct,
    guess_duration,
    guess_separator,
    guess_time,
    has_decimal_comma,
    is_clock,
    shows_clock,
)
from features.logs.starter.sheets import NUMBERED, Sheet, guess_sheet
from features.logs.totals import open_totals

SAMPLE = 5_000
"""Rows that are looked at."""

FULL = 0.5
"""Share of the cells of the fullest row that a row has to have, to be none of the totals below a table."""

SHOWN = 3
"""Rows that are shown."""

DURATION = r"duration|elapsed|\bsecs?\b|seconds|minutes|spent|\btook\b|taken|latency|\bms\b|_ms|milli|response.?time"

LIKELY = {
    "student": (
        r"(student|user|learner|pupil|sis|anon).*\bid\b",
        r"_id$|\bid$",
        r"student|user|learner|pupil",
        r"mail|login",
    ),
    "time": (r"submit|answered|complet|finish", r"time|date|when|occurred|created|start|day", r""),
    "correct": (r"correct|right", r"outcome|result|verdict", r"score|points|marks?\b|percent|credit", r"grade"),
    "item": (r"item|question|exercise", r"problem", r"task|step|activity|assignment|quiz|lesson|prompt|title|page"),
    "skills": (r"skill|standard|objective|\bkc\b|ccss|teks|competenc", r"concept|topic|domain|strand"),
    "attempt": (r"attempt|\btr(y|ies)\b",),
    "hints": (r"hint",),
    "duration_s": (DURATION,),
    "event_id": (
        r"^(response|answer|event|log|transaction|submission|attempt|record).?(id|key|guid|uuid)$|^(guid|uuid|id)$",
    ),
    "kind": (r"^(event|activity|row)?.?(type|kind)$",),
}
"""Names of columns, the likelier first."""

UNLIKELY = {
    "student": r"(?<!user)(?<!user )name|grade|class|teacher|school|item|question|problem|skill|response|answer"
    r"|session|event|course",
    "time": f"{DURATION}|zone",
    "correct": r"max|possible|out.?of|total|count|attempt|opportun|\bid\b",
    "item": r"type|count|view|text|time|score|number of",
    "skills": r"count|opportun|level|score",
    "attempt": r"max|total|allowed|count|\bid\b|time|date|score",
    "hints": r"time|total|text",
    "duration_s": r"zone",
}
"""Names of columns that are something else."""

OF_TOTAL = (r"\bgoal\b", r"mission|module|\bunit\b|lesson", r"subject|discipline|course")
"""What a total may be of, where nothing nearer to a skill is named."""

KINDS = {
    "response": ("response", "question", "problem", "quiz", "answer", "practice", "exercise", "assessment"),
    "lesson": ("lesson", "reading", "page", "study", "article", "instruction"),
    "video": ("video", "watch", "film"),
    "login": ("login", "log in", "sign in"),
}
"""Words for what a row is."""

Cells = Mapping[str, pa.Array]


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
    found = _Columns({name: column for name, column in cells.items() if name not in sheet.uses})
    found.take_time()
    found.take("student", lambda name: cells[name].null_count < len(cells[name]))
    if "questions" in sheet.sections:
        found.take("attempt", lambda name: are_counts(cells[name], 1))
    if sheet.needs_skill:
        found.take_skill()
    return found.named, {**found.sections, **sheet.sections}


def _guess(cells: Cells) -> tuple[dict[str, str | list[str]], dict[str, Guess]]:
    """The columns by what they are, and what the other sections say of them."""
    found = _Columns(cells)
    found.guess("duration_s", "duration", lambda name: guess_duration(cells[name], _plain(name)))
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


class _Columns:
    """Columns that are not taken yet, and what the others are."""

    def __init__(self, cells: Cells) -> None:
        self.named: dict[str, str | list[str]] = {}
        self.sections: dict[str, Guess] = {}
        self._left = dict(cells)

    def take(self, key: str, fits: Callable[[str], object] = lambda _: True) -> str | None:
        """Takes the likeliest column by its name whose cells fit."""
        for pattern in LIKELY[key]:
            for name in self._left:
                unlikely = key in UNLIKELY and re.search(UNLIKELY[key], _plain(name))
                if re.search(pattern, _plain(name)) and not unlikely and fits(name):
                    self.named[key] = name
                    del self._left[name]
                    return name
        return None

    def guess(self, key: str, section: str, how: Callable[[str], Guess | None]) -> None:
        """Takes the likeliest column of whose cells a guess can be made, and keeps the guess."""
        if (name := self.take(key, how)) and (guess := how(name)):
            self.sections[section] = guess

    def take_time(self) -> None:
        """Takes the column of times, or those of date and clock; one with a clock comes before one without."""
        cells = dict(self._left)
        day = self.take("time", lambda name: shows_clock(cells[name]) and guess_time(cells[name]))
        day = day or self.take("time", lambda name: guess_time(cells[name]))
        if day is None:
            return
        times = cells[day]
        clock = None if shows_clock(times) else next((name for name in self._left if is_clock(cells[name])), None)
        if clock:
            self.named["time"] = [day, clock]
            del self._left[clock]
            times = pc.binary_join_element_wise(as_text(times), as_text(cells[clock]), " ")
        self.sections["time"] = guess_time(times) or Guess({"form": "iso"})

    def take_skill(self) -> None:
        """Takes the column that names the skill or domain of a total."""
        for pattern in (r"(skill|standard|domain|strand|objective).*name", *LIKELY["skills"], *OF_TOTAL):
            name = next((name for name in self._left if re.search(pattern, _plain(name))), None)
            if name is not None:
                self.named["skills"] = name
                return

    def take_item(self) -> None:
        """Takes the column of items; a step is one only together with its problem."""
        item = self.take("item")
        if item and re.search("problem", _plain(item)):
            step = next((name for name in self._left if re.fullmatch(r"step( name| id)?", _plain(name))), None)
            self.named["item"] = [item, step] if step else item


def _plain(name: str) -> str:
    """A name in small letters with blanks between its words: "studentId" is "student id"."""
    return re.sub(r"[_\W]+", " ", re.sub(r"([a-z])([A-Z])", r"\1 \2", name)).lower().strip()


def _are_distinct(cells: pa.Array) -> bool:
    """Whether each cell is an id of its own, and not the number of a row, which starts anew in every file."""
    text = as_text(cells)
    distinct = text.null_count == 0 and len(pc.unique(text)) == len(text) > 1
    return distinct and text.to_pylist() != [str(number) for number in range(1, len(text) + 1)]


def _guess_outcome(cells: Cells, name: str, students: pa.Array | None) -> Guess | None:
    """How outcomes are written; a school year, one number for each student, is none."""
    if students is not None and re.search("grade", _plain(name)):
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
