"""A search tries values on folds of students alone, goes on after a kill as if nothing was, and the night takes it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.__main__ import main
from experiments.workbench import search
from experiments.workbench.runs.experiment import make_experiment, read_experiment
from experiments.workbench.runs.folds import build_rows, list_folds, reserved_fold
from experiments.workbench.runs.source import read_source
from experiments.workbench.runs.store import Shelf
from experiments.workbench.search import search_experiment
from features.errors import InputError
from features.home import Home
from training.__main__ import main as train
from training.config import load_config
from training.records.tracking import EXPERIMENT, EXPERIMENTS, Tracking

pytestmark = pytest.mark.long  # whole benchmarks, if small ones

POOR = {
    "label": {"streak": 1},
    "judge": {"streak": 3},
    "training": {"boosting": {"rounds": 8, "leaves": 5, "min_rows_per_leaf": 20, "learning_rate": 0.005}},
}
"""Who is right once has not been right three times in a row: what learns by one and is judged by the other is worse."""

SPACE = {"training.boosting.learning_rate": {"low": 0.005, "high": 0.3, "log": True}, "label.streak": [1, 3]}


def make_search(trials, **other):
    chosen = {"name": "searched", "seeds": [1], "split": {"folds": 3}, **POOR, **other}
    return make_experiment(**{"search": {"space": SPACE, "trials": trials}, **chosen})


@pytest.fixture(scope="module")
def found(school):
    """Twelve trials, of which the last are drawn from the others and may be pruned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "STARTUP", 4)
        yield search_experiment(make_search(12))


def test_the_best_is_what_the_night_reads(found, tmp_path):
    path = tmp_path / "night.toml"
    path.write_text(found.file, encoding="utf-8")

    own, complete = found.trials.iloc[0], found.trials[found.trials["state"] == "complete"]

    assert own["training.boosting.learning_rate"] == 0.005
    assert own["label.streak"] == 1
    best = complete.loc[complete["log_loss"].idxmin()]
    assert best["log_loss"] < own["log_loss"] - 0.01
    assert best["label.streak"] == 3
    assert found.chosen == {key: best[key] for key in SPACE}
    night = load_config(path)
    assert night.boosting.learning_rate == found.chosen["training.boosting.learning_rate"]
    assert night.mastery_rule.streak == found.chosen["label.streak"]
    assert night.boosting.leaves == 5
    assert found.best.judge.streak == 3


def test_trials_are_pruned_by_fold_and_logged_as_one_run(found):
    pruned = found.trials[found.trials["state"] == "pruned"]

    assert len(found.trials) == 12
    assert 0 < len(pruned) <= 8
    assert set(pruned["folds"]) <= {1, 2}
    runs = [run for run in Tracking().list_runs(EXPERIMENTS) if run.data.tags["kind"] == "search"]
    assert [run.info.run_id for run in runs] == [found.run_id]
    assert runs[0].data.metrics["pruned"] == len(pruned)


def test_a_search_in_two_steps_tries_the_same(found, school, monkeypatch):
    monkeypatch.setattr(search, "STARTUP", 4)
    for path in (school.experiments / "searches").glob("*.db"):
        path.unlink()

    search_experiment(make_search(5), tracking=False)
    again = search_experiment(make_search(12), tracking=False)

    pd.testing.assert_frame_equal(again.trials.drop(columns="trial"), found.trials.drop(columns="trial"))


def test_nothing_is_chosen_by_reserved_students_or_by_what_the_night_judges_by(school):
    experiment = make_search(1)
    source = read_source(experiment.data, "experiments")
    experiment = search._set_aside(experiment, source)

    (moment,) = experiment.data.as_of
    folds = [build_rows(source, experiment, fold) for fold in list_folds(experiment)]
    reserved = build_rows(source, experiment, reserved_fold(experiment))

    held, scored = set(reserved.student), set(np.concatenate([rows.student for rows in folds]))
    assert len(held) >= 3
    assert not held & scored
    assert reserved.seen == 0
    counts = [sum(len(np.unique(block.student)) for block in rows.blocks.values()) for rows in folds]
    assert max(counts) <= 40 - len(held)
    later = (source.events["occurred_at"] >= moment).mean()
    assert 0.1 < later < 0.2


def test_reserved_students_are_scored_once(school):
    def search_rule(trials, *, holdout):
        """The first trial is the file's own choice, which is poor."""
        chosen = make_search(1, search={"space": {"label.streak": [1, 3]}, "trials": trials})
        return search_experiment(chosen, holdout=holdout, tracking=False)

    first, again = search_rule(1, holdout=True), search_rule(1, holdout=True)

    assert (first.holdout.value, first.holdout.p) == (0, 1)
    assert again.holdout == first.holdout
    assert search_rule(6, holdout=False).chosen == {"label.streak": 3}
    with pytest.raises(InputError, match="the reserved students were scored before, for other values"):
        search_rule(6, holdout=True)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"search": None}, "searched has no space to search"),
        ({"split": {"by": "time"}}, "a search takes folds of students"),
        ({"model": "rule"}, "the night takes over choices of boosting only"),
    ],
)
def test_what_cannot_be_searched_is_refused(school, other, sentence):
    with pytest.raises(InputError, match=sentence):
        search_experiment(make_search(1, **other))


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"judge.streak": [2, 3]}, r"judge\.streak cannot be searched; use label\.streak, "),
        ({"label.streak": [3]}, r"label\.streak needs two different values"),
        ({"training.boosting.leaves": {"low": 9, "high": 9}}, "low 9 must be below high 9"),
        ({"training.boosting.learning_rate": {"low": 0.1, "high": 7.5}}, "learning_rate: .*not 7.5"),
    ],
)
def test_a_space_that_is_wrong_is_a_sentence(space, sentence):
    with pytest.raises(InputError, match=sentence):
        make_experiment(name="wrong", search={"space": space})


FILE = """
seeds = [1]
[split]
folds = 3
[training.boosting]
rounds = 8
leaves = 5
min_rows_per_leaf = 20
[search]
trials = 6
[search.space]
"training.boosting.learning_rate" = { low = 0.005, high = 0.3, log = true }
"""


@pytest.mark.long
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(school, tmp_path, monkeypatch):
    """Also in trials that are drawn from those before."""
    monkeypatch.setattr(search, "STARTUP", 2)
    path = tmp_path / "killed.toml"
    path.write_text(FILE, encoding="utf-8")
    parts = Shelf(school).parts
    before = set(parts.glob("*.npz"))

    asked = "from experiments.workbench import search; from experiments.__main__ import main; search.STARTUP = 2; "
    command = [sys.executable, "-c", f"{asked}main(['search', {str(path)!r}])"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[3])
    while len(set(parts.glob("*.npz")) - before) < 5:  # amid the second trial
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    goes_on = search_experiment(read_experiment(path), tracking=False)
    for database in (school.experiments / "searches").glob("*.db"):
        database.unlink()
    whole = search_experiment(read_experiment(path), tracking=False)

    assert len(goes_on.trials) == 6
    pd.testing.assert_frame_equal(goes_on.trials.drop(columns="trial"), whole.trials.drop(columns="trial"))


@pytest.mark.long
def test_the_night_trains_with_what_a_search_found(untrained_school, tmp_path):
    path, best = tmp_path / "searched.toml", tmp_path / "best.toml"
    sections = untrained_school.config.read_text(encoding="utf-8").replace("[", "[training.").split("\n", 1)[1]
    path.write_text(f"seeds = [1]\n[split]\nfolds = 3\n[search]\ntrials = 3\n[search.space]\n"
                    f'"training.boosting.leaves" = {{ low = 4, high = 12 }}\n{sections}', encoding="utf-8")  # fmt: skip

    assert main(["search", str(path), "--best", str(best), "--no-tracking"]) == 0
    assert train(["nightly", "--config", str(best)]) == 0

    night = next(run for run in Tracking().list_runs(EXPERIMENT) if "boosting.leaves" in run.data.params)
    assert int(night.data.params["boosting.leaves"]) == load_config(best).boosting.leaves <= 12
    assert Home(untrained_school.home).published.exists()
