"""Sheets with a row per student and a column per question, turned into a row per answer.

Products differ in where the points stand: Google Forms writes "1.00 / 1" below "Question [Score]"; Canvas writes the
answer below "1001: Question" and the points beside it, below the points that can be had, "1.0"; Moodle writes points
below "Q. 1 /1.00". Each cell of a question is a row of the log: an answer, or `not_answered` where it is blank.

```toml
[file]
quiz = "May"                        # goes before each question, so that question 1 of two quizzes are two items

[columns]                           # of a row: student, time, and maybe attempt and event_id, of a submission
student = "Username"
time = "Timestamp"

[questions]                         # column = its skill; "" where none is known
"Half of 8 [Score]" = "4.NF.B.4"
"Quiz 1" = { skill = "ratios", max_score = 20 }   # where neither the heading nor the cells say it

[correct]
form = "score"                      # "1.00 / 2", or points of those that the question has
```
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.logs.cells import as_text
from features.logs.files.table_file import find_column
from features.logs.rows import ITEM_MARK, Cells
from features.logs.sections import Question

QUESTION = "question "
"""Begins the name that the cells of a question have among the others, which its place ends."""

POINTS = r"[0-9]+(?:\.[0-9]+)?"

SAYS_POINTS = re.compile(
    rf"\s*(?:\[score\]|/\s*(?P<of>{POINTS})|\((?P<points>{POINTS}) ?(?:points?|pts?\.?)\))$", re.IGNORECASE
)
"""The end of a heading below which points stand, and how many can be had if it says that."""


def find_questions(columns: Sequence[str], questions: Sequence[Question]) -> tuple[dict[str, int], list[float | None]]:
    """Where the points of each question stand in a row, and how many it has; null where neither says it.

    Raises:
        InputError: A question is no column, or several.
    """
    places, largest = {}, []
    for number, question in enumerate(questions):
        place = find_column(columns, question.column, "[questions]")
        found = SAYS_POINTS.search(question.column)
        most = found and (found["of"] or found["points"])
        next_to = columns[place + 1].strip() if place + 1 < len(columns) else ""
        if found is None and re.fullmatch(POINTS, next_to):
            place, most = place + 1, next_to
        places[f"{QUESTION}{number}"] = place
        largest.append(question.max_score or (float(most) if most else None))
    return places, largest


def name_item(heading: str, quiz: str | None) -> str:
    """The item that a question is.

    Args:
        heading: Its column.
        quiz: What goes before it, so that the first questions of two quizzes are two items.

    Example:
        >>> name_item("Half of 8 [Score]", "May")
        'May :: Half of 8'
    """
    text = SAYS_POINTS.sub("", heading.strip())
    return ITEM_MARK.join([*([quiz] if quiz else []), text])


def describe_questions(questions: Sequence[Question]) -> str:
    """How the sheet was read, in a sentence for whoever loads it."""
    skillless = sum(question.skill is None for question in questions)
    missing = f"; {skillless:,} of them name no skill, so that no group can work on it" if skillless else ""
    return f"read as a row per student with {len(questions):,} questions, each cell of which is an answer{missing}"


def unpivot(
    cells: Cells, questions: Sequence[Question], quiz: str | None, largest: Sequence[float | None], usual: float
) -> tuple[Cells, npt.NDArray[np.float64]]:
    """One row per student and question, all rows of the first question first, and the score that is all of each row.

    Args:
        cells: The cells of the columns, and of the questions by their number.
        questions: The questions.
        quiz: What goes before each of them.
        largest: How many points each has.
        usual: How many a question has of which nothing is known.
    """
    size, count = len(cells["student"]), len(questions)
    rows = {name: pa.concat_arrays([cell] * count) for name, cell in cells.items() if not name.startswith(QUESTION)}
    rows["correct"] = pa.concat_arrays([as_text(cells[f"{QUESTION}{number}"]) for number in range(count)])
    rows["item"] = _repeat([name_item(question.column, quiz) for question in questions], size)
    rows["skills"] = _repeat([question.skill for question in questions], size)
    if "event_id" in rows:  # of a submission, in which each question is an answer of its own
        columns = _repeat([question.column for question in questions], size)
        rows["event_id"] = pc.binary_join_element_wise(as_text(rows["event_id"]), columns, ITEM_MARK)
    return rows, np.repeat([most or usual for most in largest], size)


def _repeat(words: Sequence[str | None], size: int) -> pa.Array:
    """Each word so many times."""
    return pa.concat_arrays([pa.repeat(pa.scalar(word, pa.string()), size) for word in words])
