"""What comes of comparing runs: verdicts on pairs, gains of groups, and the tables of both."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.workbench.comparison.statistics import FoldGain, Gain
from experiments.workbench.metrics import METRICS
from experiments.workbench.runs.store import Run, summarize

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """Two runs on the same rows.

    Attributes:
        run: The one that is judged.
        against: The one that it is compared with.
        gain: By how much it is better, over students.
        p: That gain's p, adjusted for the number of pairs.
        folds: The same over folds; null with fewer than two.
        verdict: `better`, `worse`, `equal` or `undecided`.
    """

    run: str
    against: str
    gain: Gain
    p: float
    folds: FoldGain | None
    verdict: str


@dataclass(frozen=True)
class Verdicts:
    """What comes of comparing runs; its tables hold no row of a student.

    Attributes:
        runs: The runs, as they were named.
        metric: What verdicts are given on.
        margin: Half of the region of practical equivalence.
        pairs: Each later run against each earlier one.
        groups: One row per pair and group: `run`, `against`, `by`, `group`, `rows`, `students`, `gain`, `low`, `high`.
        predictions: Targets and forecasts of the scored rows, for figures.
    """

    runs: Sequence[Run]
    metric: str
    margin: float
    pairs: Sequence[Pair]
    groups: pd.DataFrame
    predictions: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """One row per pair: gain over students with its interval and p, over folds, and the verdict."""
        return pd.DataFrame([self._row(pair) for pair in self.pairs])

    @staticmethod
    def _row(pair: Pair) -> dict[str, Any]:
        gain, folds = asdict(pair.gain), asdict(pair.folds) if pair.folds else {}
        return {
            "run": pair.run,
            "against": pair.against,
            "verdict": pair.verdict,
            **{("gain" if name == "value" else name): value for name, value in gain.items()},
            "p_adjusted": pair.p,
            **{f"folds_{name}".replace("folds_folds", "folds"): value for name, value in folds.items()},
        }

    @property
    def scores(self) -> pd.DataFrame:
        """One row per run: mean and standard deviation of each metric over folds and seeds, and their number."""
        rows = []
        for run in self.runs:
            summary = summarize(run)
            means = {name: summary.loc[name, "mean"] for name in METRICS}
            deviations = {f"{name}_sd": summary.loc[name, "sd"] for name in METRICS}
            rows.append({"run": run.name, **means, **deviations, "n": len(run.folds)})
        return pd.DataFrame(rows)

    def to_json(self) -> dict[str, Any]:
        """Every figure as plain values."""
        groups = json.loads(self.groups.to_json(orient="records"))
        pairs = json.loads(self.table.to_json(orient="records"))
        return {"metric": self.metric, "margin": self.margin, "pairs": pairs, "groups": groups}


def forecasts_of(run: Run, predictions: pd.DataFrame) -> list[Floats]:
    """The forecasts of a run, seed by seed."""
    return [predictions[f"{run.name} seed {seed}"].to_numpy(np.float64) for seed in run.seeds]
