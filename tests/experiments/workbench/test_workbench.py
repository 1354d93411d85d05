"""From an ingested log to a verdict: what a run keeps, what it does not compute twice, and what may be compared."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import experiments
from experiments.__main__ import main
from experiments.workbench.comparison import figures
from experiments.workbench.comparison.compare import compare, require_fair
from experiments.workbench.leaderboard import rank_runs
from experiments.workbench.runs import parts
from experiments.workbench.runs import run as runs
from experiments.workbench.runs.experiment import make_experiment
from experiments.workbench.runs.folds import build_rows, list_folds
from experiments.workbench.runs.store import Shelf
from features.erasure import STORES, Installation
from features.errors import InputError, MissingError
from features.home import Home, read_home
from features.profiles.columns import FAMILIES, REGISTRY
from tests.examples import DATABASES
from training.config import load_config
from training.errors import DataGateError
from training.models.boosting import STRUGGLE
from training.records.tracking import EXPERIMENTS, Tracking

QUICK = {"training": {"boosting": {"rounds": 5, "leaves": 7, "min_rows_per_leaf": 20}}, "seeds": [1], "curve": []}
TREES = {"split": {"folds": 3}, **QUICK, "curve": [0.8]}
BY_TIME = {"split": {"by": "time"}, "model": "logistic", **QUICK}


@pytest.fixture(scope="module")
def trees_and_rule(school):
    """Two runs over folds of students that may be compared."""
    trees = runs.run_experiment(make_experiment(name="trees", **TREES), workers=2)
    return trees, runs.run_experiment(
        make_experiment(name="rule", model="rule", split={"folds": 3}, **QUICK), workers=1
    )


@pytest.fixture(scope="module")
def by_time(school):
    """Runs an experiment that is scored on the last stretch of the log, without MLflow."""

    def _run(**other):
        return runs.run_experiment(make_experiment(**{"name": "plain", **BY_TIME, **other}), tracking=False)

    return _run


def test_a_run_scores_every_student_once(trees_and_rule, school):
    trees, _ = trees_and_rule
    predictions = Shelf(school).read_predictions(trees)

    assert len(trees.folds) == 3
    assert not predictions["row"].duplicated().any()
    assert predictions.groupby("student")["fold"].nunique().max() == 1
    assert trees.table["rows"].sum() == len(predictions)
    assert trees.seen == 0
    assert 0.55 < trees.table["auc"].mean() < 1


@pytest.mark.parametrize("split", [{"folds": 3}, {"by": "time"}])
def test_row_numbers_are_those_of_the_rows_that_are_scored(school, split):
    experiment = make_experiment(name="rows", split=split, **QUICK)
    source = runs.read_source(experiment.data, "experiments")

    rows = build_rows(source, experiment, list_folds(experiment)[-1])

    of_student = pd.Series(source.number(source.events["student_id"], "student"), index=source.events["event_id"])
    of_event = pd.Series(of_student.to_numpy(), index=source.number(source.events["event_id"], "row None"))
    assert of_event[rows.row].tolist() == rows.student.tolist()
    pairs = pd.DataFrame({"code": rows.blocks["holdout"].student, "number": rows.student}).drop_duplicates()
    assert pairs["code"].is_unique
    assert pairs["number"].is_unique


def test_a_run_is_one_run_in_mlflow_with_its_folds_as_a_table(trees_and_rule):
    trees, _ = trees_and_rule
    tracking = Tracking()

    found = [run for run in tracking.list_runs(EXPERIMENTS) if run.data.tags["name"] == "trees"]

    assert [run.info.run_id for run in found] == [trees.run_id]
    assert found[0].data.metrics["auc"] == pytest.approx(trees.table["auc"].mean())
    assert found[0].data.metrics["auc_sd"] == pytest.approx(trees.table["auc"].std())
    assert found[0].data.metrics["n"] == 3
    assert found[0].data.tags["mlflow.source.name"] == "python -m experiments run"
    folder = Path(found[0].info.artifact_uri.removeprefix("file://"))
    assert len(pd.read_csv(folder / "folds.csv")) == 3
    assert "salt experiments" in json.loads((folder / "facts.json").read_text(encoding="utf-8"))["split"]
    assert load_config(folder / "training.toml").boosting.rounds == 5


def test_no_id_of_a_student_is_kept(trees_and_rule, school):
    students = set(experiments.load_events()["student_id"].unique())
    page = compare("trees", "rule").to_html()
    artifacts = Path(os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///")).parent

    kept = [path for root in (school.experiments, artifacts) for path in root.rglob("*") if path.is_file()]
    contents = [path.read_bytes() for path in kept] + [page.encode()]

    assert len(kept) > 10
    assert len(students) == 40
    assert not [student for student in students for content in contents if student.encode() in content]


def test_what_is_there_is_not_computed_again(trees_and_rule, school, monkeypatch):
    trees, _ = trees_and_rule
    monkeypatch.setattr(runs, "build_rows", lambda *_: pytest.fail("a fold was computed again"))

    again = runs.run_experiment(make_experiment(name="trees", **TREES))
    renamed = make_experiment(name="same trees", **TREES)
    other_name = runs.run_experiment(renamed, tracking=False)

    assert (again.key, again.run_id, again.folds) == (trees.key, trees.run_id, trees.folds)
    assert other_name.folds == trees.folds


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "run.json").write_text("[]", encoding="utf-8"),
        lambda folder: (folder / "run.json").write_bytes(b""),
        lambda folder: (folder / "predictions.parquet").write_bytes(b"other forecasts"),
        lambda folder: (folder / "manifest.json").unlink(),
    ],
)
def test_a_run_that_was_altered_is_found_no_more(by_time, school, damage):
    run = by_time(name="altered", model="majority")
    assert Shelf(school).find_runs(["altered", run.key[:6]]) == [run, run]

    damage(Shelf(school).runs / run.key)

    with pytest.raises(MissingError, match="there is no run 'altered'"):
        Shelf(school).find_runs(["altered"])


def test_a_damaged_part_is_computed_again(by_time, school):
    first = by_time(name="damaged", model="majority")
    newest = max(Shelf(school).parts.glob("*.npz"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes()[:100])

    assert by_time(name="damaged", model="majority").folds == first.folds


def test_verdict_tables_page_and_pull_request(trees_and_rule):
    found = compare("rule", "trees")

    row = found.table.iloc[0]
    assert (row["run"], row["against"]) == ("trees", "rule")
    assert row["low"] <= row["gain"] <= row["high"]
    assert row["folds"] == 3
    assert row["gain"] == pytest.approx(
        -np.average(
            trees_and_rule[0].table["log_loss"] - trees_and_rule[1].table["log_loss"],
            weights=trees_and_rule[0].table["rows"],
        ),
        abs=1e-6,
    )
    assert {"opportunity", "school"} <= set(found.groups["by"])
    curves = {"roc", "precision_recall", "reliability", "lead_time", "learning"}
    assert set(found.figures) == {"gains", "folds"} | curves
    assert "| run | log-loss | AUC |" in found.to_markdown()
    page = found.to_html()
    assert page.count("<svg") == 7
    assert "prefers-color-scheme: dark" in page
    assert "http" not in page.replace("http://www.w3.org/", "")


def test_a_learning_curve_ends_at_the_run_itself(trees_and_rule):
    trees, rule = trees_and_rule
    curve = pd.DataFrame(trees.curve).set_index(["fold", "share"])

    assert rule.curve == []
    assert curve.xs(1.0, level="share")["auc"].tolist() == pytest.approx(trees.table["auc"].tolist())
    fewer = curve.xs(0.8, level="share")["students"]
    assert fewer.min() >= 10
    assert (fewer < curve.xs(1.0, level="share")["students"].reindex(fewer.index)).all()


def test_lead_time_is_who_has_a_place_so_long_before_the_struggle_is_plain(trees_and_rule, monkeypatch):
    """Three students of one fold struggle, one of whom has the fold's three places at the first attempts."""
    trees, _ = trees_and_rule
    monkeypatch.setattr(figures, "FEWEST", 1)
    rows = pd.DataFrame(
        {"fold": "one", "episode": np.repeat([0, 1, 2], 5), "opportunity": np.tile(np.arange(5), 3), "target": 1.0}
    )
    chance = np.where((rows["episode"] == 0) & (rows["opportunity"] < 3), 0.9, 0.1)
    on_its_way = rows.assign(target=np.where(rows["opportunity"] < 2, 0.0, 1.0))

    shares, later = figures.find_lead(trees, rows, chance), figures.find_lead(trees, on_its_way, chance)

    assert shares.round(2).to_dict() == {6: 0, 7: 0, 8: 0.33, 9: 0.33, 10: 0.33}
    assert later.round(2).to_dict() == {8: 0, 9: 0, 10: 0.33}


def test_the_order_of_the_runs_turns_the_gain(trees_and_rule):
    one, other = compare("rule", "trees"), compare("trees", "rule")

    assert one.pairs[0].gain.value == pytest.approx(-other.pairs[0].gain.value)
    assert {one.pairs[0].verdict, other.pairs[0].verdict} in ({"better", "worse"}, {"undecided"}, {"equal"})


def test_a_run_is_as_good_as_one_with_the_same_forecasts(trees_and_rule, school):
    runs.run_experiment(make_experiment(name="same trees", **TREES), tracking=False)

    assert compare("trees", "same trees").pairs[0].verdict == "equal"


def test_of_three_runs_each_pair_is_judged_and_the_best_wins(trees_and_rule, school):
    plain = make_experiment(name="majority", model="majority", split={"folds": 3}, **QUICK)
    runs.run_experiment(plain, workers=1, tracking=False)

    found = compare("majority", "rule", "trees")

    assert [(pair.run, pair.against) for pair in found.pairs] == [
        ("rule", "majority"), ("trees", "majority"), ("trees", "rule"),
    ]  # fmt: skip
    assert all(pair.p >= pair.gain.p for pair in found.pairs)
    verdicts = {(pair.run, pair.against): pair.verdict for pair in found.pairs}
    assert verdicts["trees", "majority"] == "better"
    assert found.winner.name != "majority"


def test_experiments_that_learn_by_different_rules_can_be_judged_by_the_same(by_time, school):
    by_time(name="learns 2", model="boosting", label={"streak": 2}, judge={"streak": 3})
    by_time(name="learns 3", model="boosting", label={"streak": 3})

    assert compare("learns 2", "learns 3").pairs[0].gain.students > 10


def test_families_that_are_off_are_not_read(by_time):
    choices = {"name": "less", "model": "boosting", "features": {"material": False, "overall": False}}
    chosen = parts._choose_columns(STRUGGLE, make_experiment(**{**BY_TIME, **choices}))

    run = by_time(**choices)

    left = {column.family for column in REGISTRY if column.name in chosen.columns}
    assert left == set(FAMILIES) - {"material", "overall"}
    assert chosen.line == ("skill_correct_ewm_20", "skill_streak")
    assert 0.5 < run.table["auc"].iloc[0] < 1


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({"judge": {"streak": 2}}, r"label rule: .*give them the same \[judge\]"),
        ({"split": {"by": "students", "folds": 3}}, r"split: .* 3 folds of students"),
        ({"split": {"by": "time", "salt": "another"}}, "split: .*salt another"),
        ({"training": {"split": {"train_share": 0.5}}}, "split: .*after 0.5 to train"),
        ({"data": {"students": 30}}, "data: .*30 students drawn"),
        ({"data": {"as_of": ["2026-03-09"]}}, "as-of dates: .*2026-03-09"),
        ({"forecast": "mastery"}, "forecast: plain has struggle, other has mastery"),
    ],
)
def test_an_unfair_comparison_is_refused_and_says_why(by_time, other, fact):
    with pytest.raises(InputError, match=rf"it would not be fair to compare these runs\. .*{fact}"):
        compare(by_time(), by_time(name="other", **other))


def test_other_code_is_refused(by_time, monkeypatch):
    before = by_time()
    monkeypatch.setattr(runs, "hash_code", lambda _: "edited")

    with pytest.raises(InputError, match=r"code: .*edited \(run them again with the same version of regroup\)"):
        compare(before, by_time(name="other"))


def test_rows_that_were_seen_in_training_are_refused(by_time):
    run = by_time()

    with pytest.raises(InputError, match="plain has learned from 3 of the rows that it is scored on"):
        require_fair([replace(run, seen=3), replace(run, name="other")])


def test_rows_that_were_learned_from_are_counted(by_time, monkeypatch):
    split = runs.build_rows.__globals__["_split_time"]

    def leaks(*arguments):
        blocks, at, learned, row_of = split(*arguments)
        learned[at[:7]] = True
        return blocks, at, learned, row_of

    monkeypatch.setitem(runs.build_rows.__globals__, "_split_time", leaks)

    assert by_time(name="leaks", model="rule", training={"evaluation": {"rule_wrong_in_a_row": 4}}).seen == 7


def test_one_run_is_no_comparison_and_an_unknown_one_is_named(trees_and_rule, school):
    with pytest.raises(InputError, match="two runs or more"):
        compare("trees")
    with pytest.raises(MissingError, match=r"there is no run 'tree' in .*; there are: .*trees"):
        compare("trees", "tree")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"metric": "accuracy"}, "metric 'accuracy' is not known; use one of log_loss, auc"),
        ({"margin": -0.1}, "margin is -0.1; it must be 0 or more"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        compare("one", "other", **options)


def test_a_fold_without_both_outcomes_is_refused(school):
    first = experiments.load_events()["occurred_at"].min().date()

    with pytest.raises(DataGateError, match="the calibration block has 1 rows of the struggle forecast"):
        runs.run_experiment(make_experiment(name="early", data={"as_of": [first + pd.Timedelta(days=1)]}, **BY_TIME))


def test_students_with_the_same_answers_are_not_scored_by_models_of_each_other(school, monkeypatch):
    folds = runs.build_rows.__globals__
    events = experiments.load_events()
    counts = events["student_id"].value_counts()
    one, other = counts.index[:2]
    pairs = pd.DataFrame({"student_id": [one], "copy_id": [other], "by_chance": [0.0]})
    monkeypatch.setitem(folds, "find_copies", lambda _: pairs)
    monkeypatch.setattr(runs, "hash_code", lambda _: "copies")

    run = runs.run_experiment(
        make_experiment(name="copies", model="majority", split={"folds": 3}, **QUICK), workers=1, tracking=False
    )

    source = runs.read_source(make_experiment(name="x").data, "experiments")
    apart = len(set((source.number([one, other], "fold") % 3).tolist())) == 2
    scored = set(Shelf(school).read_predictions(run)["student"])
    assert (run.left_out > 0) is apart
    assert bool(scored & set(source.number([one, other], "student").tolist())) is not apart


def test_the_leaderboard_ranks_only_what_may_be_compared(trees_and_rule):
    ranked = rank_runs("auc")

    together = ranked[ranked["rows"] == ranked.loc[ranked["run"] == "trees", "rows"].iloc[0]]
    assert set(together["run"]) == {"trees", "rule"}
    assert together["auc"].is_monotonic_decreasing


def test_the_commands_go_from_a_file_to_what_the_night_takes(trees_and_rule, tmp_path, capsys):
    path = tmp_path / "by-streak.toml"
    path.write_text('seeds = [1]\n[split]\nby = "time"\n[training.boosting]\nrounds = 5\n', encoding="utf-8")
    outputs = {name: tmp_path / name for name in ("page.html", "pull.md", "figures.json", "night.toml")}

    assert main(["run", str(path), "--no-tracking"]) == 0
    assert main(["run", str(path), "--set", "name=four", "--set", "training.boosting.leaves=4", "--no-tracking"]) == 0
    flags = ["--page", "--markdown", "--json", "--winner"]
    places = [text for flag, place in zip(flags, outputs.values(), strict=True) for text in (flag, str(place))]
    assert main(["compare", "by-streak", "four", *places]) == 0

    printed = capsys.readouterr().out
    assert "average precision" in printed
    assert "Gain in log-loss" in printed
    assert json.loads(outputs["figures.json"].read_text(encoding="utf-8"))["pairs"][0]["run"] == "four"
    assert load_config(outputs["night.toml"]).boosting.rounds == 5
    assert main(["leaderboard", "--json", str(tmp_path / "ranked.json")]) == 0
    assert json.loads((tmp_path / "ranked.json").read_text(encoding="utf-8"))[0]["auc"] > 0.5


def test_profiles_of_a_moment_for_a_notebook(school):
    events = experiments.load_events()
    middle = events["occurred_at"].quantile(0.5).to_pydatetime()

    profiles = experiments.load_profiles(as_of=middle)

    practiced = events.loc[events["occurred_at"] < middle, "student_id"].nunique()
    assert profiles["student_id"].nunique() == practiced
    assert (profiles["last_practiced"] < middle).all()
    assert len(experiments.load_events(as_of=middle)) == (events["occurred_at"] < middle).sum()


def test_an_erasure_leaves_nothing_of_experiments(tmp_path, monkeypatch):
    home = Home(tmp_path)
    (home.experiments / "runs").mkdir(parents=True)
    (home.experiments / "salts").mkdir()
    (home.experiments / "salts" / "experiments").write_bytes(b"secret")
    erase = next(store.erase for store in STORES if store.name == "experiments")

    assert erase(Installation(home, None), "anybody") == 0
    assert not home.experiments.exists()
    assert erase(Installation(home, None), "anybody") == 0


SCRIPT = [sys.executable, "-m", "experiments", "run"]


@pytest.mark.long
def test_a_run_that_was_killed_goes_on_where_it_was(school, tmp_path):
    path = tmp_path / "killed.toml"
    path.write_text('model = "logistic"\n[split]\nfolds = 10\n', encoding="utf-8")
    before = set(Shelf(school).parts.glob("*.npz"))

    process = subprocess.Popen([*SCRIPT, str(path), "--workers", "1"], stderr=subprocess.DEVNULL)
    while len(done := set(Shelf(school).parts.glob("*.npz")) - before) < 2:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {part: part.stat().st_mtime_ns for part in done}
    assert main(["run", str(path), "--workers", "1"]) == 0

    run = Shelf(school).find_runs(["killed"])[0]
    assert len(run.folds) == 10
    assert {part: part.stat().st_mtime_ns for part in done} == kept
    logged = [each for each in Tracking().list_runs(EXPERIMENTS) if each.data.tags["name"] == "killed"]
    assert len(logged) == 1


@pytest.fixture(params=DATABASES)
def store(request, school, tmp_path, monkeypatch):
    """MLflow's store in SQLite as it is, or in a new PostgreSQL; all else of a run is files of the home."""
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres").replace("postgresql:", "postgresql+psycopg:")
        monkeypatch.chdir(tmp_path)  # there its server would keep artifacts
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        Tracking()  # several processes that first touch a new database at once corrupt its migration
    return request.param


def enter(environment):
    os.environ.update(environment)


@pytest.mark.long
def test_ten_runs_at_once_lose_nothing(store):
    """Ten processes, which one has imported everything for, so that they do begin at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["experiments.workbench.runs.run"])
    planned = [make_experiment(name=f"at once {number}", **{**BY_TIME, "model": "rule"}) for number in range(10)]

    here = dict(os.environ)  # the server that forks may have been started with another store's address
    with ProcessPoolExecutor(10, mp_context=context, initializer=enter, initargs=(here,)) as pool:
        logged = [run.run_id for run in pool.map(runs.run_experiment, planned)]

    named = rank_runs().loc[lambda table: table["run"].str.startswith("at once")]
    assert sorted(named["run"]) == [f"at once {number}" for number in range(10)]
    assert set(named["id"]) == set(logged)
    assert len(set(named["log_loss"])) == 1
    assert [run.run_id for run in Shelf(read_home()).find_runs(logged)] == logged
