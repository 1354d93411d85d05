"""A model version on disk, as training writes it and the service reads it; nothing in it is a pickle."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from features.bundle import read_file, read_manifest
from features.errors import InputError
from features.profiles.columns import SCHEMA_HASH
from features.profiles.kernel import COLUMNS
from features.trees import check_trees

Floats = npt.NDArray[np.float64]

FORMAT = 3
"""Raised when code of another version would misread a bundle."""

PACKED = ".json.gz"
"""The end of the names of files that hold JSON packed, since they are large and people do not open them."""

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
class Term:
    """One column of a line: it adds weight x (value - mean), in logits.

    Attributes:
        column: One of the kernel's columns that is never null.
        mean: Of the rows that were learned from.
        weight: Logits per unit of the column.
    """

    column: str
    mean: float
    weight: float


@dataclass(frozen=True)
class Line:
    """A score in logits that the trees of a forecast add to; without terms, it is the offset for every row.

    Trees are flat beyond the rows that they learned from, and learn what lies far from most rows from few of them. A
    line goes on in the direction that most rows showed.

    Attributes:
        offset: The score of a row whose columns are at their means.
        terms: What each column adds to that.

    Example:
        >>> line = Line(-1.0, (Term("skill_correct_share", 0.5, -2.0),))
        >>> rows = np.full((1, len(COLUMNS)), 0.75, np.float32)
        >>> line.score(rows).tolist()
        [-1.5]
    """

    offset: float
    terms: tuple[Term, ...]

    def weigh(self, rows: npt.NDArray[np.float32]) -> Floats:
        """What each term adds to the score of each row of kernel columns; a column per term."""
        added = np.empty((len(rows), len(self.terms)))
        for at, term in enumerate(self.terms):
            added[:, at] = term.weight * (rows[:, COLUMNS.index(term.column)].astype(np.float64) - term.mean)
        return added

    def score(self, rows: npt.NDArray[np.float32]) -> Floats:
        """The score of each row of kernel columns, the same whichever rows stand beside it."""
        score = np.full(len(rows), self.offset)
        for added in self.weigh(rows).T:  # term by term: a matrix product rounds as the number of rows has it
            score += added
        return score

    def to_json(self) -> dict[str, object]:
        """The JSON of the artifact."""
        return {"offset": self.offset, "terms": [asdict(term) for term in self.terms]}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """The line that `to_json` wrote."""
        return cls(float(stored["offset"]), tuple(Term(**term) for term in stored["terms"]))


@dataclass(frozen=True)
class ModelBundle:
    """A model version whose hashes, format and columns were checked.

    Attributes:
        folder: The folder of the bundle.
        manifest: The facts that it was written with.
        columns: Columns of a profile's row that the trees read, in order.
        line: The score that the trees add to.
        calibration: Turns the sum of both into a probability.
    """

    folder: Path
    manifest: dict[str, Any]
    columns: tuple[str, ...]
    line: Line
    calibration: Sigmoid

    @property
    def kind(self) -> Literal["trained", "prior"]:
        """`trained` on the log that it serves, or a `prior` with rules learned elsewhere."""
        return "prior" if self.manifest.get("kind") == "prior" else "trained"

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
        line = Line.from_json(_read_json(folder, "line", manifest))
        return ModelBundle(folder, manifest, tuple(features["columns"]), line, sigmoid)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"the model {folder.name} cannot be read: {type(error).__name__}") from error


def _read_json(folder: Path, name: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    if name + PACKED in manifest["files"]:  # earlier versions packed none
        text = gzip.decompress(read_file(folder, name + PACKED, manifest))
    else:
        text = read_file(folder, f"{name}.json", manifest)
    content: dict[str, Any] = json.loads(text)
    return content
