"""Logs that say which school each student goes to: a small real one, and a simulated district."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.benchmarks.benchmark_log import default_folder
from experiments.simulation import School, SchoolConfig, simulate_school, write_school
from features.errors import InputError
from features.events.ingest import ingest_file
from features.events.store import read_events, read_item_skills
from features.home import Home

REAL = "logs/assistments_2009_raw.csv"
"""Under the data folder: the provider's export of two skills, from 28 schools."""

DISTRICT = SchoolConfig(teams=10, students_per_team=30, weeks=4)
"""Each team stands for a school of its own, which is elsewhere in the same curriculum."""


@dataclass(frozen=True)
class SchoolLog:
    """A log whose students have schools.

    Attributes:
        name: For tables.
        simulated: Whether no real student is in it.
        events: Rows of `Events`.
        item_skills: Rows of `ItemSkills`.
        school: Of each student, by id.
        audit: Rows of `student_id`, `column`, `value`; never features.
    """

    name: str
    simulated: bool
    events: pd.DataFrame
    item_skills: pd.DataFrame
    school: "pd.Series[str]"
    audit: pd.DataFrame


def read_real_schools(folder: Path | None = None) -> SchoolLog:
    """The ASSISTments 2009-10 export, through the product's own reader; its schools are read beside it.

    Args:
        folder: Holds the data sets; null = `default_folder()`.

    Raises:
        InputError: The file is not there or cannot be read.
    """
    path = (default_folder() if folder is None else folder) / REAL
    if not path.is_file():
        raise InputError(f"{path} is not there; name the folder that holds it and its like with --data FOLDER")
    columns = pd.read_csv(path, encoding="latin-1", usecols=["user_id", "school_id"], dtype="str")
    school = columns.drop_duplicates("user_id").set_index("user_id")["school_id"]
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        events, item_skills = _ingest(Home(Path(place)), path)
    return SchoolLog("assistments-2009-raw", False, events, item_skills, school, _tell("school", school))


def simulate_district(config: SchoolConfig = DISTRICT) -> SchoolLog:
    """A simulated district, through the product's own reader.

    The roster has a label without any effect on the truth (`group`) and no grades: which half of the curriculum a
    team is in (`unit`, from its focus) stands for a grade band.
    """
    made = simulate_school(config)
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        folder = Path(place) / "district"
        write_school(made, folder)
        events, item_skills = _ingest(Home(Path(place) / "home"), folder / "log.parquet", folder / "mapping.toml")
    school = made.roster["members"].set_index("student_id")["team_id"]
    audit = pd.concat(
        [_tell("school", school), _tell("unit", school.map(_find_units(made))), made.roster["demographics"]]
    )
    return SchoolLog("simulated district", True, events, item_skills, school, audit)


def _ingest(home: Home, path: Path, mapping: Path | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    ingest_file(home, path, mapping=mapping)
    return read_events(home), read_item_skills(home)


def _tell(column: str, value: "pd.Series[str]") -> pd.DataFrame:
    return pd.DataFrame({"student_id": value.index, "column": column, "value": value.to_numpy()})


def _find_units(made: School) -> "pd.Series[str]":
    """`early` or `late` for each team: the middle of its focus in the teaching order, against the other teams'."""
    focus = made.roster["focus"]
    order = pd.Series(np.arange(len(made.roster["skills"])), made.roster["skills"]["skill_id"])
    middle = focus["skill_id"].map(order).groupby(focus["team_id"]).mean()
    return pd.Series(np.where(middle < middle.median(), "early", "late"), middle.index, dtype="str")
