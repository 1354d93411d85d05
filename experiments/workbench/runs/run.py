"""Runs an experiment: every fold and seed, over the cores, from where an earlier run of it stopped."""

import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from experiments.workbench.metrics import METRICS
from experiments.workbench.runs.experiment import Experiment
from experiments.workbench.runs.folds import Fold, build_rows, list_folds
from experiments.workbench.runs.parts import hash_parts, name_part, train_parts
from experiments.workbench.runs.source import Source, read_source
from experiments.workbench.runs.store import Part, Run, Shelf, summarize
from features.console import track
from features.errors import BusyError
from features.home import read_home
from training.evaluation.metrics import area_under_curve, calibration_error, give_places, log_losses
from training.nightly.facts import hash_code
from training.records.entities import SOURCE_NAME
from training.records.tracking import EXPERIMENTS, Tracking

logger = logging.getLogger("regroup")

CODE = ("experiments.workbench.runs", "experiments.benchmarks.forecasts.data")
"""What has a say in a run besides `features` and `training`."""


def run_experiment(experiment: Experiment, *, workers: int | None = None, tracking: bool = True) -> Run:
    """Runs an experiment, keeps its forecasts in the home and logs one run to MLflow.

    Folds and seeds that an earlier run has computed of the same data, choices and code are taken as they are.

    Args:
        experiment: All choices.
        workers: Cores to use; all of them unless given.
        tracking: Whether MLflow gets the run.

    Raises:
        InputError: The data are not there, or do not fit the choices.
        MissingError: Nothing was ingested.
        DataGateError: There is too little in a fold to learn from or to be scored.
    """
    home = read_home()
    home.make()
    shelf = Shelf(home)
    logger.info("%s: read %s", experiment.name, experiment.data.log or f"the events of {home.root}")
    source = read_source(experiment.data, experiment.split.salt)
    code = hash_code(CODE)
    folds = list_folds(experiment)
    keys = {
        (fold, seed): name_part(experiment, source, code, fold, seed)
        for fold in folds
        for seed in experiment.runs_of_seeds
    }
    _compute(experiment, source, shelf, keys, workers)
    parts = {at: _read(shelf, key) for at, key in keys.items()}
    run = _make_run(experiment, source, code, parts)
    earlier = shelf.read_run(run.key)
    if tracking:
        run = replace(run, run_id=log_run(run, Tracking()))
    elif earlier is not None:
        run = replace(run, run_id=earlier.run_id)
    shelf.keep_run(run, _lay_side_by_side(parts))
    return run


def _read(shelf: Shelf, key: str) -> Part:
    part = shelf.read_part(key)
    if part is None:
        raise BusyError(f"what was computed is gone from {shelf.parts}: an erasure removed it meanwhile; run it again")
    return part


def _compute(
    experiment: Experiment,
    source: Source,
    shelf: Shelf,
    keys: Mapping[tuple[Fold, int], str],
    workers: int | None,
) -> None:
    """Computes the parts that are missing, fold by fold."""
    missing: dict[Fold, dict[int, str]] = {}
    for (fold, seed), key in keys.items():
        if shelf.read_part(key) is None:
            missing.setdefault(fold, {})[seed] = key
    there = len(keys) - sum(map(len, missing.values()))
    logger.info("%s: %d folds and seeds to run, %d are there already", experiment.name, len(keys) - there, there)
    if not missing:
        return
    # one fold after another: LightGBM may not train and forecast in two threads at once, and its own use the cores
    threads = workers or os.cpu_count() or 1
    done = (_compute_fold(source, experiment, shelf, fold, seeds, threads) for fold, seeds in missing.items())
    for sentence in track(done, "folds", total=len(missing)):
        logger.info("%s: %s", experiment.name, sentence)


def _compute_fold(
    source: Source, experiment: Experiment, shelf: Shelf, fold: Fold, seeds: Mapping[int, str], threads: int
) -> str:
    """Computes the parts of a fold, and says how it went."""
    began = time.perf_counter()
    rows = build_rows(source, experiment, fold, threads)
    parts = train_parts(rows, experiment, shelf, seeds, threads)
    areas = ", ".join(f"{area_under_curve(part.target, part.probability.astype(np.float64)):.4f}" for part in parts)
    return f"{fold.name}: {len(rows.row):,} rows, AUC {areas} ({time.perf_counter() - began:.0f} s)"


def _make_run(experiment: Experiment, source: Source, code: str, parts: Mapping[tuple[Fold, int], Part]) -> Run:
    seed = experiment.runs_of_seeds[0]
    of_folds = [part for (_, own), part in parts.items() if own == seed]
    rows = hashlib.sha256(b"".join(part.row.tobytes() for part in of_folds)).hexdigest()[:16]
    targets = hashlib.sha256(b"".join(part.target.tobytes() for part in of_folds)).hexdigest()[:16]
    count = sum(len(part.row) for part in of_folds)
    rule, split = experiment.judge, experiment.split
    salt = f"salt {split.salt} ({hashlib.sha256(source.salt).hexdigest()[:16]})"
    shares, least = experiment.training.split, experiment.training.gate.min_later_episodes
    by_time = (
        f"the last stretch after {shares.train_share:g} to train and {shares.calibration_share:g} to calibrate, "
        f"a gap of {shares.gap_days:g} days, {least} episodes at least, {salt}"
    )
    by_students = f"{split.folds} folds of students, {salt}"
    if split.reserved:
        by_students += f", {split.reserved:.0%} of the students in none"
    moments = ", ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in experiment.data.as_of)
    facts = {
        "forecast": experiment.forecast,
        "data": f"{source.said} ({source.digest})",
        "as-of dates": moments or "whole log",
        "split": by_time if split.by == "time" else by_students,
        "label rule": f"{rule.streak} right in a row within {rule.horizon}, lapse {rule.lapse_days:g} days"
        if experiment.forecast == "struggle"
        else "the next answer is right",
        "code": code,
        "scored rows": f"{count:,} ({rows})",
        "targets": targets,
    }
    table = [
        {"fold": fold.name, "seed": own, "train_rows": int(part.sizes[0]), **measure(part, experiment)}
        for (fold, own), part in parts.items()
    ]
    curve = [
        {"fold": fold.name, "share": point[0], "students": int(point[1]), "log_loss": point[2], "auc": point[3]}
        for (fold, own), part in parts.items()
        if own == seed
        for point in part.curve.tolist()
    ]
    return Run(
        key=hash_parts(experiment.choices(), facts),
        name=experiment.name,
        at=datetime.now(UTC).isoformat(" ", "seconds").removesuffix("+00:00"),
        run_id="",
        choices=experiment.choices(),
        facts=facts,
        folds=table,
        curve=curve,
        seen=sum(int(part.sizes[2]) for part in of_folds),
        left_out=sum(int(part.sizes[3]) for part in of_folds),
    )


def measure(part: Part, experiment: Experiment) -> dict[str, float]:
    """Computes every metric of a fold; a target between 0 and 1 counts as that share of both outcomes."""
    target, probability = part.target.astype(np.float64), part.probability.astype(np.float64)
    twice, weights = np.repeat([1, 0], len(target)), np.concatenate([target, 1 - target])
    placed = give_places(probability, experiment.training.evaluation)
    return {
        "rows": len(target),
        "students": len(np.unique(part.student)),
        "log_loss": float(log_losses(target, probability).mean()),
        "auc": area_under_curve(target, probability),
        "brier": float((target * (1 - probability) ** 2 + (1 - target) * probability**2).mean()),
        "average_precision": float(average_precision_score(twice, np.tile(probability, 2), sample_weight=weights)),
        "ece": calibration_error(probability, target),
        "precision_at_places": float(target[placed].mean()),
    }


def _lay_side_by_side(parts: Mapping[tuple[Fold, int], Part]) -> pd.DataFrame:
    """One row per scored row, with a column of forecasts for each seed."""
    tables: dict[str, pd.DataFrame] = {}
    for (fold, seed), part in parts.items():
        if fold.name not in tables:
            names = ("row", "student", "episode", "opportunity", "target")
            tables[fold.name] = pd.DataFrame({"fold": fold.name, **{name: getattr(part, name) for name in names}})
        tables[fold.name][f"seed {seed}"] = part.probability
    return pd.concat(tables.values(), ignore_index=True)


def log_run(run: Run, tracking: Tracking) -> str:
    """Logs a run to MLflow once, and returns its id there; it holds no row of a student."""
    summary = summarize(run)
    metrics = dict(summary["mean"]) | {f"{name}_sd": sd for name, sd in summary["sd"].items()}
    metrics |= {"n": float(len(run.folds)), "rows": float(run.table.drop_duplicates("fold")["rows"].sum())}
    texts = {
        "experiment.json": json.dumps(run.choices, indent=1, ensure_ascii=False),
        "facts.json": json.dumps(run.facts, indent=1, ensure_ascii=False),
        "folds.csv": run.table.to_csv(index=False),
        "training.toml": write_training(run.choices["training"]),
        **({"curve.csv": pd.DataFrame(run.curve).to_csv(index=False)} if run.curve else {}),
    }
    tags = {**{name.replace(" ", "_"): value for name, value in run.facts.items()}, "kind": "run"}
    tags |= {"name": run.name, SOURCE_NAME: "python -m experiments run"}
    said = ", ".join(f"{METRICS[name]} {summary['mean'][name]:.4f}" for name in ("log_loss", "auc"))
    said = f"{said}: means of {len(run.folds)} folds and seeds, which `folds.csv` has one by one."
    return tracking.log_run(run.key, tags, _parameters(run), metrics, {}, texts, run.name, said, experiment=EXPERIMENTS)


def _parameters(run: Run) -> dict[str, object]:
    choices = run.choices
    rule: dict[str, object] = choices["training"]["mastery_rule"]
    boosting: dict[str, object] = choices["training"]["boosting"]
    off = [family for family, on in choices["features"].items() if not on]
    own: dict[str, object] = {name: choices[name] for name in ("model", "seeds")} | {
        "features off": ", ".join(off) or "none"
    }
    return own | {f"label.{name}": value for name, value in rule.items()} | boosting


def write_training(training: Mapping[str, Mapping[str, Any]]) -> str:
    """The choices of a training as the file that `python -m training nightly --config` takes.

    Example:
        >>> print(write_training({"mastery_rule": {"streak": 4}}))
        [mastery_rule]
        streak = 4
        <BLANKLINE>
    """
    return "\n".join(
        "\n".join([f"[{section}]", *(f"{name} = {value}" for name, value in values.items()), ""])
        for section, values in training.items()
    )
