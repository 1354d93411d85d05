"""Figures that sum up a student's work on a skill or domain, read as evidence without answers.

```toml
[file]
source = "i-ready"                  # the product

[columns]                           # student, time, and the skill or domain of a row
student = "Student ID"
time = "Completion Date"
skills = "Skill"                    # not where columns are of domains

[totals]
form = "percent"                    # percent, level or scale
column = "SmartScore"               # the figure; not where columns are of domains
max_score = 100                     # of percent: the largest figure
questions = "Questions answered"    # how many questions it rests on; may be missing
error = "Std Err"                   # its standard error, in its own unit; may be missing
# proficient = 480                  # of scale: the figure at grade level, and the points that make a clear difference
# spread = 20

[domains]                           # a column of figures for each domain
"Number and Operations Relative Placement" = "Number and Operations"

[levels]                            # of form level: the share of the skill that a student of this level has mastered
"2 Grade Levels Below" = 0.2
```

A diagnostic or a practice report says "85 %", "2 Grade Levels Below" or a scale score where a log has answers. From it
follows an estimate of mastery with its own uncertainty, and nothing else: no answer, attempt or moment is made up.

The figure is a share x of the skill, 0-1: of `percent` it is the figure by the largest one, of `level` what `[levels]`
says, of `scale` 1 / (1 + exp((proficient - figure) / spread)). The estimate is that of n questions of which the share x
was right, n being the number that the file names, or `USUAL_QUESTIONS`: mean (n x + 1) / (n + 2) and the standard
deviation of a beta distribution, sqrt(m (1 - m) / (n + 3)). A standard error of the figure adds to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.logs.cells import Marks, are_written, as_numbers, as_shares, as_text, as_whole_numbers
from features.logs.files.table_file import TableFile, find_column, read_cells
from features.logs.mapped import ASSUMED, TOTAL, join_parts, name_columns, read_times
from features.logs.mapping import Mapping as LogMapping
from features.logs.moments import UTC
from features.logs.rows import Cells, first_rule
from features.logs.sections import Totals

USUAL_QUESTIONS = 5
"""On how many questions a figure is taken to rest where nothing says it."""

MOST_QUESTIONS = 100
"""A figure of more questions is no surer: they are of many days, and of other skills too."""

MOST_UNCERTAIN = 0.5
"""No estimate of a share is less sure."""

LONGEST_FIGURE = 80
"""Characters of a figure that are kept."""

FIGURE = "figure "
"""Begins the name that the cells of a domain have among the others, which its place ends."""

TOTAL_TYPES: dict[str, object] = {
    "student_id": "str",
    "skill_id": "str",
    "occurred_at": UTC,
    "mastery": "float64",
    "uncertainty": "float64",
    "measure": "str",
    "figure": "str",
    "questions": pd.Int64Dtype(),
    "unused": "str",
    "rejected": "str",
}
"""Columns and types of a row of evidence: `figure` as it was written, `measure` the name of its column."""


@dataclass(frozen=True)
class TotalsLog:
    """A file of totals that is ready to be read.

    Attributes:
        source: The product that they are of.
        table: The file.
        positions: The column's position in the file by the name that `convert` uses.
        mapping: What the columns are.
        totals: Its section on totals.
    """

    source: str
    table: TableFile
    positions: Mapping[str, int]
    mapping: LogMapping
    totals: Totals

    @property
    def notes(self) -> tuple[str, ...]:
        """How the file was read, in sentences for whoever loads it."""
        note = (
            f"read as totals without answers ({self._shape}): they feed evidence, which is a weaker kind of profile. "
            "A student of whom nothing else is known on a skill gets a check-in or reteach need from them; they change "
            "no profile of answers, no model and no forecast"
        )
        local = self.mapping.time.zone is None and self.mapping.time.at is None
        return (note, *([ASSUMED] if local else ()))

    @property
    def expected_chunks(self) -> int | None:
        """How many chunks reading will yield, roughly."""
        return self.table.expected_chunks

    @property
    def _shape(self) -> str:
        domains = self.mapping.domains
        return f"{len(domains):,} domains of each row" if domains else "a skill a row"

    def chunks(self) -> Iterator[pd.DataFrame]:
        """The rows in the shape of `TOTAL_TYPES`, a few hundred thousand at a time.

        Raises:
            InputError: The file is damaged or not in its encoding.
        """
        distinct = sorted(set(self.positions.values()))
        for chunk in read_cells(self.table, distinct):
            cells = {name: chunk.cells[distinct.index(place)] for name, place in self.positions.items()}
            if len(chunk.cells[0]):
                yield convert_totals(join_parts(cells, self.mapping), self.mapping, self.totals)
            for name, rule, lines in (
                ("rejected", "wrong_number_of_cells", chunk.broken_lines),
                ("unused", "text_line", chunk.text_lines),
            ):
                if lines:
                    yield _rows({name: rule}, lines)


def open_totals(table: TableFile, mapping: LogMapping, totals: Totals) -> TotalsLog:
    """A file of totals.

    Args:
        table: The file.
        mapping: What its columns are.
        totals: The mapping's section on totals.

    Raises:
        InputError: It lacks a column that the mapping names.
    """
    named = name_columns(mapping)
    places = {name: find_column(table.columns, column, f"[columns] {name}") for name, column in named.items()}
    for name in ("questions", "error"):
        if column := getattr(totals, name):
            places[name] = find_column(table.columns, column, f"[totals] {name}")
    what = "[domains]" if mapping.domains else "[totals] column"
    figures = {f"{FIGURE}{at}": name for at, (name, _) in enumerate(_figures(mapping, totals))}
    places |= {key: find_column(table.columns, name, what) for key, name in figures.items()}
    return TotalsLog(mapping.file.source, table, places, mapping, totals)


def convert_totals(cells: Cells, mapping: LogMapping, totals: Totals) -> pd.DataFrame:
    """The figures of one chunk in the shape of `TOTAL_TYPES`; a row may already carry the rule it breaks."""
    figures, once = _figures(mapping, totals), len(cells["student"])
    size = once * len(figures)
    rows = {
        name: pa.concat_arrays([cell] * len(figures)) for name, cell in cells.items() if not name.startswith(FIGURE)
    }
    figure = pa.concat_arrays([as_text(cells[f"{FIGURE}{at}"]) for at in range(len(figures))])
    skill = as_text(rows["skills"]) if "skills" in rows else _repeat([domain for _, domain in figures], once)
    share, unreadable = _shares(figure, mapping, totals)
    questions, _ = as_whole_numbers(rows.get("questions", pa.nulls(size, pa.string())))
    error, _ = as_numbers(rows.get("error", pa.nulls(size, pa.string())))
    mastery, uncertainty = estimate_mastery(
        share, questions.astype("Float64").to_numpy(np.dtype(np.float64), na_value=np.nan)
    )
    if totals.form != "level":  # by how much more the share itself may miss
        unit = totals.max_score if totals.form == "percent" else (totals.spread or 1.0) / (share * (1 - share))
        uncertainty = np.hypot(uncertainty, np.nan_to_num(np.abs(error) / unit))
    student = as_text(rows["student"])
    times = rows.get("time", pa.nulls(size, pa.string()))
    sequence, occurred_at, bad_time = read_times(times, mapping.time)
    absent = ~are_written(figure)
    counted = ~pc.fill_null(pc.match_substring_regex(student, TOTAL), False).to_numpy(zero_copy_only=False)
    told = counted & (are_written(student) | are_written(times))
    no_time = np.ones(size, bool) if occurred_at is None else occurred_at.isna().to_numpy()
    rules = {
        "unreadable_time": bad_time | (sequence is not None),
        "unknown_level" if totals.form == "level" else "unreadable_figure": unreadable,
        "no_student": ~are_written(student),
        "no_skill": ~are_written(skill),
        "no_time": no_time,
    }
    return _rows(
        {
            "student_id": student,
            "skill_id": skill,
            "occurred_at": occurred_at,
            "mastery": mastery,
            "uncertainty": np.minimum(uncertainty, MOST_UNCERTAIN),
            "measure": _repeat([name for name, _ in figures], once),
            "figure": pc.utf8_slice_codeunits(figure, 0, LONGEST_FIGURE),
            "questions": questions.mask(questions < 0),
            "unused": first_rule(size, {"total_line": ~told, "no_figure": absent}),
            "rejected": first_rule(size, rules),
        },
        size,
    )


def estimate_mastery(
    share: npt.NDArray[np.float64], questions: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation of mastery, 0-1, after so many questions of which this share was right.

    Args:
        share: 0-1; NaN where nothing is known.
        questions: NaN where nobody says how many.

    Example:
        >>> [round(float(value[0]), 3) for value in estimate_mastery(np.array([0.8]), np.array([np.nan]))]
        [0.714, 0.16]
    """
    count = np.clip(np.where(np.isnan(questions), USUAL_QUESTIONS, questions), 0, MOST_QUESTIONS)
    mean = (count * share + 1) / (count + 2)
    return mean, np.sqrt(mean * (1 - mean) / (count + 3))


def _figures(mapping: LogMapping, totals: Totals) -> list[tuple[str, str | None]]:
    """The columns of figures, and the skill that each is of; null where another column says it."""
    return [*mapping.domains] or [(totals.column or "", None)]


def _shares(figure: pa.Array, mapping: LogMapping, totals: Totals) -> tuple[npt.NDArray[np.float64], Marks]:
    """The share of the skill that each figure stands for, NaN where it is none, and which figures cannot be read."""
    if totals.form == "level":
        words = pa.array([word.strip().lower() for word, _ in mapping.levels])
        shares = pa.array([share for _, share in mapping.levels], pa.float64())
        of_word = pc.take(shares, pc.index_in(pc.utf8_lower(figure), words)).to_numpy(zero_copy_only=False)
        return of_word, are_written(figure) & np.isnan(of_word)
    if totals.form == "percent":
        percent, unreadable = as_shares(figure, totals.max_score)
        wrong = unreadable | (percent < 0) | (percent > 1)
        return np.where(wrong, np.nan, percent), wrong
    points, unreadable = as_numbers(figure)
    distance = np.clip((points - (totals.proficient or 0.0)) / (totals.spread or 1.0), -10, 10)
    return 1 / (1 + np.exp(-distance)), unreadable


def _rows(columns: Mapping[str, object], size: int) -> pd.DataFrame:
    index = pd.RangeIndex(size)
    values = {name: columns.get(name) for name in TOTAL_TYPES}
    plain = {name: value.to_pandas() if isinstance(value, pa.Array) else value for name, value in values.items()}
    return pd.DataFrame(
        {name: pd.Series(plain[name], index=index, dtype=kind) for name, kind in TOTAL_TYPES.items()},  # type: ignore[call-overload]
        index=index,
    )


def _repeat(words: Sequence[str | None], size: int) -> pa.Array:
    """Each word so many times."""
    return pa.concat_arrays([pa.repeat(pa.scalar(word, pa.string()), size) for word in words])
