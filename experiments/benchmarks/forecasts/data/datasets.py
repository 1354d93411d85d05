"""The public logs that forecasts are measured on, and who and what of each is scored.

A row is one first answer of one student to one question; a question with several skills is one row, with its
combination of skills. What is scored is the probability that the answer is correct, forecast before it, from earlier
answers of the same student and from what training students showed. Nothing is learned from test students.

| data set | order | in test | scored |
|---|---|---|---|
| `gervet-assistments09` | place in the file, no clock | the file's `split` | every response |
| `gervet-algebra05` | clock in seconds, then place in the file | the file's `split` | every response |
| `pykt-assist2015` | place, no clock; no items, so the skill is the item | fold -1 | all but each student's first |
| `assistments-2012` | clock in seconds | one fifth of the students, by a hash of the id | every response |

The first three are the splits of papers, whose figures stand beside ours. The last has no published counterpart on
these rows; it is there because it has a clock and is the largest.

Responses of one student in the same second count as submitted together by regroup, not by the peers: a handful.

Source: Gervet et al. (2020), "When is deep learning the best approach to knowledge tracing?"; Liu et al. (2022),
"pyKT: a Python library to benchmark deep learning based knowledge tracing models".
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.benchmarks.forecasts.data.splits import StudentSplit, build_student_split
from features.errors import InputError
from features.events.identity.copies import find_copies
from features.schema import Events, ItemSkills, check_table
from training.config import TrainingConfig
from training.data.splits import fold_of_students

GERVET, PYKT = "Gervet et al. 2020", "Liu et al. 2022"


@dataclass(frozen=True)
class Published:
    """The AUC that a paper reports for a model on the same test rows."""

    model: str
    auc: float
    source: str


@dataclass(frozen=True)
class DataSet:
    """Where a data set is, and what is published of it.

    Attributes:
        name: On the command line.
        file: Under the data folder.
        skips_first: Whether each student's first response is left unscored.
        published: Figures on the same rows.
    """

    name: str
    file: str
    skips_first: bool = False
    published: tuple[Published, ...] = ()


def _publish(source: str, **auc: float) -> tuple[Published, ...]:
    return tuple(Published(model.replace("_", "-"), value, source) for model, value in auc.items())


DATA_SETS = {
    data_set.name: data_set
    for data_set in (
        DataSet(
            "gervet-assistments09",
            "benchmarks/gervet_assistments09.parquet",
            published=_publish(GERVET, IRT=0.69, PFA=0.72, DKT=0.75, SAKT=0.75, Best_LR=0.77),
        ),
        DataSet(
            "gervet-algebra05",
            "benchmarks/gervet_algebra05.parquet",
            published=_publish(GERVET, IRT=0.77, PFA=0.76, SAKT=0.80, DKT=0.82, DAS3H=0.83, Best_LR=0.83),
        ),
        DataSet(
            "pykt-assist2015",
            "benchmarks/pykt_assist2015.parquet",
            skips_first=True,
            published=(*_publish(PYKT, simpleKT=0.7248, DKT=0.7271, AKT=0.7281), Published("DKT+", 0.7285, PYKT)),
        ),
        DataSet("assistments-2012", "logs/assistments_2012.parquet"),
    )
}


STARTS = {"assistments-2012": pd.Timestamp("2012-09-01", tz="UTC")}
"""The first day of logs with a clock that counts from it; their Mondays, holidays and storms are those of that year."""

FOLDS = 5
"""Where no split is published, one of so many folds of students is the test."""

TEST_SALT, CHOOSING_SALT = "test", "choose"
"""What folds of students are hashed with, so that neither those to test nor those to choose by are one of the folds
that `training.data.dataset` counts statistics by."""


@dataclass(frozen=True)
class BenchmarkLog:
    """A log with its test students.

    Attributes:
        name: For tables and files.
        events: Rows of `Events`.
        item_skills: Rows of `ItemSkills`.
        test_students: Ids of the students that nothing is learned from.
        scored: Which events are scored, all of them of test students.
        published: Figures of others on the same rows.
    """

    name: str
    events: pd.DataFrame
    item_skills: pd.DataFrame
    test_students: "pd.Index[str]"
    scored: npt.NDArray[np.bool_]
    published: tuple[Published, ...] = ()


def default_folder() -> Path:
    """`REGROUP_DATA`, else `shared/data` beside the checkout."""
    return Path(os.environ.get("REGROUP_DATA") or Path(__file__).resolve().parents[5] / "shared" / "data")


def read_data_set(name: str, folder: Path | None = None) -> BenchmarkLog:
    """Reads a data set as the product's tables.

    Args:
        name: One of `DATA_SETS`.
        folder: Holds `benchmarks/` and `logs/`; null = `default_folder()`.

    Raises:
        InputError: The file is not there, or a response comes twice in it.
    """
    return to_log(DATA_SETS[name], read_rows(DATA_SETS[name], folder))


def read_rows(about: DataSet, folder: Path | None = None) -> pd.DataFrame:
    """Reads a data set's rows as `to_log` takes them.

    Args:
        about: Which one.
        folder: Holds `benchmarks/` and `logs/`; null = `default_folder()`.

    Raises:
        InputError: The file is not there.
    """
    path = (default_folder() if folder is None else folder) / about.file
    if not path.is_file():
        raise InputError(f"{path} is not there; name the folder that holds it and its like with --data FOLDER")
    return pd.read_parquet(path)


def to_log(about: DataSet, table: pd.DataFrame) -> BenchmarkLog:
    """Returns the product's tables of a data set's rows.

    Args:
        about: What the rows are of.
        table: `user_id`, `correct`, `skill_id`, and where the data set has them `item_id`, `timestamp` (seconds),
            `seq`, `split` and `fold`.

    Raises:
        InputError: A response comes twice, as it does where a question has one row for each of its skills.
    """
    order = ["user_id", "seq"] if "seq" in table else ["user_id", "timestamp", "item_id"]
    if table.duplicated(order).any():
        raise InputError(f"{about.file} names a response twice; it must have one row per answer, whatever its skills")
    table = table.sort_values(order[:2], kind="stable", ignore_index=True)
    skill = table["skill_id"].astype("Int64").astype("string").astype("str")
    item = table["item_id"].astype("str") if "item_id" in table else skill
    student = table["user_id"].astype("str")
    clock = table["timestamp"] if "timestamp" in table else pd.Series(np.nan, index=table.index)
    number = np.arange(len(table))
    events = pd.DataFrame(
        {
            "event_id": pd.Series(number).astype("str"),
            "student_id": student,
            "kind": "response",
            "occurred_at": pd.to_datetime(clock, unit="s", utc=True).astype("datetime64[us, UTC]"),
            "sequence": pd.array(number, "Int64"),  # file order decides ties
            "item_id": item,
            "score": table["correct"].astype("float64"),
            "correct": table["correct"].astype("boolean"),
            "attempt": pd.array(np.ones(len(table), np.int64), "Int64"),
            "hints": pd.array([pd.NA] * len(table), "Int64"),
            "duration_s": np.nan,
            "source": about.name,
            "skills": skill,
        }
    )
    tags = pd.DataFrame({"item_id": item, "skill_id": skill})[table["skill_id"].notna()].drop_duplicates()
    in_test = _in_test(table, student)
    scored = in_test & student.duplicated().to_numpy() if about.skips_first else in_test
    return BenchmarkLog(
        name=about.name,
        events=check_table(Events, events),
        item_skills=check_table(ItemSkills, tags.reset_index(drop=True)),
        test_students=pd.Index(student[in_test].unique(), dtype="str"),
        scored=scored,
        published=about.published,
    )


def split_training_students(log: BenchmarkLog, config: TrainingConfig) -> StudentSplit:
    """Training students to learn from, and a fifth of them to choose by; the test students of the log are not read."""
    ids = pd.Index(log.events["student_id"].unique(), dtype="str").difference(log.test_students, sort=True)
    fold = fold_of_students(ids, FOLDS, CHOOSING_SALT)
    chosen = ids[fold == fold.min()]
    events = log.events[log.events["student_id"].isin(ids)].reset_index(drop=True)
    return build_student_split(events, log.item_skills, chosen, config)


def find_copied_students(log: BenchmarkLog) -> "pd.Index[str]":
    """Returns the test students who have a copy among the training students; see `features.events.identity.copies`.

    Nothing is asked of chance here: one test student too many left out costs little, one too few flatters.
    """
    pairs = find_copies(log.events)
    ours, theirs = (pairs[name].isin(log.test_students) for name in ("student_id", "copy_id"))
    found = pd.concat([pairs.loc[ours & ~theirs, "student_id"], pairs.loc[theirs & ~ours, "copy_id"]])
    copied: pd.Index[str] = pd.Index(found.drop_duplicates(), dtype="str")
    return copied


def _in_test(table: pd.DataFrame, student: "pd.Series[str]") -> npt.NDArray[np.bool_]:
    if "split" in table:
        return table["split"].eq("test").to_numpy(dtype=bool)
    if "fold" in table:
        return table["fold"].eq(-1).to_numpy(dtype=bool)
    codes, ids = pd.factorize(student)
    chosen: npt.NDArray[np.bool_] = fold_of_students(pd.Index(ids, dtype="str"), FOLDS, TEST_SALT)[codes] == 0
    return chosen
