"""`python -m experiments benchmark schools`: forecasts for a school that is new, and for each group of students.

Schools are dealt out to five folds, and each fold's students are forecast twice: by a model of all other folds, to
which their schools are new, and half by half by models of as many students, drawn from all but the half that is
forecast. What differs is whether the school is new.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.report import NARROWEST
from experiments.benchmarks.school_logs import SchoolLog, read_real_schools, simulate_district
from features.console import OUT, track, write_json
from training.config import TrainingConfig, load_config
from training.data.dataset import Block, build_student_split
from training.evaluation.fairness import audit_groups
from training.evaluation.metrics import evaluate, paired_auc, paired_difference
from training.models.boosting import FORECASTS, STRUGGLE, Forecast, train_model

METRICS = ("auc", "log_loss", "ece")

FOLDS = 5

PARTS = 2
"""Of a fold's students: each is forecast by a model that may know the other."""

SEED = 20
"""Of the parts, and of who is learnt from when the school is known."""

NEW, KNOWN = "school is new", "school is known"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """What models said of rows that they had not learnt from.

    Attributes:
        student: Position of each row's student among the log's students, in order of their ids.
        episode: Code of its student and skill, among rows of the same student.
        target: 1 or 0.
        probability: The forecast.
    """

    student: npt.NDArray[np.int64]
    episode: npt.NDArray[np.int64]
    target: npt.NDArray[np.int8]
    probability: Floats


def benchmark_schools(data: Path | None, json_path: Path | None, config_path: Path | None) -> int:
    """Prints the figures of the real log and of the simulated district, and returns the exit code 0.

    Raises:
        InputError: The log or the configuration cannot be read.
    """
    config = load_config(config_path)
    wide = Console(soft_wrap=True, width=max(OUT.width, NARROWEST))
    figures = []
    for log in (read_real_schools(data), simulate_district()):
        figures.append(measure_schools(log, config))
        for name, found in figures[-1]["forecasts"].items():
            wide.print(_show_forecast(log, name, found), _show_groups(found["groups"]))
    write_json(json_path, {"logs": figures})
    return 0


def measure_schools(log: SchoolLog, config: TrainingConfig) -> dict[str, Any]:
    """The figures of both forecasts, with the school new and known, and of each group of the audit."""
    students = pd.Index(sorted(log.events["student_id"].unique()), dtype="str")
    fold = deal_schools(log.school.reindex(students), log.events["student_id"].value_counts().reindex(students))
    random = np.random.default_rng(SEED)
    told: dict[str, list[dict[str, Told]]] = {NEW: [], KNOWN: []}
    for number in track(range(FOLDS), f"folds of schools, {log.name}", total=FOLDS):
        inside, outside = students[fold == number], students[fold != number]
        told[NEW].append(_forecast(log, students, outside, inside, config))
        part = random.permutation(len(inside)) % PARTS
        for own in range(PARTS):
            others = outside.append(inside[part != own])
            learnt = others[random.permutation(len(others))[: len(outside)]]
            told[KNOWN].append(_forecast(log, students, learnt, inside[part == own], config))
    return {
        "log": log.name,
        "simulated": log.simulated,
        "schools": log.school.reindex(students).nunique(),
        "forecasts": {
            each.name: _judge(
                each, log, students, {how: _join(parts, each.name) for how, parts in told.items()}, config
            )
            for each in FORECASTS
        },
    }


def deal_schools(school: "pd.Series[str]", rows: "pd.Series[int]") -> npt.NDArray[np.int64]:
    """The fold of each student: schools go whole, the largest first, to the fold with the fewest rows so far."""
    fold_of, filled = {}, np.zeros(FOLDS)
    for name, count in rows.groupby(school).sum().sort_values(ascending=False, kind="stable").items():
        fold_of[name] = int(np.argmin(filled))
        filled[fold_of[name]] += count
    return school.map(fold_of).to_numpy(dtype=np.int64)


def _forecast(
    log: SchoolLog, students: "pd.Index[str]", learnt: "pd.Index[str]", judged: "pd.Index[str]", config: TrainingConfig
) -> dict[str, Told]:
    """What models that learn from some students say of others, by forecast."""
    events = log.events[log.events["student_id"].isin(learnt.append(judged))].reset_index(drop=True)
    split = build_student_split(events, log.item_skills, judged, config)
    position = students.get_indexer(split.timeline.students)
    found = {}
    for forecast in FORECASTS:
        blocks = getattr(split, forecast.name)
        model = train_model(forecast, blocks["train"], None, config.boosting)
        block = blocks["test"]
        found[forecast.name] = Told(position[block.student], block.episode, block.target, model.predict(block.rows))
    return found


def _join(parts: Sequence[dict[str, Told]], name: str) -> Told:
    """All rows of one forecast by student, so that rows of the new and of the known school are the same."""
    mine = [each[name] for each in parts]
    order = np.argsort(np.concatenate([each.student for each in mine]), kind="stable")
    return Told(
        **{each.name: np.concatenate([getattr(part, each.name) for part in mine])[order] for each in fields(Told)}
    )


def _judge(
    forecast: Forecast, log: SchoolLog, students: "pd.Index[str]", told: dict[str, Told], config: TrainingConfig
) -> dict[str, Any]:
    new, known = told[NEW], told[KNOWN]
    assert np.array_equal(new.student, known.student)
    assert np.array_equal(new.target, known.target)
    nothing = np.empty((len(new.target), 0), np.float32)
    episode = pd.MultiIndex.from_arrays([new.student, new.episode]).factorize()[0]
    block = Block(nothing, new.target, new.student, np.zeros(len(nothing), np.int32), episode)
    settings = config.evaluation
    audit = partial(audit_groups, places_share=settings.places_share, by_episode=forecast is STRUGGLE)
    groups = {how: audit(block, each.probability, students, log.audit) for how, each in told.items()}
    return {
        "rows": len(block),
        "students": len(np.unique(block.student)),
        "base_rate": float(block.target.mean()),
        "results": {
            how: {name: asdict(found[name]) for name in METRICS}
            for how, found in ((how, evaluate(block, each.probability, settings)) for how, each in told.items())
        },
        "new_minus_known": {
            "auc": asdict(paired_auc(block, new.probability, known.probability, settings)),
            "log_loss": asdict(paired_difference(block, new.probability, known.probability, settings)),
        },
        "groups": [
            {**asdict(each), "ece_known": other.ece, "auc_known": other.auc}
            for each, other in zip(groups[NEW], groups[KNOWN], strict=True)
        ],
    }


def _show_forecast(log: SchoolLog, name: str, found: dict[str, Any]) -> Table:
    marked = " (simulated)" if log.simulated else ""
    title = f"{name}, {log.name}{marked}: {found['rows']:,} rows of {found['students']:,} students"
    table = Table(title=title, box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for each in METRICS:
        table.add_column(f"{each.replace('_', '-')} (95 %)", justify="right", no_wrap=True)
    for how, result in found["results"].items():
        table.add_row(how, *(_tell(result[each]) for each in METRICS))
    difference = found["new_minus_known"]
    table.add_row("difference", _tell(difference["auc"], "+"), _tell(difference["log_loss"], "+"), "")
    return table


def _tell(interval: dict[str, float], sign: str = "") -> str:
    value, low, high = (f"{interval[each]:{sign}.4f}" for each in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _show_groups(groups: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    names = ("column", "group", "students", "rows", "happened", "forecast", "ECE, new", "known", "by chance")
    for name in (*names, "ABROCA", "by chance", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in groups:
        curves = each["abroca"]
        area = ["-"] * 3 if curves is None else [f"{curves[name]:.3f}" for name in ("area", "by_chance", "p")]
        shares = [f"{each[name]:.3f}" for name in ("base_rate", "mean_forecast", "ece", "ece_known", "ece_by_chance")]
        table.add_row(each["column"], each["group"], f"{each['students']:,}", f"{each['rows']:,}", *shares, *area)
    return table
