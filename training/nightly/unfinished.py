"""What a night has computed so far, kept in the home until it has ended: a night that was killed goes on from there.

It lies under a hash of everything that it came of, `Night.key`, so that it is never taken for what other data, choices
or code would give. Models and judgement are each there whole or not at all, and name no student.
"""

import json
import secrets
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from features.bundle import read_file, read_manifest, write_bundle
from features.errors import InputError
from training.data.dataset import Dataset
from training.evaluation.gate import Decision
from training.models.artifacts import StoredModel, read_model, write_model
from training.models.boosting import FORECASTS, Model
from training.nightly.facts import Night
from training.records.tracking import JUDGED

JUDGEMENT = "judgement"

REFITTED = "refitted"

STEPS = ("train", "evaluate")
"""Steps from which a night can be done again: what a night keeps is what comes of these."""


@dataclass(frozen=True)
class Judgement:
    """What the gate decided about the challenger, with what MLflow keeps of it.

    Attributes:
        champion: The run that it was compared with; None without one.
        kind: The kind of that run's models; None where they could not be read.
        decision: What was decided.
        metrics: Every figure under a flat name.
        card: The model card, in Markdown.
        evaluation: Every figure as plain values, in JSON.
        refitted: Whether what serves has learned from the holdout as well; the models that were judged are kept too.
        serves: Why, in a sentence.
        night: A name of its own, by which its run in MLflow is found again.
        at: When it was decided, in UTC.
    """

    champion: str | None
    kind: str | None
    decision: Decision
    metrics: dict[str, float]
    card: str
    evaluation: str
    refitted: bool = False
    serves: str = ""
    night: str = ""
    at: str = ""


class Unfinished:
    """The folder of one night's work."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self._folder = night.home.unfinished / night.key

    def models(self, *, refitted: bool) -> dict[str, Path]:
        """The folders of the models by artifact: what serves and, where that was refitted, what was judged."""
        judged = {forecast.name: self._folder / forecast.name for forecast in FORECASTS}
        if not refitted:
            return judged
        serves = {name: self._folder / REFITTED / name for name in judged}
        return serves | {JUDGED + name: folder for name, folder in judged.items()}

    @property
    def size(self) -> int:
        """Bytes of the files of the models that are judged."""
        return sum(_size_of(folder) for folder in self.models(refitted=False).values())

    def begin(self) -> None:
        """Removes what nights left that worked on something else."""
        for path in self._night.home.unfinished.glob("*"):
            if path != self._folder:
                shutil.rmtree(path)

    def forget(self, step: str) -> None:
        """Removes what one of `STEPS` and those after it have left, so that they are done again."""
        shutil.rmtree(self._folder if step == "train" else self._folder / JUDGEMENT, ignore_errors=True)

    def end(self) -> None:
        """Removes everything, since the night is over."""
        shutil.rmtree(self._night.home.unfinished, ignore_errors=True)

    def read_model(self, forecast: str) -> StoredModel | None:
        """A model that was trained already; None where there is none."""
        try:
            return read_model(self._folder / forecast)
        except InputError:
            return None

    def keep_model(self, model: Model, dataset: Dataset) -> StoredModel:
        """Keeps a model, and returns it as it is read back, so that a night that goes on has the same."""
        folder = self._folder / model.forecast.name
        write_model(folder, model, dataset.statistics, self._night.config, self._night.facts)
        return read_model(folder)

    def keep_refitted(self, model: Model, dataset: Dataset) -> tuple[Model, int]:
        """Keeps a refitted model, and returns it as it is read back, with the bytes of its files."""
        folder = self._folder / REFITTED / model.forecast.name
        write_model(folder, model, dataset.statistics, self._night.config, self._night.facts)
        return read_model(folder).model, _size_of(folder)

    def read_judgement(self) -> Judgement | None:
        """What was decided already; None where nothing was."""
        folder = self._folder / JUDGEMENT
        try:
            stored = json.loads(read_file(folder, f"{JUDGEMENT}.json", read_manifest(folder)))
        except InputError:
            return None
        decision = Decision(**{**stored["decision"], "reasons": tuple(stored["decision"]["reasons"])})
        return Judgement(**{**stored, "decision": decision})

    def keep_judgement(self, judgement: Judgement) -> Judgement:
        """Keeps what was decided, and returns it with its name and moment."""
        named = {**asdict(judgement), "night": secrets.token_hex(8), "at": datetime.now(UTC).isoformat(" ", "seconds")}

        def write(draft: Path) -> None:
            (draft / f"{JUDGEMENT}.json").write_text(json.dumps(named, ensure_ascii=False), encoding="utf-8")

        write_bundle(self._folder / JUDGEMENT, {"format": 1}, write)
        return Judgement(**{**named, "decision": judgement.decision})

    def find_done(self) -> dict[str, bool]:
        """Which of the steps that are kept were done already."""
        trained = {f"train {forecast.name}": self.read_model(forecast.name) is not None for forecast in FORECASTS}
        return {**trained, "evaluate": self.read_judgement() is not None}


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
