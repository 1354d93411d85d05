"""A model version on disk, as training writes it and the service reads it; nothing in it is a pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from features.bundle import read_file, read_manifest
from features.errors import InputError
from features.profiles.columns import SCHEMA_HASH
from features.trees import check_trees

Floats = npt.NDArray[np.float64]

FORMAT = 2
"""Raised when code of another version would misread a bundle."""

TREES = "model.lgb"
"""The name of the file with LightGBM's own text format."""


@dataclass(frozen=True)
class Sigmoid:
    """Probability = 1 / (1 + exp(-(slope x score + offset))), with the score in logits.

    Two numbers that cannot overfit a small school, and can be read in the artifact.
    Source: Platt (1999), "Probabilistic outputs for support vector machines".
    """

    slope: float
    offset: float

    def apply(self, score: Floats) -> Floats:
        """The probability of each score."""
        return 1.0 / (1.0 + np.exp(-(self.slope * score + self.offset)))

    def to_json(self) -> dict[str, object]:
        """The JSON of the artifact."""
        return {"kind": "sigmoid", "slope": self.slope, "offset": self.offset}


@dataclass(frozen=True)
class ModelBundle:
    """A model version whose hashes, format and columns were checked.

    Attributes:
        folder: The folder of the bundle.
        manifest: The facts that it was written with.
        columns: Columns of a profile's row that the trees read, in order.
        calibration: Turns the trees' score into a probability.
    """

    folder: Path
    manifest: dict[str, Any]
    columns: tuple[str, ...]
    calibration: Sigmoid

    def read(self, name: str) -> dict[str, Any]:
        """The JSON of one of its files."""
        return _read_json(self.folder, name, self.manifest)

    def read_trees(self) -> str:
        """LightGBM's text of the trees, which it may read.

        Raises:
            InputError: It was altered, or is no text of trees over the columns.
        """
        text = read_file(self.folder, TREES, self.manifest).decode("utf-8", "replace")
        check_trees(text, self.columns)
        return text


def read_model_bundle(folder: Path) -> ModelBundle:
    """Reads the parts of a model version that training and the service both need.

    Raises:
        InputError: The bundle was altered, or is of other columns or another format than this code's.
    """
    manifest = read_manifest(folder)
    try:
        features, calibration = (_read_json(folder, name, manifest) for name in ("features", "calibration"))
        if manifest.get("format") != FORMAT or features["schema"] != SCHEMA_HASH:
            raise InputError(f"the model {folder.name} was trained on other columns than this version of regroup makes")
        sigmoid = Sigmoid(float(calibration["slope"]), float(calibration["offset"]))
        return ModelBundle(folder, manifest, tuple(features["columns"]), sigmoid)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"the model {folder.name} cannot be read: {type(error).__name__}") from error


def _read_json(folder: Path, name: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(read_file(folder, f"{name}.json", manifest))
    return content
