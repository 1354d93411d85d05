"""LearnLab DataShop exports: transactions (a row per action) and student-steps (a row per step), tab separated.

Student-steps are also read as the KDD Cup of 2010 gave them out.

A response is one attempt at a step of a problem, so item = problem and step. A hint asked for as the first action on a
step counts as an incorrect first attempt, as DataShop's own student-step table has it; later hints and rows without an
outcome are no responses. A student-step row is the first attempt, with the hints of the whole step.

Several models may say which knowledge components (KC), our skills, a step needs. One is read: the one asked for, else
"Default", else the first that is no trivial one (a single component for everything, or one for each step), and the log
says which. Student-step times carry no zone and are taken as UTC, or as who loads them says. Times that a spreadsheet
rewrote (3/5/2026 9:05) are read with the month first, as in the United States, where DataShop is. Rows without a
student and an outcome, which spreadsheets leave at the end, are blank. A file with commas is read as such, with quoted
cells.

Source: https://pslcdatashop.web.cmu.edu/help?page=export
"""

import csv
import re
from dataclasses import replace
from pathlib import Path
from zoneinfo import available_timezones

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from features.logs.cells import Marks, as_numbers, as_text, as_whole_numbers, join_cells
from features.logs.files.content import read_head
from features.logs.files.table_file import TableFile, find_column, open_table
from features.logs.files.table_start import find_start
from features.logs.files.text_file import TextForm
from features.logs.moments import as_dates, as_moments
from features.logs.rows import ITEM_MARK, SKILL_MARK, Cells, Log, first_rule

TRANSACTION = {
    "key": "Transaction Id",
    "student": "Anon Student Id",
    "time": "Time",
    "zone": "Time Zone",
    "duration_s": "Duration (sec)",
    "action": "Student Response Type",
    "problem": "Problem Name",
    "step": "Step Name",
    "attempt": "Attempt At Step",
    "outcome": "Outcome",
}
STUDENT_STEP = {
    "student": "Anon Student Id",
    "time": "First Transaction Time",
    "duration_s": "Step Duration (sec)",
    "problem": "Problem Name",
    "view": "Problem View",
    "step": "Step Name",
    "outcome": "First Attempt",
    "hints": "Hints",
}
KDD_CUP = STUDENT_STEP | {"outcome": "Correct First Attempt"}
"""Student-steps as the KDD Cup of 2010 gave them out, with 1 and 0 for correct and incorrect."""

FORMS = (TRANSACTION, STUDENT_STEP, KDD_CUP)

DEFAULT_MODEL = "Default"

TRIVIAL_MODELS = ("single-kc", "unique-step", "single kc", "unique step")
"""Models that DataShop adds by itself: everything is one skill, or every step one of its own."""

RIGHT, WRONG, HINT = ("CORRECT", "OK"), ("INCORRECT", "BUG", "ERROR"), ("HINT", "INITIAL_HINT")
"""Outcomes as tutors write them."""


def open_datashop(path: Path, kc_model: str | None = None, zone: str | None = None, sheet: str | None = None) -> Log:
    """A transaction or student-step export.

    Args:
        path: The export.
        kc_model: Name of the knowledge component model whose skills are read.
        zone: Time zone of times that name none; without it, UTC.
        sheet: Name of the sheet, where it is a spreadsheet.

    Raises:
        InputError: The file cannot be read, is neither export, or lacks the model.
    """
    form = find_form(read_head(path, sheet)) or TextForm("\t", quoted=False)
    table = open_table(path, replace(form, sheet=sheet))
    names = next((form for form in FORMS[1:] if form["outcome"] in table.columns), TRANSACTION)
    is_step = names is not TRANSACTION
    positions = {key: find_column(table.columns, name, "format datashop: column") for key, name in names.items()}
    model, places = choose_model(table, kc_model)
    skills = {f"skill {place}": place for place in places.get(model, ())}
    others = ", ".join(name for name in places if name != model)
    chosen = f'skills are those of the model "{model}"' + (f"; --kc-model names another of {others}" if others else "")
    assumed = "times name no zone and are taken as UTC; --zone says what they are"
    shape = f"read as DataShop's {'student steps' if is_step else 'transactions'}"
    shape += " of the KDD Cup 2010" if names is KDD_CUP else ""
    notes = [shape] + [chosen] * bool(places) + [assumed] * (is_step and zone is None)
    convert = convert_steps if is_step else convert_transactions
    return Log("datashop", table, positions | skills, lambda cells: convert(cells, zone or "UTC"), notes)


def find_form(head: bytes) -> TextForm | None:
    """How an export is written, whatever program saved it last; null where the header is of none.

    DataShop writes tabs and quotation marks as they are. A spreadsheet encloses cells in quotation marks, though only
    those with a comma or a mark within, also where tabs separate them.

    Args:
        head: The first bytes of the file.
    """
    for names in FORMS:
        form = find_start(head, names.values(), prefer="\t")
        text = head.decode(form.encoding, "replace").removeprefix("\ufeff")
        header = "".join(text.splitlines(keepends=True)[form.skip : form.skip + 1])
        if set(names.values()) <= set(next(csv.reader([header], delimiter=form.delimiter), ())):
            return replace(form, quoted=form.delimiter != "\t" or _is_enclosed(text))
    return None


def _is_enclosed(text: str) -> bool:
    """Whether each cell that begins with a quotation mark is enclosed in two, as a spreadsheet does where it must."""
    begun = re.findall(r'(?:^|\t)"(?=[^\t\r\n])', text, re.MULTILINE)
    enclosed = re.findall(r'(?:^|\t)"(?:[^"\t]*(?:,|"")[^\t]*)"(?=[\t\r\n]|\Z)', text, re.MULTILINE)
    return 0 < len(begun) == len(enclosed)


def choose_model(table: TableFile, kc_model: str | None) -> tuple[str, dict[str, list[int]]]:
    """The model that is read, and the positions of every model's columns; a step with several skills repeats one.

    Raises:
        InputError: The file has models, but not the one asked for.
    """
    places: dict[str, list[int]] = {}
    for place, name in enumerate(table.columns):
        if found := re.fullmatch(r"KC ?\((.+)\)", name):
            places.setdefault(found[1], []).append(place)
    if kc_model is not None and kc_model not in places:
        raise InputError(f'--kc-model "{kc_model}": {table.path.name} has {", ".join(places) or "no KC models"}')
    useful = [name for name in places if name.lower() not in TRIVIAL_MODELS] or list(places)
    return kc_model or (DEFAULT_MODEL if DEFAULT_MODEL in places else next(iter(useful), "")), places


def convert_transactions(cells: Cells, zone: str) -> dict[str, object]:
    """Raw columns of one chunk of a transaction export; `zone` is that of times that name none."""
    outcome = pc.utf8_upper(as_text(cells["outcome"]))
    attempt, bad_attempt = as_whole_numbers(cells["attempt"])
    is_first = attempt.eq(1).fillna(value=False).to_numpy()
    is_hint = _marks(pc.is_in(outcome, pa.array(HINT)))
    is_right = _marks(pc.is_in(outcome, pa.array(RIGHT)))
    asks_hint = is_hint | _marks(pc.equal(pc.utf8_upper(as_text(cells["action"])), "HINT_REQUEST"))
    graded = is_right | _marks(pc.is_in(outcome, pa.array(WRONG))) | (is_hint & is_first)
    occurred_at, bad_time, bad_zone = _zoned(cells["time"], cells["zone"], zone)
    return {
        **_shared(cells, is_right),
        "occurred_at": occurred_at,
        "attempt": attempt.mask(bad_attempt, -1),
        # a hint before a first attempt would itself be the first; what came before a later one is in other rows
        "hints": pd.array(np.where(is_first, is_hint, np.nan), dtype="Int64"),
        "event_key": as_text(cells["key"]),
        "unused": first_rule(
            len(graded), {"blank": _blank(cells), "hint_request": asks_hint & ~graded, "no_outcome": ~graded}
        ),
        "rejected": first_rule(len(graded), {"unknown_time_zone": bad_zone, "unreadable_time": bad_time}),
    }


def convert_steps(cells: Cells, zone: str) -> dict[str, object]:
    """Raw columns of one chunk of a student-step export, whose times are of a zone."""
    outcome = pc.utf8_lower(as_text(cells["outcome"]))
    graded = _marks(pc.is_in(outcome, pa.array(["correct", "incorrect", "hint", "1", "0"])))
    occurred_at, bad_time = _moments(cells["time"], zone)
    hints, bad_hints = as_whole_numbers(cells["hints"])
    key = [as_text(cells[name]) for name in ("problem", "view", "step")]
    return {
        **_shared(cells, _marks(pc.is_in(outcome, pa.array(["correct", "1"])))),
        "occurred_at": occurred_at,
        "attempt": 1,
        "hints": hints.mask(bad_hints, -1),
        "event_key": pc.binary_join_element_wise(*key, SKILL_MARK, null_handling="replace"),
        "unused": first_rule(len(graded), {"blank": _blank(cells), "no_outcome": ~graded}),
        "rejected": first_rule(len(graded), {"unreadable_time": bad_time}),
    }


def _blank(cells: Cells) -> Marks:
    return _marks(pc.and_(pc.is_null(as_text(cells["student"])), pc.is_null(as_text(cells["outcome"]))))


def _moments(cells: pa.Array, zone: str) -> "tuple[pd.Series[pd.Timestamp], Marks]":
    """Moments as DataShop writes them, or as a spreadsheet of the United States does."""
    moments, unreadable = as_moments(cells, zone)
    if not unreadable.any():
        return moments, unreadable
    rewritten, still = as_dates(cells, zone, month_first=True)
    return moments.mask(unreadable, rewritten), unreadable & still


def _shared(cells: Cells, correct: Marks) -> dict[str, object]:
    problem, step = as_text(cells["problem"]), as_text(cells["step"])
    joined = pc.binary_join_element_wise(problem, step, ITEM_MARK)
    duration_s, bad_duration = as_numbers(_no_dots(cells["duration_s"]))
    skills = [as_text(cell) for name, cell in cells.items() if name.startswith("skill ")]
    return {
        "student_id": as_text(cells["student"]),
        "item_id": pc.coalesce(joined, problem),
        "score": correct.astype(float),
        "correct": pd.array(correct, dtype="boolean"),
        "duration_s": np.where(bad_duration, np.inf, duration_s),
        "skills": _join_skills(skills),
    }


def _join_skills(cells: list[pa.Array]) -> pa.Array | None:
    if not cells:
        return None
    return as_text(pc.replace_substring(join_cells(cells, SKILL_MARK), "~~", SKILL_MARK))


def _zoned(times: pa.Array, zones: pa.Array, usual: str) -> "tuple[pd.Series[pd.Timestamp], Marks, Marks]":
    """Moments in UTC, which times are unreadable, and which zones unknown; a blank zone is the usual one."""
    zone_of_row = pc.fill_null(as_text(zones), usual)
    moments, bad_time = _moments(times, "UTC")
    unknown = np.zeros(len(times), dtype=bool)
    known = available_timezones()
    for zone in pc.unique(zone_of_row).to_pylist():
        here = _marks(pc.equal(zone_of_row, zone))
        if zone not in known:
            unknown |= here
        elif zone not in {"UTC", "GMT"}:
            moments = moments.mask(here, _moments(times, zone)[0])
    return moments, bad_time, unknown


def _no_dots(cells: pa.Array) -> pa.Array:
    """DataShop writes a dot where it knows no duration."""
    text = as_text(cells)
    return pc.if_else(pc.equal(text, "."), None, text)


def _marks(condition: pa.Array) -> Marks:
    marks: Marks = pc.fill_null(condition, False).to_numpy(zero_copy_only=False)
    return marks
