"""What experiments leave in the home: forecasts of each fold and seed, and the record of each run.

A part is named by a hash of everything that it came of, so that a run which was killed goes on with those that are
there, and an experiment that adds a seed or takes another name computes nothing twice. No file has the id of a student:
rows and students are numbers that are salted with a secret of the home.
"""

import io
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.workbench.metrics import METRICS
from experiments.workbench.runs.numbers import Numbers
from features.bundle import read_file, read_manifest, write_bundle
from features.errors import InputError, MissingError
from features.home import Home

RECORD, PREDICTIONS = "run.json", "predictions.parquet"

SHORTEST_ID = 6
"""Fewest characters of an id by which a run is found."""


@dataclass(frozen=True)
class Part:
    """What came of one fold and one seed; arrays have one entry per scored row, by row number.

    Attributes:
        row: Salted number of the row.
        student: Salted number of its student.
        episode: Code of its student and skill, of this fold alone.
        opportunity: First attempts on the skill before it.
        target: 1 or 0, or the chance of 1 where the outcome is undecided.
        probability: The forecast.
        sizes: Rows that trained and that calibrated, those of the holdout that anything was learned from, and those
            that were left out since a student who is learned from gave the same answers.
        curve: The learning curve, a row of share, students who train, log-loss and AUC for each share; only of the
            first seed.
    """

    row: Numbers
    student: Numbers
    episode: Numbers
    opportunity: npt.NDArray[np.int32]
    target: npt.NDArray[np.float32]
    probability: npt.NDArray[np.float32]
    sizes: Numbers
    curve: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """The record of a run; it names no student.

    Attributes:
        key: A hash of everything that it came of.
        name: What it is called.
        at: When it ended, in UTC.
        run_id: MLflow's id of it; empty where nothing was logged.
        choices: The experiment, as plain values.
        facts: What two runs must have in common to be compared, by what it is called.
        folds: One row per fold and seed: `fold`, `seed`, rows and metrics.
        curve: One row per fold and share of those who train: `fold`, `share`, `students`, `log_loss`, `auc`.
        seen: Scored rows that anything was learned from.
        left_out: Rows that are not scored; see `Part`.
    """

    key: str
    name: str
    at: str
    run_id: str
    choices: Mapping[str, Any]
    facts: Mapping[str, str]
    folds: list[dict[str, Any]]
    curve: list[dict[str, Any]]
    seen: int
    left_out: int

    @property
    def table(self) -> pd.DataFrame:
        """One row per fold and seed, with its metrics."""
        return pd.DataFrame(self.folds)

    @property
    def seeds(self) -> list[int]:
        """The seeds that were run."""
        return list(dict.fromkeys(fold["seed"] for fold in self.folds))


def summarize(run: Run) -> pd.DataFrame:
    """Returns mean, standard deviation and number of folds and seeds of each metric, one row per metric."""
    table = run.table[list(METRICS)]
    return pd.DataFrame({"mean": table.mean(), "sd": table.std(), "n": table.count()})


class Shelf:
    """The folder of all experiments of a home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.parts, self.runs = home.experiments / "parts", home.experiments / "runs"

    def read_part(self, key: str) -> Part | None:
        """A part that is there whole; None where it is missing or damaged."""
        try:
            content = (self.parts / f"{key}.npz").read_bytes()
            with np.load(io.BytesIO(content)) as arrays:
                return Part(**arrays)
        except (FileNotFoundError, BadZipFile, ValueError, EOFError, KeyError, TypeError):
            return None

    def keep_part(self, key: str, part: Part) -> None:
        """Keeps a part, whole or not at all."""
        self.parts.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        np.savez_compressed(content, **vars(part))
        draft = self.parts / f".{key}-{secrets.token_hex(4)}"  # another process may compute the same
        draft.write_bytes(content.getvalue())
        draft.replace(self.parts / f"{key}.npz")

    def keep_run(self, run: Run, predictions: pd.DataFrame) -> None:
        """Keeps a run with the forecasts of its rows; one of the same key is replaced."""

        def write(draft: Path) -> None:
            predictions.to_parquet(draft / PREDICTIONS, index=False)
            (draft / RECORD).write_text(json.dumps(asdict(run), ensure_ascii=False), encoding="utf-8")

        write_bundle(self.runs / run.key, {"format": 1}, write)

    def read_run(self, key: str) -> Run | None:
        """A run that is there whole; None where it is missing or was altered."""
        folder = self.runs / key
        try:
            return Run(**json.loads(read_file(folder, RECORD, read_manifest(folder))))
        except (InputError, TypeError):
            return None

    def find_runs(self, names: Sequence[str]) -> list[Run]:
        """The newest run of each name, or the one that MLflow's id or its beginning names.

        Raises:
            MissingError: There is none of a name in this home.
        """
        records = self._list_records()
        return [self._find_run(name, records) for name in names]

    def _find_run(self, called: str, records: Sequence[Mapping[str, str]]) -> Run:
        named = [record for record in records if record["name"] == called]
        by_id = [
            record
            for record in records
            if len(called) >= SHORTEST_ID and called in (record["run_id"][: len(called)], record["key"][: len(called)])
        ]
        for record in [*named, *by_id]:
            run = self.read_run(record["key"])
            if run is not None:
                return run
        known = ", ".join(dict.fromkeys(record["name"] for record in records)) or "none yet"
        raise MissingError(f"there is no run {called!r} in {self.home.experiments}; there are: {known}")

    def _list_records(self) -> list[dict[str, str]]:
        """How all runs are called, the newest first; whether their files were altered is seen when one is read."""
        records = []
        for path in self.runs.glob(f"*/{RECORD}"):
            with suppress(OSError, ValueError, TypeError, KeyError):  # it was removed, or is damaged
                record = json.loads(path.read_bytes())
                if record["key"] == path.parent.name:  # else it is the draft of one
                    records.append({name: str(record[name]) for name in ("key", "name", "run_id", "at")})
        return sorted(records, key=lambda record: record["at"], reverse=True)

    def read_predictions(self, run: Run) -> pd.DataFrame:
        """The forecasts of a run, one row per scored row, with its facts as in `Part` and a column for each seed.

        Raises:
            InputError: The file was altered.
        """
        folder = self.runs / run.key
        content = read_file(folder, PREDICTIONS, read_manifest(folder))
        return pd.read_parquet(io.BytesIO(content))
