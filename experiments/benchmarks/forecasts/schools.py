"""`python -m experiments benchmark schools`: forecasts for a school that is new, and for each group of students.

Schools are split into five folds, and each fold's students are forecast twice: by a model of all other folds, to
which their schools are new, and half by half by models of as many students, drawn from all but the half that is
forecast. What differs is whether the school is new.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import default_folder
from experiments.benchmarks.forecasts.data.splits import build_student_split
from experiments.benchmarks.forecasts.figures.scores import paired_auc
from experiments.simulation import School, SchoolConfig, simulate_school, write_school
from features.console import track, write_json
from features.errors import InputError
from features.events.ingest import ingest_file
from features.events.log.store import read_events, read_item_skills
from features.home import Home
from training.config import TrainingConfig, load_config
from training.data.dataset import Block
from training.evaluation.fairness import audit_groups
from training.evaluation.metrics import evaluate, paired_difference
from training.models.boosting import FORECASTS, STRUGGLE, Forecast, train_model

REAL = "logs/assistments_2009_raw.csv"
"""File under the data folder: the provider's export of two skills, from 28 schools."""

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
        school: School of each student, by id.
        audit: Rows of `student_id`, `column`, `value`; never features.
    """

    name: str
    simulated: bool
    events: pd.DataFrame
    item_skills: pd.DataFrame
    school: "pd.Series[str]"
    audit: pd.DataFrame


def read_real_schools(folder: Path | None = None) -> SchoolLog:
    """Returns the ASSISTments 2009-10 export, through the product's own reader; its schools are read beside it.

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
    return SchoolLog("assistments-2009-raw", False, events, item_skills, school, _label("school", school))


def simulate_district(config: SchoolConfig = DISTRICT) -> SchoolLog:
    """Returns a simulated district, through the product's own reader.

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
        [_label("school", school), _label("unit", school.map(_find_units(made))), made.roster["demographics"]]
    )
    return SchoolLog("simulated district", True, events, item_skills, school, audit)


def _ingest(home: Home, path: Path, mapping: Path | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    ingest_file(home, path, mapping=mapping)
    return read_events(home), read_item_skills(home)


def _label(column: str, value: "pd.Series[str]") -> pd.DataFrame:
    return pd.DataFrame({"student_id": value.index, "column": column, "value": value.to_numpy()})


def _find_units(made: School) -> "pd.Series[str]":
    """Returns `early` or `late` for each team, by the middle of its focus in the teaching order."""
    focus = made.roster["focus"]
    order = pd.Series(np.arange(len(made.roster["skills"])), made.roster["skills"]["skill_id"])
    middle = focus["skill_id"].map(order).groupby(focus["team_id"]).mean()
    return pd.Series(np.where(middle < middle.median(), "early", "late"), middle.index, dtype="str")


METRICS = ("auc", "log_loss", "ece")

FOLDS = 5

PARTS = 2
"""Parts of a fold's students: each is forecast by a model that may know the other."""

SEED = 20
"""Random seed of the parts, and of who is learned from when the school is known."""

NEW, KNOWN = "school is new", "school is known"


def benchmark_schools(data: Path | None = None, config: Path | None = None, json_path: Path | None = None) -> int:
    """Prints the figures of the real log and of the simulated district, and returns the exit code 0.

    Raises:
        InputError: The log or the configuration cannot be read.
    """
    settings = load_config(config)
    figures = []
    for log in (read_real_schools(data), simulate_district()):
        figures.append(measure_schools(log, settings))
        for name, found in figures[-1]["forecasts"].items():
            print_tables(_show_forecast(log, name, found), _show_groups(found["groups"]))
    write_json(json_path, {"logs": figures})
    return 0


def measure_schools(log: SchoolLog, config: TrainingConfig) -> dict[str, Any]:
    """Returns the figures of both forecasts, with the school new and known, and of each group of the audit."""
    students = pd.Index(sorted(log.events["student_id"].unique()), dtype="str")
    fold = split_schools(log.school.reindex(students), log.events["student_id"].value_counts().reindex(students))
    random = np.random.default_rng(SEED)
    predictions: dict[str, list[dict[str, pd.DataFrame]]] = {NEW: [], KNOWN: []}
    for number in track(range(FOLDS), f"folds of schools, {log.name}", total=FOLDS):
        inside, outside = students[fold == number], students[fold != number]
        predictions[NEW].append(_forecast(log, students, outside, inside, config))
        part = random.permutation(len(inside)) % PARTS
        for own in range(PARTS):
            others = outside.append(inside[part != own])
            learned = others[random.permutation(len(others))[: len(outside)]]
            predictions[KNOWN].append(_forecast(log, students, learned, inside[part == own], config))
    found = {}
    for forecast in FORECASTS:
        joined = {how: _join(parts, forecast.name) for how, parts in predictions.items()}
        found[forecast.name] = _compare(forecast, log, students, joined, config)
    count = log.school.reindex(students).nunique()
    return {"log": log.name, "simulated": log.simulated, "schools": count, "forecasts": found}


def split_schools(school: "pd.Series[str]", rows: "pd.Series[int]") -> npt.NDArray[np.int64]:
    """Returns each student's fold: schools go whole, the largest first, to the fold with the fewest rows."""
    fold_of, filled = {}, np.zeros(FOLDS)
    for name, count in rows.groupby(school).sum().sort_values(ascending=False, kind="stable").items():
        fold_of[name] = int(np.argmin(filled))
        filled[fold_of[name]] += count
    return school.map(fold_of).to_numpy(dtype=np.int64)


def _forecast(
    log: SchoolLog, students: "pd.Index[str]", learned: "pd.Index[str]", scored: "pd.Index[str]", config: TrainingConfig
) -> dict[str, pd.DataFrame]:
    """Returns forecasts for some students by models that learn from others, by the name of the forecast.

    Columns: `student` (position among `students`), `episode` (a code within the student), `target`, `probability`.
    """
    events = log.events[log.events["student_id"].isin(learned.append(scored))].reset_index(drop=True)
    split = build_student_split(events, log.item_skills, scored, config)
    position = students.get_indexer(split.timeline.students)
    found = {}
    for forecast in FORECASTS:
        blocks = getattr(split, forecast.name)
        model, block = train_model(forecast, blocks["train"], None, config.boosting), blocks["test"]
        columns = {"student": position[block.student], "episode": block.episode, "target": block.target}
        found[forecast.name] = pd.DataFrame({**columns, "probability": model.predict(block.rows)})
    return found


def _join(parts: Sequence[dict[str, pd.DataFrame]], name: str) -> pd.DataFrame:
    """Returns all rows of one forecast by student, so that rows of the new and of the known school are the same."""
    return pd.concat([part[name] for part in parts]).sort_values("student", kind="stable", ignore_index=True)


def _compare(
    forecast: Forecast,
    log: SchoolLog,
    students: "pd.Index[str]",
    predictions: dict[str, pd.DataFrame],
    config: TrainingConfig,
) -> dict[str, Any]:
    new, known = predictions[NEW], predictions[KNOWN]
    pd.testing.assert_series_equal(new["student"], known["student"])
    # an undecided outcome is filled in from what each model's statistics say: both count alike
    target = ((new["target"] + known["target"]) / 2).to_numpy(np.float32)
    probabilities = {how: rows["probability"].to_numpy() for how, rows in predictions.items()}
    nothing = np.empty((len(new), 0), np.float32)
    episode = pd.MultiIndex.from_frame(new[["student", "episode"]]).factorize()[0]
    unused = np.zeros(len(new), np.int32)
    block = Block(nothing, target, new["student"].to_numpy(), episode, unused, unused, unused)
    settings = config.evaluation
    audit = partial(audit_groups, places_share=settings.places_share, by_episode=forecast is STRUGGLE)
    metrics = {how: evaluate(block, probability, settings) for how, probability in probabilities.items()}
    groups = {how: audit(block, probability, students, log.audit) for how, probability in probabilities.items()}
    return {
        "rows": len(block),
        "students": len(np.unique(block.student)),
        "base_rate": float(block.target.mean()),
        "results": {how: {name: asdict(figures[name]) for name in METRICS} for how, figures in metrics.items()},
        "new_minus_known": {
            "auc": asdict(paired_auc(block, probabilities[NEW], probabilities[KNOWN], settings)),
            "log_loss": asdict(paired_difference(block, probabilities[NEW], probabilities[KNOWN], settings)),
        },
        "groups": [
            {**asdict(group), "ece_known": other.ece, "auc_known": other.auc}
            for group, other in zip(groups[NEW], groups[KNOWN], strict=True)
        ],
    }


def _show_forecast(log: SchoolLog, name: str, found: dict[str, Any]) -> Table:
    marked = " (simulated)" if log.simulated else ""
    title = f"{name}, {log.name}{marked}: {found['rows']:,} rows of {found['students']:,} students"
    table = make_table(title, [""], [f"{metric.replace('_', '-')} (95 %)" for metric in METRICS])
    for how, result in found["results"].items():
        table.add_row(how, *(_format(result[metric]) for metric in METRICS))
    difference = found["new_minus_known"]
    table.add_row("difference", _format(difference["auc"], "+"), _format(difference["log_loss"], "+"), "")
    return table


def _format(interval: dict[str, float], sign: str = "") -> str:
    value, low, high = (f"{interval[bound]:{sign}.4f}" for bound in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _show_groups(groups: Sequence[dict[str, Any]]) -> Table:
    names = ("column", "group", "students", "rows", "happened", "forecast", "ECE, new", "known", "by chance")
    table = make_table("", [], [*names, "ABROCA", "by chance", "p"])
    for group in groups:
        curves = group["abroca"]
        area = ["-"] * 3 if curves is None else [f"{curves[name]:.3f}" for name in ("area", "by_chance", "p")]
        shares = [f"{group[name]:.3f}" for name in ("base_rate", "mean_forecast", "ece", "ece_known", "ece_by_chance")]
        table.add_row(group["column"], group["group"], f"{group['students']:,}", f"{group['rows']:,}", *shares, *area)
    return table
