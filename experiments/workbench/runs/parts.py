"""What comes of one fold and one seed: a model that was trained forecasts the rows, which are kept under a hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from experiments.workbench.runs.experiment import Experiment
from experiments.workbench.runs.folds import Fold, Rows
from experiments.workbench.runs.source import Source
from experiments.workbench.runs.store import Part, Shelf
from features.profiles.columns import REGISTRY
from training.models.baselines import fit_logistic, fit_majority, fit_rule
from training.models.boosting import FORECASTS, Forecast, fit_sigmoid, train_model

Floats = npt.NDArray[np.float64]


def name_part(experiment: Experiment, source: Source, code: str, fold: Fold, seed: int) -> str:
    """Names a part by a hash of everything that has a say in its forecasts."""
    chosen = experiment.model_copy(update={"name": "", "seeds": (0,)}).choices()
    return hash_parts(chosen, source.digest, source.said, code, fold.name, seed, source.salt.hex())


def hash_parts(*parts: object) -> str:
    """A hash of plain values, in whatever order the keys of a mapping are."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]


def train_parts(rows: Rows, experiment: Experiment, shelf: Shelf, seeds: Mapping[int, str], threads: int) -> list[Part]:
    """Trains and scores a model of a fold for each seed, and keeps each part under its name when it is done."""
    parts = []
    for seed, key in seeds.items():
        part = _score(rows, _forecast(rows, experiment, seed, threads))
        shelf.keep_part(key, part)
        parts.append(part)
    return parts


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
    forecast = probability.astype(np.float32)
    return Part(rows.row, rows.student, holdout.opportunity, holdout.target, forecast, np.array(sizes, np.int64))
