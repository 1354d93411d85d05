"""Forecasts of one model version for rows of a profile, and their reasons."""

import threading
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.errors import RegroupError
from features.model_bundle import read_model_bundle
from features.profiles.columns import FAMILIES, REGISTRY
from features.profiles.kernel import COLUMNS
from serving.errors import SnapshotError
from serving.models.reasons import Reason, choose_reasons
from serving.models.scores import ScoreTable, digest_rows
from serving.models.status import Rows, Thresholds

Floats = npt.NDArray[np.float64]

SCORES = 2**17
"""Places for rows whose probability is kept; 3 MB."""


class Forecaster:
    """One model version, read from its bundle and ready to score arrays.

    Raises:
        SnapshotError: The bundle was altered, or is of other columns than this code makes.
    """

    def __init__(self, folder: Path) -> None:
        try:
            bundle = read_model_bundle(folder)
            trees, thresholds = bundle.read_trees(), bundle.read("thresholds")
        except RegroupError as error:
            raise SnapshotError(str(error)) from error
        self.manifest, self.kind = bundle.manifest, bundle.kind
        self._positions = [COLUMNS.index(name) for name in bundle.columns]
        self._line, self._calibration = bundle.line, bundle.calibration
        self.thresholds = Thresholds.from_json(thresholds)
        self._booster = lgb.Booster(model_str=trees)
        self._lock = threading.Lock()
        self._scores = ScoreTable(SCORES)
        family_of = {column.name: column.family for column in REGISTRY}
        read = [*bundle.columns, *(term.column for term in bundle.line.terms)]
        self._in_family = np.array([[family_of[name] == family for family in FAMILIES] for name in read], np.float64)

    def predict(self, rows: Rows) -> Floats:
        """Forecasts the probability for each row of kernel columns; a row that was scored before is looked up.

        A batch of events changes few of a team's rows, and scoring is most of what a request costs.
        """
        digests = digest_rows(rows)
        with self._lock:
            probability = self._scores.get(digests)
        new = np.flatnonzero(np.isnan(probability))
        if len(new) > 0:
            fresh = rows[new]
            score = np.asarray(
                self._booster.predict(fresh[:, self._positions], raw_score=True, num_threads=1), np.float64
            )
            probability[new] = self._calibration.apply(self._line.score(fresh) + score)
            with self._lock:
                self._scores.put(digests[new], probability[new])
        return probability

    def weigh_families(self, rows: Rows) -> Floats:
        """Weighs how far each family of `FAMILIES` moves each row's forecast, in logits; about a millisecond a row.

        These are LightGBM's own exact contributions (Shapley values of the trees) and what each column adds to the
        line, summed within a family and scaled as the calibration scales the score.
        """
        if len(rows) == 0:
            return np.empty((0, len(FAMILIES)))
        shares = np.asarray(
            self._booster.predict(rows[:, self._positions], pred_contrib=True, num_threads=1), np.float64
        )
        by_column = np.concatenate([shares[:, :-1], self._line.weigh(rows)], axis=1)
        return self._calibration.slope * (by_column @ self._in_family)

    def explain(self, rows: Rows, most: int = 3) -> list[tuple[Reason, ...] | None]:
        """Names the families of columns that move each row's struggle risk most, as `choose_reasons` chooses them.

        None where the forecast contradicts the facts and nothing explains it: it must not be given.
        """
        weighed = zip(rows, self.predict(rows), self.weigh_families(rows), strict=True)
        return [choose_reasons(row, risk, weights, self.thresholds, most) for row, risk, weights in weighed]
