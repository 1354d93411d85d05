"""The prior model: rules learned elsewhere, which serve until a school's own log can teach better ones.

The shipped one is a line over a few columns for each forecast, in `training/prior.toml`. `REGROUP_PRIOR` names a folder
with another, which `python -m training pretrain` wrote. Neither knows an item, a skill, a student or a school: items
and skills are as easy as they usually are, and what a student did here is all that tells students apart.
"""

import os
import shutil
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from features.bundle import read_manifest, write_bundle
from features.errors import InputError
from features.model_bundle import Line, Sigmoid, Term
from features.profiles.difficulty import empty_statistics
from training.config import MasteryRule, TrainingConfig, load_config
from training.models.artifacts import StoredModel, read_model, write_model
from training.models.boosting import FORECASTS, Forecast, Model

PRIOR = "REGROUP_PRIOR"
"""The environment variable that names a folder with a prior model."""

FORMAT = "regroup-prior/1"
"""Changes when a reader of an older folder would misread a newer one."""


def write_prior(folder: Path, config: TrainingConfig) -> str:
    """Writes the bundles of the prior model, a folder for each forecast, and says where it is from.

    Args:
        folder: Where the bundles are written.
        config: Whose evidence thresholds and rules of status the shipped prior keeps to.

    Raises:
        InputError: The folder that `REGROUP_PRIOR` names holds no prior model, or was altered.
    """
    if given := os.environ.get(PRIOR):
        for name, source in _check_folder(Path(given)).items():
            shutil.copytree(source, folder / name)
        return f"the folder that {PRIOR} names"
    shipped = read_shipped()
    rule = MasteryRule.model_validate(shipped["mastery_rule"])
    for forecast in FORECASTS:
        model, statistics = build_model(forecast, shipped[forecast.name]), empty_statistics(shipped["usual_share"])
        write_model(folder / forecast.name, model, statistics, config.model_copy(update={"mastery_rule": rule}), KIND)
    return "shipped with regroup"


KIND = {"kind": "prior"}
"""What the manifest of each forecast says, so that every answer can."""


def read_shipped() -> dict[str, Any]:
    """The numbers of `training/prior.toml`."""
    return tomllib.loads(resources.files("training").joinpath("prior.toml").read_text("utf-8"))


def build_model(forecast: Forecast, numbers: Mapping[str, Any]) -> Model:
    """The model of a forecast without trees: a line and its calibration.

    Args:
        forecast: What it forecasts.
        numbers: `offset`, `terms` with the `mean` and `weight` of each column, and `calibration`.
    """
    terms = tuple(Term(name, term["mean"], term["weight"]) for name, term in numbers["terms"].items())
    calibration = Sigmoid(numbers["calibration"]["slope"], numbers["calibration"]["offset"])
    return Model(forecast, Line(numbers["offset"], terms), _grow_nothing(forecast), calibration)


def write_pretrained(folder: Path, models: Mapping[str, StoredModel]) -> None:
    """Writes models as a prior for elsewhere: without what they know of single items and skills, and without ids.

    Args:
        folder: Where it appears at once, complete; one that holds something else is refused.
        models: By forecast.

    Raises:
        InputError: The folder is there and holds something else than a prior model.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        _check_folder(folder)

    def write(draft: Path) -> None:
        for name, stored in models.items():
            choices = {**load_config().model_dump(), **stored.thresholds}
            config = TrainingConfig.model_validate(choices)
            write_model(draft / name, stored.model, stored.statistics.without_ids(), config, KIND)

    write_bundle(folder, {"format": FORMAT, **KIND}, write)


def _check_folder(folder: Path) -> dict[str, Path]:
    """The bundle of each forecast in a folder with a prior model.

    Raises:
        InputError: It is none, or was altered.
    """
    parts = {forecast.name: folder / forecast.name for forecast in FORECASTS}
    try:
        form = read_manifest(folder).get("format")
        items = sum(len(read_model(part).statistics.vocabulary.items) for part in parts.values())
        wrong = f"its format is {form}, not {FORMAT}" if form != FORMAT else "it knows items of the school it is from"
    except InputError as error:
        form, items, wrong = None, 0, str(error)
    if form != FORMAT or items:
        raise InputError(
            f"{folder} holds no prior model that can be used: {wrong}; write one with `python -m training pretrain`"
        )
    return parts


def _grow_nothing(forecast: Forecast) -> lgb.Booster:
    """One tree without a split, which adds nothing: readers of models expect trees."""
    rows = lgb.Dataset(np.zeros((2, len(forecast.columns))), np.array([0.0, 1.0]), feature_name=list(forecast.columns))
    return lgb.train({"objective": "cross_entropy", "verbosity": -1, "num_threads": 1}, rows, num_boost_round=1)
