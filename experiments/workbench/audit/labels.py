"""The labels that students are audited by: those of the roster, or of a file that nothing else reads."""

import io
from pathlib import Path

import pandas as pd

from features.console import read_file
from features.errors import InputError, MissingError
from features.home import Home
from training.evaluation.comparison import read_audit

COLUMNS = ["student_id", "column", "value"]


def read_labels(path: Path | None, home: Home) -> pd.DataFrame:
    """Reads one row per student and column: `student_id`, `column`, `value`.

    Args:
        path: A CSV file of these columns, as the roster's `demographics.csv`; null for the roster's own.
        home: Whose roster is read.

    Raises:
        InputError: The file is not there, is no such table, or says two things of a student.
        MissingError: The roster has no labels.
    """
    if path is None:
        labels = read_audit(home.database_url())
        if labels.empty:
            raise MissingError("the roster has no demographics.csv; name a file of the same form with --groups")
        return labels
    try:
        labels = pd.read_csv(io.BytesIO(read_file(path)), dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError):  # pandas quotes rows
        raise InputError(f"{path} is no CSV file in UTF-8; its columns must be {', '.join(COLUMNS)}") from None
    if missing := [name for name in COLUMNS if name not in labels.columns]:
        raise InputError(f"{path} has no column {', '.join(missing)}; its columns must be {', '.join(COLUMNS)}")
    if count := int(labels.duplicated(["student_id", "column"]).sum()):
        raise InputError(
            f"{path} says more than once what a student is in a column, in {count} rows; leave one of each"
        )
    return labels.loc[(labels[COLUMNS] != "").all(axis=1), COLUMNS]
