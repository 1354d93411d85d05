"""A model version on disk: native LightGBM text and JSON, with hashes; nothing that has to be unpickled."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb

from features.bundle import write_bundle
from features.errors import InputError
from features.model_bundle import FORMAT, PACKED, TREES, read_model_bundle
from features.profiles.columns import SCHEMA_HASH
from features.profiles.difficulty import Statistics
from training.config import TrainingConfig
from training.models.boosting import FORECASTS, Forecast, Model

SIGNATURE = "MLmodel"
"""The file in which MLflow looks for what a model reads and gives; YAML, of which JSON is a part."""


@dataclass(frozen=True)
class StoredModel:
    """A model read back.

    Attributes:
        model: Line, trees and calibration.
        statistics: What its rows need.
        thresholds: Mastery rule, evidence thresholds and rules of status, as they stand in a configuration.
        kind: `trained` on the log that it serves, or a `prior` from elsewhere.
    """

    model: Model
    statistics: Statistics
    thresholds: Mapping[str, Any]
    kind: str


def write_model(
    folder: Path, model: Model, statistics: Statistics, config: TrainingConfig, facts: Mapping[str, Any]
) -> None:
    """Writes one model version as a bundle.

    Args:
        folder: Where the bundle is written.
        model: Line, trees and calibration.
        statistics: Counted on the training block.
        config: Whose mastery rule, evidence thresholds and rules of status the service must keep to.
        facts: Data version, configuration hash and code version, for the manifest.
    """

    def write(draft: Path) -> None:
        # LightGBM does not notice a disk that is full
        (draft / TREES).write_text(model.booster.model_to_string(), encoding="utf-8")
        contents = {
            "features": {"columns": list(model.forecast.columns), "schema": SCHEMA_HASH},
            "line": model.line.to_json(),
            "calibration": model.calibration.to_json(),
            "thresholds": config.model_dump(include={"mastery_rule", "evidence", "status"}),
        }
        for name, content in contents.items():
            (draft / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        packed = gzip.compress(json.dumps(statistics.to_json(), ensure_ascii=False).encode(), mtime=0)
        (draft / f"statistics{PACKED}").write_bytes(packed)
        (draft / SIGNATURE).write_text(json.dumps(_sign(model.forecast)), encoding="utf-8")

    about = {"format": FORMAT, "forecast": model.forecast.name, "meaning": model.forecast.meaning, **facts}
    write_bundle(folder, about, write)


def read_model(folder: Path) -> StoredModel:
    """Reads a model version back after its hashes have been checked.

    Raises:
        InputError: The bundle was altered, or is of other columns or another format than this code's.
    """
    bundle = read_model_bundle(folder)
    forecast = {known.name: known for known in FORECASTS}.get(bundle.manifest.get("forecast", ""))
    if forecast is None or bundle.columns != forecast.columns:
        raise InputError(f"the model {folder.name} was trained on other columns than this version of regroup makes")
    model = Model(forecast, bundle.line, lgb.Booster(model_str=bundle.read_trees()), bundle.calibration)
    statistics = Statistics.from_json(bundle.read("statistics"))
    return StoredModel(model, statistics, bundle.read("thresholds"), bundle.kind)


def _sign(forecast: Forecast) -> dict[str, Any]:
    """What MLflow shows as a model's schema: columns that may be null, and a probability."""
    inputs = [{"type": "float", "name": name, "required": False} for name in forecast.columns]
    outputs = [{"type": "double", "name": forecast.name, "required": True}]
    signature = {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None}
    return {"flavors": {"regroup": {"reader": "training.models.artifacts.read_model"}}, "signature": signature}
