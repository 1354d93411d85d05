"""Whether a table has a row per student with questions or totals in its columns, guessed from headings and values."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.logs.cells import as_numbers, as_text
from features.logs.starter.guesses import NOTHING, Guess, guess_correct
from features.logs.wide import POINTS, SAYS_POINTS

FEWEST = 2
"""Columns alike that make a sheet with a row per student."""

NUMBERED = re.compile(r"(q|question|item|problem|task|exercise)[ ._#-]*[0-9]+\b.*", re.IGNORECASE)
"""The heading of a column of outcomes that is a question, though it does not say how many points there are."""

CODE = re.compile(r"\b(?:K|[1-9]|1[0-2]|HS)\.[A-Z]{1,4}(?:\.[A-Z0-9]+)+\b|\b[1-9]\.[0-9]+\([A-Z]\)")
"""The code of a standard within a heading."""

FIGURES = {
    "level": r"(relative )?placement|(performance|proficiency|achievement|mastery) (level|band)",
    "percent": r"smart ?score|%( correct| mastered| proficiency)?|percent( correct| mastered| score)?|mastery( score)?"
    r"|proficiency( score)?|accuracy|score",
    "scale": r"(goal |test |overall )?((scale|scaled|rit|diagnostic) ?score|rit|quantile( measure)?|lexile( measure)?)",
}
"""Headings of totals by their form, the surest first; `score` alone only behind the name of a domain."""

SURE = r"smart ?score|mastery|proficien|placement|percent|%|accuracy|scaled? ?score|\brit\b|quantile|lexile|level$"
"""Headings that are totals even where nothing counts questions."""

COUNT = (
    r"(questions|problems|items|exercises).*(answered|attempted|count|total|done)"
    r"|(number|#|count|no\.?) (of )?(questions|items|problems).*|questions|items"
)
ERROR = r"(.* )?(std\.? ?err(or)?|standard error|sem)"

LEVELS = (
    (r"[3-9]\+?( or more)? (grade )?levels? below|([3-9]|three)( or more)? (grades?|years?) below", 0.1),
    (r"(2|two) (grade )?levels? below|(2|two) (grades?|years?) below", 0.2),
    (r"(1|one) (grade )?levels? below|(1|one) (grades?|years?) below", 0.4),
    (r"below basic|far below|not (yet )?(met|proficient)|does not meet|did not meet|beginning|beginner|minimal", 0.2),
    (r"early on grade( level)?|early on level", 0.65),
    (r"nearly met|approach(es|ing|ed)?.*|partial(ly)?.*|basic|developing|emerging|progressing|familiar", 0.45),
    (r"above.*|mid or above.*|advanced|exceed(s|ed)?.*|master(ed|y)|exemplary|distinguished", 0.9),
    (r"on (grade )?level|on grade|at (grade )?level|at grade|proficient|met( standard)?|meets.*", 0.75),
    (r"below.*|attempted|needs.*|low|not started", 0.2),
)
"""Words for levels and the share of a skill that they stand for, the narrower words first."""

Cells = Mapping[str, pa.Array]


@dataclass(frozen=True)
class Sheet:
    """What a mapping says of a sheet with a row per student.

    Attributes:
        uses: Columns that are questions, totals or what belongs to them.
        numbers: Those of them in which points or totals stand.
        needs_skill: Whether a column names the skill of a row.
        sections: What the sections of the mapping say.
    """

    uses: frozenset[str]
    numbers: frozenset[str]
    needs_skill: bool = False
    sections: Mapping[str, Guess] = field(default_factory=dict)


def guess_sheet(columns: Sequence[str], cells: Cells) -> Sheet | None:
    """What the sheet is; null where a row is an answer.

    Args:
        columns: All columns in their order; a name may come twice.
        cells: The first cells of the columns whose name comes once.
    """
    return _guess_questions(columns, cells) or _guess_domains(cells) or _guess_figure(cells)


def _guess_questions(columns: Sequence[str], cells: Cells) -> Sheet | None:
    said = [name for name in cells if re.search(r"\[score\]$", name, re.IGNORECASE) and guess_correct(cells[name])]
    next_to = [
        name
        for name, following in pairwise(columns)
        if re.match(r"[0-9]+: ", name) and re.fullmatch(POINTS, following.strip()) and name in cells
    ]
    pointed = [name for name in cells if SAYS_POINTS.search(name) and re.match(r"(?i)(?!total|grade|score)", name)]
    numbered = [name for name in cells if NUMBERED.fullmatch(name.strip()) and guess_correct(cells[name])]
    questions = next((found for found in (said, next_to, pointed, numbered) if len(found) >= FEWEST), None)
    if questions is None:
        return None
    stems = {SAYS_POINTS.sub("", name).strip() for name in questions}
    uses = {
        name
        for name in cells
        if name in questions or name in stems or re.sub(r"\s*\[feedback\]$", "", name, flags=re.IGNORECASE) in stems
    }
    codes = {name: code[0] if (code := CODE.search(name)) else "" for name in questions}
    asked = Guess(dict(codes), {name: "? its skill, such as 4.NF.B.3" for name, code in codes.items() if not code})
    correct = Guess({"form": "score"}, {"form": "points of those that can be had"})
    if questions is numbered:
        correct = guess_correct(pa.concat_arrays([as_text(cells[name]) for name in questions])) or correct
    numbers = frozenset(() if questions is next_to else questions)
    return Sheet(frozenset(uses), numbers, sections={"correct": correct, "questions": asked})


def _guess_domains(cells: Cells) -> Sheet | None:
    """Several columns with totals of one form, each of a domain that its heading names."""
    for form, pattern in FIGURES.items():
        of_suffix: dict[str, dict[str, str]] = defaultdict(dict)
        for name in cells:
            found = re.fullmatch(rf"(?P<domain>.+?)[\s:(,-]+(?P<suffix>{pattern})\)?", name.strip(), re.IGNORECASE)
            if found and found["domain"].lower() not in {"overall", "total", "composite"} and _fits(form, cells[name]):
                of_suffix[found["suffix"].lower()][name] = found["domain"].strip()
        best = max(of_suffix.values(), key=len, default={})
        if len(best) >= FEWEST:
            sections = _describe(form, [cells[name] for name in best])
            return Sheet(frozenset(best), frozenset(best), sections=sections | {"domains": Guess(dict(best))})
    return None


def _guess_figure(cells: Cells) -> Sheet | None:
    """A row per student and skill with one total."""
    counts = next((name for name in cells if re.fullmatch(COUNT, _plain(name))), None)
    for form, pattern in FIGURES.items():
        for name, column in cells.items():
            words = _plain(name)
            sure = re.search(SURE, words) is not None
            if not re.fullmatch(pattern, words) or not (sure or counts) or not _fits(form, column):
                continue
            error = next((each for each in cells if re.fullmatch(ERROR, _plain(each))), None)
            more = {key: found for key, found in (("questions", counts), ("error", error)) if found}
            sections = _describe(form, [column])
            totals = sections["totals"]
            sections["totals"] = Guess({"column": name, **totals.lines, **more}, totals.why)
            return Sheet(frozenset({name, *more.values()}), frozenset({name}), needs_skill=True, sections=sections)
    return None


def _fits(form: str, column: pa.Array) -> bool:
    """Whether the cells are totals of this form."""
    text = as_text(column)
    text = text.filter(pc.invert(pc.fill_null(pc.is_in(text, pa.array(NOTHING)), True)))
    written = text.drop_null()
    if not len(written):
        return False
    if form == "level":
        return all(_share_of(word) is not None for word in pc.unique(written).to_pylist())
    numbers, unreadable = as_numbers(pc.replace_substring_regex(written, r"\s*%$", ""))
    return not unreadable.any() and (form == "scale" or bool((numbers >= 0).all() and (numbers <= 100).all()))  # noqa: PLR2004


def _describe(form: str, columns: Sequence[pa.Array]) -> dict[str, Guess]:
    """The sections that say how the totals are written."""
    texts = pa.concat_arrays([as_text(column) for column in columns])
    lines: dict[str, object] = {"form": form}
    why = {"form": "totals without answers, which feed evidence only"}
    if form == "level":
        words = [word for word in pc.unique(texts).drop_null().to_pylist() if word not in NOTHING]
        shares = sorted(((word, _share_of(word) or 0.0) for word in words), key=lambda pair: pair[1])
        remark = "? share of the skill that a student of this level has mastered"
        return {"totals": Guess(lines, why), "levels": Guess(dict(shares), dict.fromkeys(words, remark))}
    if form == "percent":
        numbers, _ = as_numbers(texts)
        lines["max_score"] = 1 if 0 < np.nanmax(numbers, initial=0.0) <= 1 else 100
    else:
        why["form"] += "; ? add proficient = the score at grade level, and spread = points that make a clear difference"
    return {"totals": Guess(lines, why)}


def _share_of(word: str) -> float | None:
    return next((share for pattern, share in LEVELS if re.fullmatch(pattern, word.strip().lower())), None)


def _plain(name: str) -> str:
    """A name in small letters with blanks between its words: "SmartScore" is "smart score"; signs of numbers stay."""
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return re.sub(r"[^\w%#]+|_", " ", words).lower().strip()
