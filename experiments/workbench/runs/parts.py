"""What comes of one fold and one seed: a model that was trained forecasts the rows, which are kept under a hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.workbench.runs.experiment import Experiment
from experiments.workbench.runs.folds import Fold, Rows
from experiments.workbench.runs.source import Source
from experiments.workbench.runs.store import Part, Shelf
from features.profiles.columns import REGISTRY
from training.evaluation.metrics import area_under_curve, log_losses
from training.models.baselines import fit_logistic, fit_majority, fit_rule
from training.models.boosting import FORECASTS, Forecast, fit_sigmoid, train_model

Floats = npt.NDArray[np.float64]


LEAST_STUDENTS = 10
"""Fewest students that a point of a learning curve learns from."""


def name_part(experiment: Experiment, source: Source, code: str, fold: Fold, seed: int) -> str:
    """Names a part by a hash of everything that has a say in it; the first seed's has the learning curve."""
    curve = experiment.curve if seed == experiment.seeds[0] else ()
    chosen = experiment.model_copy(update={"name": "", "seeds": (0,), "curve": curve}).choices()
    return hash_parts(chosen, source.digest, source.said, code, fold.name, seed, source.salt.hex())


def hash_parts(*parts: object) -> str:
    """A hash of plain values, in whatever order the keys of a mapping are."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]


def train_parts(rows: Rows, experiment: Experiment, shelf: Shelf, seeds: Mapping[int, str], threads: int) -> list[Part]:
    """Trains and scores a model of a fold for each seed, and keeps each part under its name when it is done."""
    parts = []
    for seed, key in seeds.items():
        part = _score(rows, _forecast(rows, experiment, seed, threads))
        if experiment.curve and seed == experiment.seeds[0]:
            part = replace(part, curve=_learn_from_fewer(rows, experiment, seed, threads, part.probability))
        shelf.keep_part(key, part)
        parts.append(part)
    return parts


def _learn_from_fewer(
    rows: Rows, experiment: Experiment, seed: int, threads: int, of_all: npt.NDArray[np.float32]
) -> Floats:
    """The learning curve: models of a share of the students who train, and that of all; see `Part`."""
    train, target = rows.blocks["train"], rows.blocks["holdout"].target.astype(np.float64)
    students = np.random.default_rng(0).permutation(np.unique(train.student))
    points = []
    for share in sorted(experiment.curve):
        some = students[: round(share * len(students))]
        block = train.take(np.isin(train.student, some))
        if len(some) >= LEAST_STUDENTS and block.target.min() < block.target.max():
            forecast = _forecast(replace(rows, blocks={**rows.blocks, "train": block}), experiment, seed, threads)
            points.append((share, len(some), forecast))
    points.append((1.0, len(students), of_all.astype(np.float64)))
    return np.array(
        [
            (share, count, log_losses(target, forecast).mean(), area_under_curve(target, forecast))
            for share, count, forecast in points
        ]
    )


def _forecast(rows: Rows, experiment: Experiment, seed: int, threads: int) -> Floats:
    """Trains the model, and returns its forecasts of the holdout, calibrated on the calibration block."""
    train, calibration, holdout = (rows.blocks[name] for name in ("train", "calibration", "holdout"))
    forecast = _choose_columns(next(each for each in FORECASTS if each.name == experiment.forecast), experiment)
    if experiment.model == "boosting":
        boosting = experiment.training.boosting.model_copy(update={"seed": seed, "threads": threads})
        return train_model(forecast, train, calibration, boosting).predict(holdout.rows)
    fits = {
        "logistic": fit_logistic,
        "rule": lambda block: fit_rule(block, experiment.training.evaluation.rule_wrong_in_a_row),
        "majority": fit_majority,
    }
    predict = fits[experiment.model](train).predict
    sigmoid = fit_sigmoid(_to_logit(predict(calibration.rows)), calibration.target)
    return sigmoid.apply(_to_logit(predict(holdout.rows)))


def _choose_columns(forecast: Forecast, experiment: Experiment) -> Forecast:
    off = {column.name for column in REGISTRY if column.family in experiment.switched_off}
    columns, line = (tuple(name for name in names if name not in off) for names in (forecast.columns, forecast.line))
    return replace(forecast, columns=columns, line=line)


def _to_logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    logit: Floats = np.log(clipped / (1 - clipped))
    return logit


def _score(rows: Rows, probability: Floats) -> Part:
    holdout = rows.blocks["holdout"]
    sizes = [len(rows.blocks["train"]), len(rows.blocks["calibration"]), rows.seen, rows.left_out]
    episode = pd.factorize(holdout.episode)[0].astype(np.int64)  # in the order of salted rows, which tells nothing
    return Part(
        rows.row,
        rows.student,
        episode,
        holdout.opportunity,
        holdout.target,
        probability.astype(np.float32),
        np.array(sizes, np.int64),
        np.empty((0, 4)),
    )
