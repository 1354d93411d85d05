"""The deep peer is asked in another process, and scored only on the rows that it was asked about."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.__main__ import main
from experiments.benchmarks.forecasts.data.datasets import DATA_SETS, read_data_set
from experiments.benchmarks.forecasts.deep_peer import PROGRAM, export_answers
from features.errors import InputError

pytestmark = pytest.mark.long  # whole benchmarks, if small ones

NAME = "gervet-assistments09"


@pytest.fixture
def data(tmp_path) -> Path:
    """Able and other students, twenty answers each; a third of them in test."""
    rng = np.random.default_rng(1)
    students, answers = 60, 20
    able = np.repeat(rng.normal(0, 2, students), answers)
    item = rng.integers(40, size=students * answers)
    table = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(students), answers),
            "item_id": item,
            "skill_id": item % 4,
            "correct": (rng.random(students * answers) < 1 / (1 + np.exp(-able))).astype(int),
            "split": np.where(np.repeat(np.arange(students), answers) % 3 == 0, "test", "train"),
            "seq": np.tile(np.arange(answers), students),
        }
    )
    path = tmp_path / "data" / DATA_SETS[NAME].file
    path.parent.mkdir(parents=True)
    table.to_parquet(path)
    (tmp_path / "quick.toml").write_text("[boosting]\nrounds = 5\nthreads = 1\n[evaluation]\nbootstrap = 20\n")
    return tmp_path / "data"


def write_interpreter(path: Path, program: str) -> Path:
    """A program in place of Python with its network: it gets the same arguments."""
    path.write_text(f"#!{sys.executable}\nimport sys\nimport numpy as np\n{program}\n")
    path.chmod(0o755)
    return path


SHARE = """
answers = np.load(sys.argv[2])
share = np.full(len(answers["test_item"]), answers["train_correct"].mean())
np.savez(sys.argv[3], digest=answers["digest"], probability=share, fit_s=1.5, predict_s=0.5)
"""


def run_next_response(data: Path, *options: str) -> dict:
    figures = data.parent / "figures.json"
    common = ["--data", str(data), "--config", str(data.parent / "quick.toml"), "--no-tracking"]
    assert main(["benchmark", "next-response", "--dataset", NAME, *common, "--json", str(figures), *options]) == 0
    return json.loads(figures.read_text())


def test_what_another_process_forecasts_is_scored_beside_the_peers(data, tmp_path):
    python, predictions = write_interpreter(tmp_path / "python", SHARE), tmp_path / "deep.npz"
    asked = ["--dataset", NAME, "--data", str(data), "--python", str(python), "--predictions", str(predictions)]

    assert main(["benchmark", "deep-peer", *asked]) == 0
    figures = run_next_response(data, "--peer-predictions", str(predictions))

    of = {result["model"]: result for result in figures["results"]}
    assert of["deep_kt"]["auc"] == 0.5
    assert of["deep_kt"]["log_loss"] == pytest.approx(of["majority"]["log_loss"])
    assert (of["deep_kt"]["fit_s"], of["deep_kt"]["predict_s"]) == (1.5, 0.5)
    paired = figures["paired_with_deep_without_copies"]
    assert paired["against"] == "deep_kt"
    assert paired["difference"] == pytest.approx(of["regroup"]["auc"] - 0.5)


@pytest.mark.parametrize("change", ["an answer", "its order", "no predictions", "no file"])
def test_predictions_of_other_rows_are_refused(data, tmp_path, change):
    answers, predictions = tmp_path / "answers.npz", tmp_path / "deep.npz"
    path = data / DATA_SETS[NAME].file
    table = pd.read_parquet(path)
    export_answers(read_data_set(NAME, data), answers)
    with np.load(answers) as file:
        content = {"digest": file["digest"], "probability": np.full(len(file["test_item"]), 0.5)}
    np.savez(predictions, **content, fit_s=1.0, predict_s=1.0)
    if change == "an answer":
        table.loc[0, "correct"] = 1 - table.loc[0, "correct"]
    elif change == "its order":
        table["seq"] = 19 - table["seq"]
    elif change == "no predictions":
        predictions.write_text("AUC .99")
    else:
        predictions.unlink()
    table.to_parquet(path)

    with pytest.raises(InputError, match=r"holds (no predictions|predictions of other answers)"):
        run_next_response(data, "--peer-predictions", str(predictions))


def test_a_program_that_fails_is_one_sentence(data, tmp_path):
    python = write_interpreter(tmp_path / "python", "sys.exit(3)")
    asked = ["--dataset", NAME, "--data", str(data), "--python", str(python), "--predictions", str(tmp_path / "d.npz")]

    with pytest.raises(InputError, match="exit code 3"):
        main(["benchmark", "deep-peer", *asked])


@pytest.mark.long
def test_the_network_learns_who_is_able_and_reads_no_later_answer(data, tmp_path):
    """In an environment that its own lock makes; a forecast before a student's answer does not move with it."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    lock = PROGRAM.with_name("requirements.lock")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock], check=True)
    answers, flipped = tmp_path / "answers.npz", tmp_path / "flipped.npz"
    export_answers(read_data_set(NAME, data), answers)
    with np.load(answers) as file:
        content = dict(file)
    place = np.arange(len(content["test_correct"])) % 20
    later = place >= 10
    np.savez(
        flipped, **content | {"test_correct": np.where(later, 1 - content["test_correct"], content["test_correct"])}
    )
    for path in (answers, flipped):
        subprocess.run([python, PROGRAM, path, path.with_suffix(".out.npz")], check=True)

    with np.load(tmp_path / "answers.out.npz") as one, np.load(tmp_path / "flipped.out.npz") as other:
        before, after = one["probability"], other["probability"]
    np.testing.assert_array_equal(after[place <= 10], before[place <= 10])
    assert (after[place > 10] != before[place > 10]).all()
    able = np.add.reduceat(content["test_correct"], np.flatnonzero(place == 0))
    last = before[place == 19]
    assert np.corrcoef(able, last)[0, 1] > 0.5
