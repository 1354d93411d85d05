"""`python -m experiments benchmark deep-peer`: a deep network trained and asked in an environment of its own.

The network is a program that shares nothing with regroup: it gets the answers of a data set in a file, and writes its
forecasts of the test students' answers into another. `benchmark next-response --peer-predictions FILE` scores these
beside the other peers, after it has seen that they are of the very rows that it scores.
"""

import hashlib
import logging
import subprocess
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments.benchmarks.forecasts.data.datasets import BenchmarkLog, read_data_set
from experiments.benchmarks.forecasts.figures.scores import Forecast
from experiments.benchmarks.forecasts.peers import Responses, to_responses
from features.console import writing
from features.errors import InputError
from training.data.dataset import read_log

logger = logging.getLogger("regroup")

DEEP_PEER = "deep_kt"
"""Name in tables."""

PROGRAM = Path(__file__).parent / "peers" / "deep" / "dkt.py"

ROW = ("student", "item", "skill", "correct")
"""What the program gets of each answer."""


def benchmark_deep_peer(data_set: str, *, python: Path, predictions: Path, data: Path | None = None) -> int:
    """Trains the deep peer on a data set's training students, and writes its forecasts; returns the exit code.

    Args:
        data_set: One of `datasets.DATA_SETS`.
        python: The interpreter of an environment made by `peers/deep/requirements.lock`.
        predictions: The `.npz` file to write.
        data: The folder that holds the data sets; null = the default one.

    Raises:
        InputError: A path is not as it should be, or the program failed.
    """
    log = read_data_set(data_set, data)
    with tempfile.TemporaryDirectory(prefix="regroup-") as folder, writing(predictions):
        answers = Path(folder) / "answers.npz"
        export_answers(log, answers)
        done = subprocess.run([python, PROGRAM, answers, predictions.resolve()], check=False)  # noqa: S603 - as asked
    if done.returncode:
        raise InputError(
            f"{python} {PROGRAM.name} ended with exit code {done.returncode}; is its environment complete?"
        )
    logger.info("wrote %s", predictions)
    return 0


def export_answers(log: BenchmarkLog, path: Path) -> None:
    """Writes the answers of training and test students as codes, and the digest of the latter."""
    vocabulary, timeline, _ = read_log(log.events, log.item_skills)
    answered = (timeline.correct >= 0) & (timeline.item >= 0)
    test = timeline.students.isin(log.test_students)[timeline.student]
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for name, part in (("train", answered & ~test), ("test", answered & test)):
        responses = to_responses(timeline, vocabulary, np.flatnonzero(part))
        columns |= {f"{name}_{column}": getattr(responses, column) for column in ROW}
    sizes = {"items": responses.items, "skills": responses.skills}
    np.savez(path, allow_pickle=False, digest=np.array(digest_rows(responses)), **columns, **sizes)


def digest_rows(responses: Responses) -> str:
    """Returns a digest that is equal for the same answers in the same order."""
    digest = hashlib.sha256()
    for name in ROW:
        digest.update(getattr(responses, name).astype(np.int64).tobytes())
    return digest.hexdigest()


def read_predictions(path: Path, test: Responses) -> Forecast:
    """Returns what the deep peer forecast of these answers.

    Raises:
        InputError: There is no such file, it holds no predictions, or those of other answers.
    """
    try:
        with np.load(path) as file:
            digest, probability = str(file["digest"]), file["probability"].astype(np.float64)
            seconds = float(file["fit_s"]), float(file["predict_s"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} holds no predictions; benchmark deep-peer writes them") from error
    if digest != digest_rows(test) or len(probability) != len(test.item):
        raise InputError(f"{path} holds predictions of other answers than those scored; run benchmark deep-peer again")
    return Forecast(DEEP_PEER, probability, *seconds)
