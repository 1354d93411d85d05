"""Forecast benchmarks: the same rows for everyone, figures that come again, and leaks that are found."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from experiments.__main__ import main
from experiments.benchmarks.forecasts import ablation
from experiments.benchmarks.forecasts.agreement import measure_agreement
from experiments.benchmarks.forecasts.data.datasets import (
    DATA_SETS,
    BenchmarkLog,
    default_folder,
    read_data_set,
    to_log,
)
from experiments.benchmarks.forecasts.data.splits import build_student_split
from experiments.benchmarks.forecasts.figures.charts import draw_learning_curve, draw_reliability, draw_roc
from experiments.benchmarks.forecasts.learning_curve import measure_curve, measure_first_day
from experiments.benchmarks.forecasts.next_response import find_leaks, measure_next_response
from experiments.benchmarks.forecasts.struggle import measure_struggle
from features.errors import InputError
from features.events.log.store import read_events, read_item_skills
from features.home import Home
from features.profiles.kernel import COLUMNS
from training.config import load_config
from training.models.boosting import MASTERY
from training.records.tracking import BENCHMARKS

pytestmark = pytest.mark.long  # whole benchmarks, if small ones

ROOT = Path(__file__).resolve().parents[3]
REAL = default_folder() / DATA_SETS["gervet-assistments09"].file
RESULT = {"model", "auc", "auc_low", "auc_high", "log_loss", "rmse", "ece", "fit_s", "predict_s"}


@pytest.fixture(scope="module")
def quick():
    """Few trees and resamples."""
    config = load_config()
    boosting = config.boosting.model_copy(update={"rounds": 40, "min_rows_per_leaf": 20, "threads": 1})
    return config.model_copy(
        update={"boosting": boosting, "evaluation": config.evaluation.model_copy(update={"bootstrap": 40})}
    )


@pytest.fixture(scope="module")
def log(simulated_school):
    """The small school; every third student is in test."""
    home = Home(simulated_school.home)
    events = read_events(home).reset_index(drop=True)
    judged = pd.Index(sorted(simulated_school.student_ids)[::3], dtype="str")
    first = events["kind"].eq("response") & events["attempt"].fillna(1).eq(1) & events["correct"].notna()
    scored = (first & events["student_id"].isin(judged)).to_numpy(dtype=bool)
    return BenchmarkLog("simulated", events, read_item_skills(home), judged, scored)


@pytest.fixture(scope="module")
def published_log(log):
    return replace(log, published=DATA_SETS["gervet-assistments09"].published)


@pytest.fixture(scope="module")
def next_response(published_log, quick):
    return measure_next_response(published_log, quick)


@pytest.fixture(scope="module")
def struggle(log, quick):
    return measure_struggle(log, quick)


@pytest.fixture(scope="module")
def training_rows(log, quick):
    return build_student_split(log.events, log.item_skills, log.test_students, quick).mastery["train"]


def make_table(**columns):
    """Three students with four answers each, the last one in test."""
    return pd.DataFrame(
        {
            "user_id": np.repeat([7, 8, 9], 4),
            "item_id": np.tile([1, 2, 1, 3], 3),
            "skill_id": np.tile([5, 6, 5, 6], 3),
            "correct": [1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 1],
            "split": np.repeat(["train", "train", "test"], 4),
            "seq": np.tile(np.arange(4), 3),
            **columns,
        }
    )


def without_measurements(figures):
    """The figures without times and memory."""
    if isinstance(figures, dict):
        return {
            name: without_measurements(value)
            for name, value in figures.items()
            if name not in {"fit_s", "predict_s", "peak_mb"}
        }
    return [without_measurements(value) for value in figures] if isinstance(figures, list | tuple) else figures


def test_rows_become_events_in_the_file_s_order():
    log = to_log(DATA_SETS["gervet-assistments09"], make_table().sample(frac=1, random_state=1))

    assert log.events["student_id"].tolist() == ["7"] * 4 + ["8"] * 4 + ["9"] * 4
    assert log.events["item_id"].tolist() == ["1", "2", "1", "3"] * 3
    assert log.events["occurred_at"].isna().all()
    assert log.test_students.tolist() == ["9"]
    assert log.scored.tolist() == [False] * 8 + [True] * 4
    assert log.item_skills.to_numpy().tolist() == [["1", "5"], ["2", "6"], ["3", "6"]]


def test_seconds_become_times_and_a_null_skill_is_no_skill():
    table = make_table(timestamp=np.tile([0, 5, 5, 90], 3), skill_id=np.tile([5, None, 5, 6], 3)).drop(columns="seq")

    log = to_log(DATA_SETS["gervet-algebra05"], table)

    assert log.events["occurred_at"].iloc[3] == pd.Timestamp("1970-01-01T00:01:30Z")
    assert log.item_skills.to_numpy().tolist() == [["1", "5"], ["3", "6"]]


def test_without_items_the_skill_is_the_item_and_first_responses_are_not_scored():
    table = make_table(fold=np.repeat([0, 1, -1], 4)).drop(columns=["item_id", "split"])

    log = to_log(DATA_SETS["pykt-assist2015"], table)

    assert log.events["item_id"].tolist() == ["5", "6", "5", "6"] * 3
    assert log.scored.tolist() == [False] * 9 + [True] * 3


def test_a_question_with_a_row_for_each_skill_is_refused():
    with pytest.raises(InputError, match="names a response twice"):
        to_log(DATA_SETS["gervet-assistments09"], pd.concat([make_table(), make_table(skill_id=6)]))


@pytest.mark.parametrize("scored", ["too many", "too few"])
def test_rows_that_cannot_be_scored_once_each_are_refused(log, quick, scored):
    training = ~log.events["student_id"].isin(log.test_students).to_numpy()
    wrong = log.scored | training if scored == "too many" else log.scored
    students = log.test_students if scored == "too many" else log.test_students[:-2]

    with pytest.raises(InputError, match="once each"):
        measure_next_response(replace(log, scored=wrong, test_students=students), quick)


def test_next_response_has_the_figures_that_others_check(log, next_response):
    figures = next_response.figures

    assert set(figures) >= {"dataset", "rows", "students", "results", "paired", "published", "leak_check", "peak_mb"}
    assert (figures["dataset"], figures["rows"]) == ("simulated", int(log.scored.sum()))
    assert all(set(result) == RESULT for result in figures["results"])
    assert [result["model"] for result in figures["results"]][-1] == "regroup"
    assert set(figures["paired"]) == {"against", "difference", "low", "high"}
    assert all(set(group) == {"group", "rows", "ece", "by_chance"} for group in figures["subgroups"])
    assert all(group["rows"] >= 500 for group in figures["subgroups"])
    json.dumps(figures, allow_nan=False)


def test_copied_students_are_left_out_of_a_second_set_of_figures(log, quick, next_response):
    """A training student's answers, given once more by a test student, change the one and not the other."""
    learned = log.events[~log.events["student_id"].isin(log.test_students)]
    first = learned["kind"].eq("response") & learned["attempt"].fillna(1).eq(1) & learned["correct"].notna()
    original = learned[first].groupby("student_id")["item_id"].nunique().idxmax()
    copied = learned[learned["student_id"] == original].assign(student_id="zz-copy")
    copied["event_id"] = "copy " + copied["event_id"]
    twice = BenchmarkLog(
        log.name,
        pd.concat([log.events, copied], ignore_index=True),
        log.item_skills,
        log.test_students.append(pd.Index(["zz-copy"], dtype="str")),
        np.concatenate([log.scored, first[copied.index].to_numpy(dtype=bool)]),
    )

    report = measure_next_response(twice, quick)
    figures = report.figures

    assert figures["copies_left_out"] == {"students": 1, "rows": int(twice.scored.sum() - log.scored.sum())}
    before = next_response.figures
    assert without_measurements(figures["without_copies"]) == without_measurements(before["results"])
    assert figures["paired_without_copies"] == before["paired"]
    assert figures["results"][-1]["auc"] != before["results"][-1]["auc"]
    assert not any("published" in str(cell) for cell in report.tables[0].columns[0].cells)
    assert before["copies_left_out"] == {"students": 0, "rows": 0}
    assert without_measurements(before["without_copies"]) == without_measurements(before["results"])


def test_intervals_hold_their_figures(next_response):
    paired = next_response.figures["paired"]
    of = {result["model"]: result for result in next_response.figures["results"]}

    assert paired["low"] <= paired["difference"] <= paired["high"]
    assert paired["difference"] == pytest.approx(of["regroup"]["auc"] - of[paired["against"]]["auc"])
    assert all(result["auc_low"] <= result["auc"] <= result["auc_high"] for result in of.values())
    assert of[paired["against"]]["auc"] == max(result["auc"] for name, result in of.items() if name != "regroup")


def test_no_honest_column_is_a_suspect(next_response):
    assert next_response.figures["leak_check"]["suspects"] == ()
    assert next_response.sound


@pytest.mark.long
def test_the_same_log_gives_the_same_figures(log, published_log, quick, next_response, struggle):
    again = measure_next_response(published_log, quick)
    struggle_again = measure_struggle(log, quick)

    assert without_measurements(again.figures) == without_measurements(next_response.figures)
    assert without_measurements(struggle_again.figures) == without_measurements(struggle.figures)


def test_struggle_has_one_list_of_results_for_each_opportunity(struggle, quick):
    """And one for all from the horizon on; the older question, which is asked of the first ones, stands beside."""
    figures, models = struggle.figures, ["majority", "rule", "logistic", "direct", "regroup"]

    assert [part["opportunity"] for part in figures["results"]] == list(range(quick.mastery_rule.horizon + 1))
    assert sum(part["rows"] for part in figures["results"]) == figures["rows"]
    for part in figures["results"]:
        assert [result["model"] for result in part["results"]] == models
        assert all(set(result) == RESULT | {"average_precision"} for result in part["results"])
    assert [paired["against"] for paired in figures["paired_with"]] == ["logistic", "direct"]
    assert figures["decided"]["rows"] == pytest.approx(figures["decided_share"] * figures["rows"])
    assert [part["after"] for part in figures["first_opportunities"]["results"]] == [2, 3, 5, None]
    json.dumps(figures, allow_nan=False)


def test_forecasts_are_held_against_the_facts_in_every_cell(log, quick):
    figures = measure_agreement(log, quick)

    assert len(figures["cells"]) > 10
    assert min(cell["rows"] for cell in figures["cells"]) >= quick.gate.min_cell_rows
    assert figures["outside_share"] == np.mean([cell["outside"] for cell in figures["cells"]])
    assert figures["largest_gap"] < 0.3
    json.dumps(figures, allow_nan=False)


def test_struggle_wants_both_outcomes(log, quick):
    always_right = log.events.assign(correct=log.events["correct"].mask(log.events["correct"].notna(), other=True))

    with pytest.raises(InputError, match="fewer than two outcomes"):
        measure_struggle(replace(log, events=always_right), quick)


def test_no_forecast_of_a_model_moves_when_later_answers_do(log, quick, next_response):
    """Answers of test students are turned round from the middle of each history on; before it, nothing changes."""
    split = build_student_split(log.events, log.item_skills, log.test_students, quick)
    timeline, at = split.timeline, split.positions["test"]
    place = np.arange(len(timeline.row)) - timeline.start[timeline.student]
    late = place >= np.diff(timeline.start)[timeline.student] // 2
    turned = np.zeros(len(log.events), bool)
    turned[timeline.row[at[late[at]]]] = True
    correct = log.events["correct"].mask(turned, ~log.events["correct"])
    changed = log.events.assign(correct=correct, score=log.events["score"].mask(turned, 1 - log.events["score"]))

    after = measure_next_response(replace(log, events=changed), quick)

    for one, other in zip(next_response.forecasts, after.forecasts, strict=True):
        np.testing.assert_array_equal(one.probability[~late[at]], other.probability[~late[at]], err_msg=one.model)
    moved = next_response.forecasts[-1].probability[late[at]] != after.forecasts[-1].probability[late[at]]
    assert moved.mean() > 0.5


@pytest.mark.parametrize("leak", ["own answer in noise", "count with this answer", "next answer on the skill"])
def test_an_injected_leak_is_found_and_nothing_else(training_rows, leak):
    block = training_rows
    keys = [block.student, block.episode]
    answers = pd.Series(block.target.astype(float))
    injected = {
        "own answer in noise": answers + np.random.default_rng(1).normal(0, 0.6, len(block)),
        "count with this answer": answers.groupby(keys).cumsum(),
        "next answer on the skill": answers.groupby(keys).shift(-1),
    }[leak]

    found = find_leaks(
        np.column_stack([block.rows, injected]).astype(np.float32), [*COLUMNS, "injected"], block.target, block.student
    )

    assert {suspect.column for suspect in found.suspects} == {"injected"}


def test_the_same_columns_made_without_the_answer_are_no_leak(training_rows):
    block = training_rows
    keys = [block.student, block.episode]
    answers = pd.Series(block.target.astype(float))
    honest = np.column_stack([answers.groupby(keys).cumsum() - answers, answers.groupby(keys).shift(1)])

    found = find_leaks(
        np.column_stack([block.rows, honest]).astype(np.float32),
        [*COLUMNS, "wins", "answer_before"],
        block.target,
        block.student,
    )

    assert found.suspects == ()


@pytest.mark.long
def test_more_students_teach_more_and_another_log_helps_before_there_are_any(log, quick, tmp_path):
    """A curve's points grow, the last is everyone, and a model that knows no item still beats a coin."""
    points = measure_curve(log, quick, sizes=(10,))
    first_day = measure_first_day(log, log, quick)

    assert [point.students for point in points] == [10, len(log.events["student_id"].unique()) - len(log.test_students)]
    assert points[0].responses < points[1].responses
    assert points[0].mastery_auc < points[1].mastery_auc
    assert 0.5 < first_day.mastery_auc < points[1].mastery_auc
    draw_learning_curve(tmp_path / "curve.png", "a", {"x": [(1, 0.6), (2, 0.7)]}, {"x": 0.5})
    assert (tmp_path / "curve.png").stat().st_size > 1000


def test_taking_columns_away_is_judged_on_training_students(log, quick, monkeypatch):
    """The whole forecast comes first and loses nothing against itself; test students' answers are not read."""
    kept = {"whole": MASTERY, "without": replace(MASTERY, columns=("skill_opportunities", "student_responses"))}
    monkeypatch.setattr(ablation, "_changes", lambda: kept)
    unread = log.events.assign(correct=log.events["correct"].where(~log.events["student_id"].isin(log.test_students)))

    whole, without = ablation.measure_losses(log, quick)
    again, _ = ablation.measure_losses(replace(log, events=unread), quick)

    assert whole.difference == 0
    assert without.difference < 0
    assert again == whole


def test_charts_are_drawn_without_a_screen(tmp_path, next_response):
    forecasts = {forecast.model: forecast.probability for forecast in next_response.forecasts}

    for draw in (draw_reliability, draw_roc):
        draw(tmp_path / "new" / "chart.png", "title", next_response.target, forecasts, next_response.best)

        assert (tmp_path / "new" / "chart.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def small_data(tmp_path, log):
    """A data folder with the small school's answers in place of a public log."""
    answers = log.events[log.events["kind"].eq("response") & log.events["attempt"].fillna(1).eq(1)]
    skill = log.item_skills.drop_duplicates("item_id").set_index("item_id")["skill_id"]
    table = pd.DataFrame(
        {
            "user_id": pd.factorize(answers["student_id"])[0],
            "item_id": pd.factorize(answers["item_id"])[0],
            "skill_id": pd.factorize(answers["item_id"].map(skill))[0],
            "correct": answers["correct"].astype("int64").to_numpy(),
            "split": np.where(answers["student_id"].isin(log.test_students), "test", "train"),
        }
    )
    table["seq"] = table.groupby("user_id").cumcount()
    place = tmp_path / "data" / DATA_SETS["gervet-assistments09"].file
    place.parent.mkdir(parents=True)
    table.to_parquet(place)
    return tmp_path / "data"


@pytest.fixture
def quick_file(tmp_path):
    path = tmp_path / "quick.toml"
    path.write_text("[boosting]\nrounds = 20\nthreads = 1\n[evaluation]\nbootstrap = 20\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["next-response", pytest.param("struggle", marks=pytest.mark.long)])
def test_the_command_leaves_figures_charts_and_runs(
    tmp_path, small_data, quick_file, migrated_mlflow, monkeypatch, capsys, name
):
    (tmp_path / "mlruns").mkdir()
    shutil.copyfile(migrated_mlflow, tmp_path / "mlruns" / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}")
    command = ["benchmark", name, "--dataset", "gervet-assistments09", "--data", str(small_data)]
    places = ["--json", str(tmp_path / "out" / "figures.json"), "--charts", str(tmp_path / "charts")]

    code = main([*command, *places, "--config", str(quick_file)])

    figures = json.loads((tmp_path / "out" / "figures.json").read_text(encoding="utf-8"))
    results = figures.get("overall", figures["results"])
    start = "gervet-assistments09-struggle" if name == "struggle" else "gervet-assistments09"
    charts = {f"{start}-reliability.png", f"{start}-roc.png"}
    assert code == 0
    assert "goal: above 0" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "charts").iterdir()} == charts
    parent, children = read_runs(tmp_path / "mlruns" / "mlflow.db")
    assert parent.data.tags["config"] == load_config(quick_file).digest
    assert {child.data.tags["model"] for child in children} == {result["model"] for result in results}
    ours = next(child for child in children if child.data.tags["model"] == "regroup")
    assert ours.data.metrics["auc"] == pytest.approx(results[-1]["auc"])
    assert ours.data.tags["dataset"] == "gervet-assistments09"
    logged = Path(parent.info.artifact_uri)
    assert {path.name for path in logged.iterdir()} == charts | {f"{start}.json"}


def test_without_tracking_mlflow_is_left_alone(tmp_path, small_data, quick_file, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}")
    monkeypatch.setenv("REGROUP_DATA", str(small_data))
    command = ["benchmark", "struggle", "--dataset", "gervet-assistments09", "--config", str(quick_file)]

    assert main([*command, "--no-tracking"]) == 0
    assert not (tmp_path / "mlruns").exists()


def test_published_figures_stand_beside_ours_and_say_so(next_response):
    names = list(next_response.tables[0].columns[0].cells)

    assert "Best-LR, published" in names
    assert next_response.figures["published"][0] == {"model": "IRT", "auc": 0.69, "source": "Gervet et al. 2020"}


@pytest.mark.parametrize("name", ["next-response", "struggle"])
def test_a_missing_file_is_one_sentence_that_names_it_and_the_option(tmp_path, name):
    command = ["benchmark", name, "--dataset", "pykt-assist2015", "--data", str(tmp_path), "--no-tracking"]

    with pytest.raises(InputError, match=r"pykt_assist2015\.parquet is not there.*--data FOLDER"):
        main(command)


@pytest.mark.parametrize("option", ["--charts", "--json"])
def test_a_place_that_cannot_be_written_is_named_before_the_work(tmp_path, option):
    """Nor is a file left there: the data set is looked for afterwards."""
    (tmp_path / "taken").touch()
    command = ["benchmark", "struggle", "--dataset", "gervet-assistments09", "--data", str(tmp_path), "--no-tracking"]

    with pytest.raises(InputError, match="cannot be written"):
        main([*command, option, str(tmp_path / "taken" / "place")])
    with pytest.raises(InputError, match="is not there"):
        main([*command, option, str(tmp_path / "place")])

    assert not (tmp_path / "place").is_file()


@pytest.mark.parametrize("name", ["next-response", "struggle"])
def test_help_names_the_data_sets(name, capsys):
    with pytest.raises(SystemExit):
        main(["benchmark", name, "--help"])

    shown = capsys.readouterr().out
    assert all(name in shown for name in DATA_SETS)
    assert f"python -m experiments benchmark {name}" in shown.partition("examples:")[2]


@pytest.mark.parametrize("package", ["features", "training", "serving"])
def test_the_product_knows_no_data_set(package):
    names = ("gervet-", "gervet_", "pykt", "assist09", "assistments09", "assist2015", "algebra05")
    texts = [path.read_text(encoding="utf-8").lower() for path in (ROOT / package).rglob("*.*") if is_text(path)]

    assert texts
    assert not [name for name in names for text in texts if name in text]


@pytest.mark.long
@pytest.mark.skipif(not REAL.is_file(), reason="the public logs are not in REGROUP_DATA or beside this checkout")
def test_on_real_answers_no_peer_is_better(quick):
    log = read_data_set("gervet-assistments09")
    trained = log.events["student_id"].drop_duplicates()
    trained = trained[~trained.isin(log.test_students)]
    chosen = [*trained.iloc[::8].head(300), *log.test_students[::5][:120]]
    kept = log.events["student_id"].isin(chosen).to_numpy()
    sample = replace(log, events=log.events[kept].reset_index(drop=True), scored=log.scored[kept])

    figures = measure_next_response(sample, quick).figures

    of = {result["model"]: result["auc"] for result in figures["results"]}
    assert figures["students"] == 120
    assert of["regroup"] >= of[figures["paired"]["against"]]
    assert figures["leak_check"]["suspects"] == ()


def read_runs(database):
    """The benchmark's run and its children."""
    client = MlflowClient(f"sqlite:///{database}")
    experiment = client.get_experiment_by_name(BENCHMARKS).experiment_id
    runs = client.search_runs([experiment])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    assert len(children) == len(runs) - 1
    return parents[0], children


def is_text(path):
    return path.suffix in {".py", ".toml", ".md"}
