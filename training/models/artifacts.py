"""A model version on disk: native LightGBM text and JSON, with hashes; nothing that has to be unpickled."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb

from features.bundle import read_manifest, write_bundle
from features.errors import InputError
from features.profiles.columns import SCHEMA_HASH
from features.profiles.difficulty import Statistics
from training.config import TrainingConfig
from training.models.boosting import FORECASTS, Forecast, Model
from training.models.calibration import Sigmoid

FORMAT = 1
"""Rises when a reader of an older bundle would misread a newer one."""


@dataclass(frozen=True)
class StoredModel:
    """A model read back, with the statistics that its rows need."""

    model: Model
    statistics: Statistics


def write_model(
    folder: Path, model: Model, statistics: Statistics, config: TrainingConfig, facts: Mapping[str, Any]
) -> None:
    """Writes one model version as a bundle.

    Args:
        folder: Where the bundle shall be.
        model: Trees and calibration.
        statistics: Counted on the training block.
        config: Whose mastery rule and evidence floors the service must keep to.
        facts: Data version, configuration hash and code version, for the manifest.
    """

    def write(draft: Path) -> None:
        model.booster.save_model(draft / "model.lgb")
        for name, content in (
            ("features", _features(model.forecast)),
            ("calibration", model.calibration.to_json()),
            ("statistics", statistics.to_json()),
            (
                "thresholds",
                {"mastery_rule": config.mastery_rule.model_dump(), "evidence": config.evidence.model_dump()},
            ),
        ):
            (draft / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    about = {"format": FORMAT, "forecast": model.forecast.name, "meaning": model.forecast.meaning, **facts}
    write_bundle(folder, about, write)


def read_model(folder: Path) -> StoredModel:
    """Reads a model version back after its hashes have been checked.

    Raises:
        InputError: The bundle was altered, or is of other columns or another format than this code's.
    """
    manifest = read_manifest(folder)
    content = {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("features", "calibration")}
    forecast = next((each for each in FORECASTS if each.name == manifest.get("forecast")), None)
    if manifest.get("format") != FORMAT or forecast is None or content["features"] != _features(forecast):
        raise InputError(f"the model {folder.name} was trained on other columns than this version of regroup makes")
    calibration = Sigmoid(content["calibration"]["slope"], content["calibration"]["offset"])
    statistics = Statistics.from_json(json.loads((folder / "statistics.json").read_text("utf-8")))
    return StoredModel(Model(forecast, lgb.Booster(model_file=folder / "model.lgb"), calibration), statistics)


def _features(forecast: Forecast) -> dict[str, object]:
    return {"columns": list(forecast.columns), "schema": SCHEMA_HASH}
