"""How the cells of a column are written, guessed from the cells: times, outcomes, durations, skills in one cell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.logs.cells import (
    FRACTION,
    NO,
    PERCENT,
    YES,
    are_written,
    as_numbers,
    as_seconds,
    as_shares,
    as_text,
    with_points,
    without_words,
)
from features.logs.moments import SLASHED, UTC_OFFSET, as_dates, as_moments, as_patterned
from features.logs.sections import UNDECIDED

ENOUGH = 0.9
"""Share of written cells that a form has to read."""

NOTHING = ("NA", "N/A", "NULL", "null", "None", "nan", "NaN", "\\N", "-", "--", "#N/A", "undefined")
"""Words for nothing that programs write."""

FURTHER_NO = ("hint", "initial_hint", "bug", "error", "skipped", "skip", "timeout", "unanswered")
FURTHER_YES = ("ok",)
"""Words of outcomes beside the usual ones: none of them is a right answer, but for the last."""

PATTERNS = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y %H:%M",
    "%d %b %Y %H:%M",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y, %I:%M %p",
    "%b %d, %Y %H:%M",
    "%B %d, %Y %I:%M %p",
    "%d %B %Y, %I:%M %p",
    "%Y%m%d%H%M%S",
    "%Y/%m/%d %I:%M:%S %p",
    "%Y/%m/%d %I:%M:%S %p %Z",
    "%d %B %Y %I:%M %p",
)
"""Times with names of months, or with the year first, as programs write them."""

EPOCHS = {"epoch_seconds": 1e9, "epoch_milliseconds": 1e12, "epoch_microseconds": 1e15}
"""Forms of counted times, by roughly how many units there were in 2001."""

SERIALS = 30_000, 80_000
"""Days of spreadsheets that are between 1982 and 2119."""

LONG_S = 1_000
"""Nobody works on most answers for as many seconds."""

CODE = re.compile(r"[^\s]*[0-9][^\s]*")
"""A code of a standard or skill, such as 4.NF.A.1."""


@dataclass(frozen=True)
class Guess:
    """What a section of a mapping would say of a column.

    Attributes:
        lines: Values by key.
        why: Remarks by key, for whoever checks the mapping.
    """

    lines: dict[str, object] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)


def find_nulls(columns: Sequence[pa.Array]) -> list[str]:
    """The words for nothing that stand in columns beside other cells."""
    found = {word for cells in columns for word in pc.unique(as_text(cells)).to_pylist() if word in NOTHING}
    return sorted(found)


def guess_time(cells: pa.Array) -> Guess | None:
    """How times are written; null where the cells are none."""
    text = _written(cells)
    if not len(text):
        return None
    form = _time_form(text)
    if form is None:
        return None
    guess = Guess({"form": form})
    if form == UNDECIDED:
        guess.why["form"] = "? no day is above 12, so nothing tells which number is the month: say us or eu"
    elif form == "us":
        guess.why["form"] = "the month comes first"
    elif form == "eu":
        guess.why["form"] = "the day comes first"
    with_zone = pc.match_substring_regex(text, UTC_OFFSET + "|(?i)(utc|gmt)$" if form == "iso" else r"(UTC|GMT|Z)$")
    if form not in EPOCHS and not form.endswith("%Z") and not pc.all(with_zone).as_py():
        guess.lines["zone"] = "UTC"
        guess.why["zone"] = '? the times do not say: where they are of a school\'s clock, such as "America/Chicago"'
    return guess


def shows_clock(cells: pa.Array) -> bool:
    """Whether any of the times has a clock."""
    return bool(
        pc.any(pc.match_substring_regex(_written(cells), r"[0-9]:[0-9]|^[0-9]+(\.[0-9]+)?$"), min_count=0).as_py()
    )


def is_clock(cells: pa.Array) -> bool:
    """Whether the cells are clocks without a date."""
    return _share(_written(cells), r"^[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( ?[AaPp]\.?[Mm]\.?)?$") >= ENOUGH


def guess_correct(cells: pa.Array) -> Guess | None:
    """How right and wrong are written; null where the cells are neither outcomes nor scores."""
    text = _written(cells)
    words = {word.lower() for word in pc.unique(text).to_pylist()}
    if not words:
        return None
    if words <= {"0", "1", "0.0", "1.0"}:
        return Guess({"form": "zero_one"})
    known = {*YES, *NO, *FURTHER_YES, *FURTHER_NO}
    if sum(1 for word in words if word in known) >= ENOUGH * len(words) and words - {"0", "1", "0.0", "1.0"}:
        more = {"yes": sorted(words & {*FURTHER_YES}), "no": sorted(words & {*FURTHER_NO})}
        lines: dict[str, object] = {"form": "bool", **{key: found for key, found in more.items() if found}}
        unknown = sorted(words - known)
        return Guess(lines, {"form": f"? unknown words: {', '.join(unknown)}"} if unknown else {})
    points = with_points(text)
    shares, unreadable = as_shares(points, 1.0)
    if unreadable.mean() > 1 - ENOUGH or np.nanmin(shares) < 0:
        return None
    plain = shares[~_marks(pc.match_substring_regex(points, f"{PERCENT}|{FRACTION}"))]
    most = float(np.nanmax(plain, initial=0.0))
    if most <= 1:
        return Guess({"form": "score"}, {"form": "a score of 1 is right, less is partly right"})
    most = 100 if 50 < most <= 100 else int(np.ceil(most))  # noqa: PLR2004 - percent
    return Guess(
        {"form": "score", "max_score": most},
        {"max_score": "? the most that can be had, all of which is right; a line pass_mark = 0.8 asks for less"},
    )


def guess_duration(cells: pa.Array, name: str) -> Guess | None:
    """In which unit durations are written; null where the cells are none.

    Args:
        cells: A column.
        name: Its name, in small words.
    """
    text = with_points(_written(cells))
    if not len(text) or as_seconds(text, 1.0)[1].mean() > 1 - ENOUGH:
        return None
    numbers, no_number = as_numbers(text)
    if no_number.mean() > 1 - ENOUGH:
        return Guess({"unit": "s"}, {"unit": "written as minutes and seconds"})
    for unit, pattern in (("ms", r"\bms\b|milli"), ("min", r"\bmin(ute)?s?\b"), ("s", r"\bsec|\bs\b")):
        if re.search(pattern, name):
            return Guess({"unit": unit})
    unit = "ms" if np.nanmedian(numbers) > LONG_S else "s"
    return Guess({"unit": unit}, {"unit": "? by the size of the numbers"})


def guess_separator(cells: pa.Array) -> str | None:
    """What stands between several skills in one cell; null where each cell is one."""
    texts = pc.unique(_written(cells)).to_pylist()
    for separator in ("~~", ";", "|", ","):
        parts = [[part.strip() for part in text.split(separator)] for text in texts]
        several = [part for each in parts if len(each) > 1 for part in each]
        alone = {each[0] for each in parts if len(each) == 1}
        codes = sum(1 for part in several if part in alone or CODE.fullmatch(part))
        if several and all(several) and codes >= (ENOUGH if separator == "," else 0.5) * len(several):
            return separator
    return None


def has_decimal_comma(cells: pa.Array) -> bool:
    """Whether numbers are written as 0,5."""
    return bool(pc.any(pc.match_substring_regex(_written(cells), r"^[0-9]+,[0-9]+$"), min_count=0).as_py())


def are_counts(cells: pa.Array, least: int) -> bool:
    """Whether the cells are small whole numbers from some number."""
    numbers, unreadable = as_numbers(_written(cells))
    whole = ~unreadable & (numbers >= least) & (numbers <= 1_000) & (numbers == np.rint(numbers))  # noqa: PLR2004
    return len(numbers) > 0 and whole.mean() >= ENOUGH


def _time_form(text: pa.Array) -> str | None:
    if _share(text, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}") >= ENOUGH and _reads(as_moments(text)[1]):
        return "iso"
    if _share(text, SLASHED) >= ENOUGH:
        return _which_first(text)
    numbers, unreadable = as_numbers(text)
    if _reads(unreadable):
        middle = float(np.nanmedian(numbers))
        if SERIALS[0] <= middle <= SERIALS[1] and (numbers != np.rint(numbers)).mean() > 0.5:  # noqa: PLR2004
            return "serial"
        return next((form for form, size in EPOCHS.items() if 0.6 * size <= middle <= 4 * size), None)
    return next((form for form in PATTERNS if _reads(as_patterned(text, form, "UTC")[1])), None)


def _which_first(text: pa.Array) -> str | None:
    """Whether the month or the day comes first, by what can only be one of them."""
    moments, fits = {}, {}
    for form in ("us", "eu"):
        moments[form], unreadable = as_dates(text, "UTC", month_first=form == "us")
        future = (moments[form] > pd.Timestamp(datetime.now(UTC)) + pd.Timedelta(days=1)).to_numpy()
        fits[form] = 1 - (unreadable | future).mean()
    if max(fits.values()) < ENOUGH:
        return None
    if fits["us"] != fits["eu"]:
        return max(fits, key=lambda form: fits[form])
    if pc.any(pc.match_substring_regex(text, r"(?i)[ap]\.?m\.?$"), min_count=0).as_py():
        return "us"
    if _share(text, r"^[0-9]{1,2}\.") >= ENOUGH:
        return "eu"
    return "us" if moments["us"].equals(moments["eu"]) else UNDECIDED


def _written(cells: pa.Array) -> pa.Array:
    text = as_text(without_words(cells, NOTHING))
    return text.filter(pa.array(are_written(text)))


def _share(text: pa.Array, pattern: str) -> float:
    return float(_marks(pc.match_substring_regex(text, pattern)).mean()) if len(text) else 0.0


def _reads(unreadable: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> bool:
    return bool(len(unreadable)) and 1 - float(unreadable.mean()) >= ENOUGH


def _marks(condition: pa.Array) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    marks: np.ndarray[tuple[int], np.dtype[np.bool_]] = pc.fill_null(condition, False).to_numpy(zero_copy_only=False)
    return marks
