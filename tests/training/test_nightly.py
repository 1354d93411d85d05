"""A night on the small school, with a real MLflow: what it leaves, what it refuses, and what it survives."""

import re
import resource
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pandas as pd
import pytest
from filelock import FileLock
from mlflow import MlflowClient

from features.bundle import read_manifest
from features.console import run_command
from features.errors import BusyError, DatabaseAwayError, InputError, MissingError, UnavailableError
from features.events.ingest import ingest_rows
from features.events.log.store import data_version, read_events
from features.home import Home
from features.publications import read_publication
from features.schema import BUCKETS
from serving.models.published.registry import Registry
from serving.models.published.sources import RegistrySource
from tests.conftest import copy_database, read_unpacked
from tests.features.events.test_store import some_rows
from training.__main__ import main
from training.config import load_config
from training.errors import BrokenTrainingError, ConfigError, DataGateError, QualityGateError
from training.models.boosting import train_model
from training.nightly import list_champions, plan_nightly, run_nightly
from training.nightly.facts import find_night
from training.nightly.profiles import publish
from training.nightly.unfinished import Unfinished
from training.records.report import OF_BASELINES
from training.records.tracking import EXPERIMENT, Tracking

FORECASTS = ("struggle", "mastery")
END = datetime(2026, 3, 14, tzinfo=UTC)
"""The midnight after the small school's last event."""


def client_of(school):
    return MlflowClient(school.mlruns_uri, school.mlruns_uri)


def runs_of(school):
    """The runs that trained something, without that of the prior model and of nights that did not."""
    client = client_of(school)
    found = client.get_experiment_by_name(EXPERIMENT)
    runs = client.search_runs([found.experiment_id]) if found else []
    return [run for run in runs if run.data.tags.get("kind") != "prior" and run.data.tags["decision"] != "refused"]


def champions_of(school, alias="champion"):
    client = client_of(school)
    return {client.get_model_version_by_alias(f"regroup-{name}", alias).run_id for name in FORECASTS}


def artifact(school, run_id, name):
    (path,) = school.mlruns.glob(f"artifacts/*/{run_id}/artifacts/{name}")
    return path


def choose(school, text):
    """The school's settings with other choices laid over them."""
    lines = school.config.read_text()
    for name, value in re.findall(r"(\w+) = ([^\s,]+)", text):
        lines, count = re.subn(rf"{name} = \S+", f"{name} = {value}", lines)
        assert count == 1
    path = school.home.parent / "choices.toml"
    path.write_text(lines)
    return path


def night(school, config=None, as_of=None):
    return run_nightly(Home(school.home), load_config(config or school.config), as_of)


def test_a_night_leaves_one_run_that_says_what_it_read(trained_school):
    """Data version, configuration, columns and code are tags; every choice that models rest on is a parameter."""
    (run,) = runs_of(trained_school)
    data, config = data_version(Home(trained_school.home)), load_config(trained_school.config)

    assert (run.info.run_id, run.info.status) == (trained_school.run_id, "FINISHED")
    assert run.data.tags["data_version"] == f"{data.events}.{data.item_skills}"
    assert run.data.tags["config"] == config.digest
    assert run.data.tags["decision"] == "promoted"
    assert run.data.tags["as_of"] == str(END)
    assert {"columns", "code"} <= run.data.tags.keys()
    assert run.data.params["boosting.rounds"] == "30"
    learned = config.model_dump(exclude={"status", "checks", "retention"})
    assert len(run.data.params) == sum(len(section) for section in learned.values())


@pytest.mark.parametrize("forecast", FORECASTS)
def test_the_model_has_metrics_with_intervals_and_every_baseline_has_metrics(trained_school, forecast):
    """Low, value, high for us, and the value of what we have to beat."""
    (run,) = runs_of(trained_school)

    for model in ("", ".majority", ".rule", ".logistic"):
        for metric in ("auc", "log_loss", "brier", "ece"):
            name = f"{forecast}{model}.{metric}"
            if model == "":
                assert run.data.metrics[f"{name}_low"] <= run.data.metrics[f"{name}_high"]
            assert (name in run.data.metrics) == (model == "" or metric in OF_BASELINES)
    assert run.data.metrics[f"{forecast}.auc"] > run.data.metrics[f"{forecast}.majority.auc"] == 0.5
    assert ("struggle" in forecast) == (f"{forecast}.recall_at_places" in run.data.metrics)


def test_both_registered_models_have_the_champion_of_the_same_run(trained_school):
    """A reader that resolves two aliases gets one night's work."""
    client = client_of(trained_school)

    versions = [client.get_model_version_by_alias(f"regroup-{name}", "champion") for name in FORECASTS]

    assert {model.name for model in client.search_registered_models()} == {"regroup-struggle", "regroup-mastery"}
    assert [(version.run_id, version.version) for version in versions] == [(trained_school.run_id, 2)] * 2
    assert [version.source.rsplit("/", 1)[-1] for version in versions] == list(FORECASTS)


def test_the_model_card_says_what_a_person_has_to_know(trained_school):
    """What the forecast is not for, how good it is, and how it fares for each audited group."""
    card = artifact(trained_school, trained_school.run_id, "model_card.md").read_text()

    assert "No decision about a child may rest on them without a person." in card
    assert "Struggling means 10 more opportunities on a skill without 3 correct first attempts in a row." in card
    assert "whose outcome is filled in" in card
    for row in ("| regroup |", "| majority |", "| rule |", "| logistic |"):
        assert card.count(row) == 2
    mastery = card.split("## mastery")[1]
    for group in "ab":
        assert re.search(rf"\| group \| {group} \|.* 0\.\d{{4}} \(0\.\d{{4}}\) \| [01]\.\d{{3}} \|\n", mastery)


def test_what_serves_was_refitted_where_that_would_have_paid_and_the_run_says_so(trained_school):
    """Then the models that were judged are kept beside it, by which later challengers are compared."""
    (run,) = runs_of(trained_school)
    tracking, refitted = Tracking(), run.data.tags["refitted"] == "yes"
    (record,) = (trained_school.home / "decisions").glob("*.md")
    version = client_of(trained_school).get_model_version_by_alias("regroup-struggle", "champion")

    assert version.tags["refitted"] == run.data.tags["refitted"]
    why = f"what serves is {'' if refitted else 'not '}refitted"
    for text in (run.data.tags["mlflow.note.content"], record.read_text()):
        assert why in text
    assert why.capitalize() in artifact(trained_school, run.info.run_id, "model_card.md").read_text()
    for name in FORECASTS:
        judged, serves = (fetch(run.info.run_id, name) for fetch in (tracking.fetch_judged, tracking.fetch_model))
        assert judged.model.calibration == serves.model.calibration
        assert judged.model.booster.num_trees() == serves.model.booster.num_trees()
        counted = [stored.statistics.item_responses.sum() for stored in (judged, serves)]
        assert (counted[0] < counted[1]) == refitted


def test_the_page_can_be_read(trained_school):
    """The same one is in the home and in the run, for people as HTML, and the newest has a name that stays."""
    (record,) = (trained_school.home / "decisions").glob("*.md")
    page = record.with_suffix(".html").read_text()

    assert record.name.startswith("2026-03-14-")
    assert "The challenger is the new champion." in record.read_text()
    assert "The challenger is the new champion." in page
    assert page == record.with_name("latest.html").read_text()
    assert artifact(trained_school, trained_school.run_id, "record.html").read_text() == page


def test_profiles_are_published_for_the_champion(trained_school):
    """One row per student and practiced skill, in the folder of the run."""
    (folder,) = (trained_school.home / "published" / trained_school.run_id).iterdir()

    profiles = read_publication(folder).skill_profiles()

    names = {path.name for path in folder.iterdir()}
    states = {name for name in names if re.fullmatch(r"state-(0\d|1[0-5])-[0-9a-f]{16}\.bin", name)}
    assert names - states == {"manifest.json", "pairs.parquet", "statistics.json.zst"}
    assert 1 < len(states) <= BUCKETS
    assert set(profiles["student_id"]) <= set(trained_school.student_ids)
    assert not profiles.duplicated(["student_id", "skill_id"]).any()


def test_nothing_that_mlflow_keeps_names_a_student(trained_school):
    """No id in any parameter, metric, tag or artifact, nor anywhere else in the store's files."""
    files = [path for path in trained_school.mlruns.rglob("*") if path.is_file()]
    ids = re.compile("|".join(map(re.escape, trained_school.student_ids)).encode())

    assert ids.search((trained_school.home / "regroup.db").read_bytes())  # the search finds what is there
    assert len(files) > 10
    assert [path.name for path in files if ids.search(read_unpacked(path))] == []


def test_the_same_night_again_does_nothing_and_says_so(own_school, capsys):
    """A second call neither trains nor registers, and names the run that processed it."""
    code = main(["nightly", "--config", str(own_school.config)])

    said = capsys.readouterr().out
    assert code == 0
    assert "nothing to do" in said
    assert own_school.run_id in said
    assert len(runs_of(own_school)) == 1


def test_to_find_nothing_to_do_reads_no_event_and_no_store(own_school):
    """With the moment given it needs neither the log's files nor MLflow: a check every minute costs nothing."""
    for path in (own_school.home / "events").rglob("*.parquet"):
        path.unlink()
    shutil.rmtree(own_school.mlruns)

    outcome = night(own_school, as_of=END)

    assert (outcome.did, outcome.run_id) == ("nothing", own_school.run_id)
    assert not own_school.mlruns.exists()


def test_a_little_new_data_keeps_the_champion_and_refreshes_its_profiles(own_school, simulated_school):
    """The inbox is read once; a challenger that is not clearly better stays one; exit code 10."""
    inbox = own_school.home / "inbox"
    inbox.mkdir()
    shutil.copy(simulated_school.folder / "mapping.toml", inbox)
    log = pd.read_parquet(simulated_school.folder / "log.parquet").head(5)
    log["occurred_at"] = pd.to_datetime("2026-03-16T10:00:00Z") + pd.to_timedelta(range(5), unit="min")
    log.to_parquet(inbox / "monday.parquet", index=False)

    code = main(["nightly", "--config", str(own_school.config)])

    (challenger,) = {run.info.run_id for run in runs_of(own_school)} - {own_school.run_id}
    assert code == 10
    assert champions_of(own_school) == {own_school.run_id}
    assert client_of(own_school).get_model_version_by_alias("regroup-struggle", "challenger").run_id == challenger
    decision = max((own_school.home / "decisions").glob("*.md")).read_text()
    assert "The champion stays." in decision
    assert "against the champion's (95 % interval" in decision
    assert (inbox / "done" / "monday.parquet").is_file()
    moments = {path.name[:8] for path in (own_school.home / "published" / own_school.run_id).iterdir()}
    assert moments == {"20260314", "20260317"}
    assert night(own_school).did == "nothing"


def add_a_day(school, day):
    """One answer of two students on a day, straight into the event log."""
    rows = some_rows(list(school.student_ids[:2]), day)
    ingest_rows(Home(school.home), [rows], "app", "log", now=END.replace(year=2027))


def published(school, run_id=""):
    return sorted(path.name[:8] for path in (school.home / "published" / (run_id or school.run_id)).iterdir())


def served(school):
    source = RegistrySource(Home(school.home), Registry(school.mlruns_uri))
    return source.look().publication[:8]


def breaks(*_):
    raise ValueError("a row of student-7")


@pytest.mark.parametrize(
    ("choice", "train", "error", "sentence"),
    [
        ("min_students = 1000", train_model, DataGateError, "students are too few to train on"),
        pytest.param(
            "rounds = 3",
            breaks,
            BrokenTrainingError,
            "the training broke off: ValueError in test_nightly.py line",
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_night_without_a_challenger_gives_the_champion_the_profiles_of_today(
    own_school, monkeypatch, choice, train, error, sentence
):
    """Whether a gate refuses the data or the training breaks: with a record that says so, and names no student."""
    monkeypatch.setattr("training.nightly.challenger.train_model", train)
    add_a_day(own_school, "2026-03-16")

    with pytest.raises(error, match=sentence):
        night(own_school, choose(own_school, choice))

    assert published(own_school) == ["20260314", "20260317"]
    assert served(own_school) == "20260317"
    assert len(runs_of(own_school)) == 1
    records = [path.read_text() for path in (own_school.home / "decisions").glob("*.md")]
    (record,) = (text for text in records if "No challenger" in text)
    assert sentence in record
    assert "profiles: published, 20260317T000000Z-" in record
    assert "student-7" not in record
    with pytest.raises(error, match="failed before" if error is DataGateError else "broke off"):
        night(own_school, choose(own_school, choice))


def test_a_challenger_is_compared_with_the_models_that_were_judged_whatever_serves(own_school, monkeypatch):
    """Told apart by each being the other forecast's."""
    for judged, other in zip(FORECASTS, reversed(FORECASTS), strict=True):
        serves = artifact(own_school, own_school.run_id, other)
        shutil.rmtree(serves.with_name(f"judged-{judged}"), ignore_errors=True)
        shutil.copytree(serves, serves.with_name(f"judged-{judged}"))
    compared = {}

    def judge(night, work, champion, rivals, *_):
        compared.update({name: each.model.forecast.name for name, each in rivals.items()})
        raise InputError(champion)

    monkeypatch.setattr("training.nightly.night.judge_challenger", judge)
    add_a_day(own_school, "2026-03-16")

    with pytest.raises(InputError, match=own_school.run_id):
        night(own_school)

    assert compared == dict(zip(FORECASTS, reversed(FORECASTS), strict=True))
    assert served(own_school) == "20260317"


@pytest.mark.long
@pytest.mark.parametrize("room", [100, 3_000])
def test_a_disk_that_fills_up_while_profiles_are_published_ends_in_a_sentence(own_school, monkeypatch, capsys, room):
    """At the first state or at the last file; nothing half-written is left, and the next night publishes."""
    limits, add = resource.getrlimit(resource.RLIMIT_FSIZE), publish
    (before,) = (own_school.home / "published" / own_school.run_id).iterdir()
    assert (before / "manifest.json").stat().st_size > 3_000

    def fills_up(*arguments, **options):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            return add(*arguments, **options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    add_a_day(own_school, "2026-03-16")
    config = choose(own_school, "min_students = 1000")
    monkeypatch.setattr("training.nightly.night.publish", fills_up)
    with pytest.raises(SystemExit) as end:
        run_command(lambda: main(["nightly", "--config", str(config)]))
    monkeypatch.setattr("training.nightly.night.publish", add)
    said = capsys.readouterr().err
    left = list((own_school.home / "published" / own_school.run_id).iterdir())
    with pytest.raises(DataGateError):
        night(own_school, config)

    assert end.value.code == 75
    assert re.search("cannot be read or written: File too large", said)
    assert "Traceback" not in said
    assert left == [before]
    assert served(own_school) == "20260317"


def test_a_night_that_looks_back_takes_no_profiles_back(own_school):
    """Its challenger is judged as of then; what serves is the newest that is known."""
    add_a_day(own_school, "2026-03-16")

    with pytest.raises(DataGateError):
        night(own_school, choose(own_school, "min_students = 1000"), datetime(2026, 3, 9, tzinfo=UTC))

    records = [path.read_text() for path in (own_school.home / "decisions").glob("*.md")]
    assert published(own_school) == ["20260314"]
    assert served(own_school) == "20260314"
    assert any("profiles: newer ones, 20260314T000000Z-" in record for record in records)


@pytest.mark.long
def test_who_is_promoted_by_a_look_back_serves_profiles_of_now(own_school):
    """The champion's were of the 14th already, so the new ones are as well."""
    shutil.rmtree(artifact(own_school, own_school.run_id, "struggle"))

    outcome = night(own_school, choose(own_school, "rounds = 5"), datetime(2026, 3, 13, tzinfo=UTC))

    assert outcome.did == "promoted"
    assert published(own_school, outcome.run_id) == ["20260314"]


def test_a_moment_in_the_future_is_refused(own_school):
    """Profiles of then would be the newest for years."""
    with pytest.raises(InputError, match="the moment 2190-01-01 00:00 UTC lies in the future; the events end before"):
        night(own_school, as_of=datetime(2190, 1, 1, tzinfo=UTC))


def test_files_that_were_refused_are_in_the_record_and_the_exit_code(own_school):
    """Also where there is nothing else to do."""
    inbox = own_school.home / "inbox"
    inbox.mkdir()
    (inbox / "monday.csv").write_bytes(b"\x89PNG")

    code = main(["nightly", "--config", str(own_school.config)])

    (record,) = (own_school.home / "decisions").glob("*.md")
    assert code == 11
    assert "inbox: 0 files read, 0 refused" in record.read_text()
    assert "0 files read, 1 refused; look at them in inbox/refused" in record.read_text()


@pytest.mark.long
def test_a_better_challenger_takes_over_and_the_old_champion_is_remembered(untrained_school, monkeypatch, capsys):
    """A tree that may not split, and so says the same of everyone, loses to the prior; thirty that split beat it."""
    first = night(untrained_school, choose(untrained_school, "rounds = 1, min_rows_per_leaf = 99999"))
    prior = champions_of(untrained_school)

    second = night(untrained_school)

    assert (first.did, second.did) == ("kept", "promoted")
    assert champions_of(untrained_school) == {second.run_id}
    assert champions_of(untrained_school, "previous") == prior
    assert "better with the whole interval" in second.record.read_text()
    change_the_champion(untrained_school, *prior, second.run_id, monkeypatch, capsys)


def change_the_champion(school, first, second, monkeypatch, capsys):
    """By hand, forth and back, with reasons; profiles of today are there before the alias moves."""
    add_a_day(school, "2026-03-16")
    promote, seen = Tracking.promote, []

    def watched(self, run_id, *more):
        seen.append((run_id, published(school, run_id)[-1], self.champion()))
        promote(self, run_id, *more)

    monkeypatch.setattr(Tracking, "promote", watched)
    capsys.readouterr()

    assert main(["rollback", "--because", "too many alarms"]) == 0
    assert champions_of(school) == {first}
    assert champions_of(school, "previous") == {second}
    assert main(["promote", second, "--because", "it was right"]) == 0
    assert champions_of(school) == {second}
    with pytest.raises(InputError, match="is champion already"):
        main(["promote", second, "--because", "once more"])
    with pytest.raises(InputError, match="has no registered version of regroup-struggle"):
        main(["promote", "0" * 32, "--because", "a guess"])
    assert seen == [(first, "20260317", second), (second, "20260317", first)]
    capsys.readouterr()
    assert main(["history"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["  champion  " in line for line in lines] == [second in line for line in lines]
    reasons = [re.sub(r".*  (\w+: .*)", r"\1", line) for line in lines]
    assert set(reasons) == {
        "promote: it was right",
        "rollback: too many alarms",
        "night: the struggle and mastery forecasts are better with the whole interval",
        "night: there was no champion, so that the prior serves, shipped with regroup",
    }


@pytest.mark.long
@pytest.mark.parametrize("harm", [pytest.param("missing", marks=pytest.mark.long), "changed"])
def test_a_champion_that_cannot_be_read_is_replaced_with_a_reason(own_school, harm):
    """A damaged bundle neither stops the night nor is compared with."""
    trees = artifact(own_school, own_school.run_id, "struggle/model.lgb")
    if harm == "missing":
        shutil.rmtree(trees.parent)
    else:
        trees.write_text(trees.read_text() + "\n")

    outcome = night(own_school, choose(own_school, "rounds = 5"))

    assert outcome.did == "promoted"
    assert "there is no champion that can be compared" in outcome.record.read_text()
    assert champions_of(own_school) == {outcome.run_id}


def test_a_champion_that_there_is_no_room_to_copy_is_not_taken_for_missing(trained_school, tmp_path):
    """Else a challenger would replace it without having been compared."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    tracking = Tracking(trained_school.mlruns_uri)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(UnavailableError, match=r"struggle of run .* cannot be copied"):
            tracking.fetch_model(trained_school.run_id, "struggle")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_above_a_limit_a_challenger_keeps_the_champion(own_school):
    """A challenger that is not calibrated is kept out, whatever else it can do."""
    outcome = night(own_school, choose(own_school, "max_ece = 0.0001, rounds = 3"))

    assert outcome.did == "kept"
    assert "The challenger is above a limit and was not promoted." in outcome.record.read_text()
    assert champions_of(own_school) == {own_school.run_id}


@pytest.mark.long
def test_above_a_limit_without_a_champion_to_keep_there_is_an_error_with_its_figures(own_school):
    """Nothing is promoted or published; the run and its record stay."""
    school = own_school
    shutil.rmtree(artifact(school, school.run_id, "struggle"))
    earlier, served = len(runs_of(school)), sorted((school.home / "published").rglob("*"))

    with pytest.raises(QualityGateError, match=r"no champion to keep: .*mastery: .* is above the limit") as error:
        night(school, choose(school, "max_ece = 0.0001, rounds = 3"))

    assert error.value.exit_code == 4
    assert len(runs_of(school)) == earlier + 1
    assert sorted((school.home / "published").rglob("*")) == served


@pytest.mark.parametrize(
    ("choice", "as_of", "sentence"),
    [
        (
            "min_students = 1000",
            None,
            "students are too few to train on; the gate asks for 1000, so that 9.. more are needed",
        ),
        pytest.param(
            "min_episodes = 100000",
            None,
            "the train block has .* and needs 100000: more than 10 times as much practice",
            marks=pytest.mark.long,
        ),
        ("rounds = 3", datetime(2020, 1, 1, tzinfo=UTC), "every event is of the same moment"),
    ],
)
def test_too_little_data_leaves_the_prior_with_profiles(untrained_school, choice, as_of, sentence):
    """The gate says what is there and what is missing; exit code 3."""
    with pytest.raises(DataGateError, match=sentence) as error:
        night(untrained_school, choose(untrained_school, choice), as_of)

    assert error.value.exit_code == 3
    assert runs_of(untrained_school) == []
    (prior,) = champions_of(untrained_school)
    assert list((untrained_school.home / "published" / prior).iterdir())


def test_a_night_forgets_events_that_are_older_than_they_are_kept(tmp_path, migrated_mlflow, monkeypatch):
    """Before it learns, so that neither a model nor a profile rests on them."""
    monkeypatch.setenv("REGROUP_EVENTS_KEPT_DAYS", "60")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    copy_database(migrated_mlflow, tmp_path / "mlflow.db")
    home = Home(tmp_path / "home")
    rows = [some_rows(day=day) for day in ("2024-01-01", "2024-03-01", "2024-06-01")]
    ingest_rows(home, rows, "app", "log", now=END)

    with pytest.raises(DataGateError):
        run_nightly(home, load_config(None))

    assert set(read_events(home)["occurred_at"]) == {pd.Timestamp("2024-06-01", tz="UTC")}


def test_without_an_event_log_the_command_to_run_is_named(tmp_path, monkeypatch):
    """Exit code 4, and no MLflow store is made for nothing."""
    monkeypatch.setenv("REGROUP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlruns/mlflow.db")

    with pytest.raises(MissingError, match="run python -m features ingest first") as error:
        main(["nightly"])

    assert error.value.exit_code == 4
    assert not (tmp_path / "mlruns").exists()


def test_a_second_run_at_the_same_time_is_refused(own_school, monkeypatch):
    """Exit code 75: try again later."""
    monkeypatch.setattr("features.home.WAIT_S", 0.1)
    with FileLock(Home(own_school.home).lock("nightly")), pytest.raises(BusyError, match="at work") as error:
        night(own_school)

    assert error.value.exit_code == 75


def test_with_its_database_away_a_trained_school_does_not_say_that_there_is_nothing_to_do(own_school, monkeypatch):
    """Exit code 75, though the event log and a champion are there."""
    monkeypatch.setenv("REGROUP_DATABASE_URL", "postgresql://me@localhost:1/x")

    with pytest.raises(DatabaseAwayError) as error:
        night(own_school)

    assert error.value.exit_code == 75


def test_a_wrong_configuration_ends_with_one_sentence_and_its_code(own_school, capsys):
    """The file and the key are named; there is no traceback."""
    wrong = own_school.home / "bad.toml"
    wrong.write_text("[boosting]\nround = 3\n")

    with pytest.raises(ConfigError):
        main(["nightly", "--config", str(wrong)])
    with pytest.raises(SystemExit) as end:
        run_command(lambda: main(["nightly", "--config", str(wrong)]))

    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "bad.toml is wrong: boosting.round" in said
    assert "Traceback" not in said


def test_a_dry_run_says_which_steps_would_run_and_changes_nothing(own_school, capsys):
    """With the models of a night that was stopped, with nothing new, and with a file in the inbox."""
    config, home = load_config(own_school.config), Home(own_school.home)
    record = next(home.decisions.glob("*.json"))

    same = dict(plan_nightly(home, config))
    record.rename(record.with_name("aside"))
    stored = Tracking().fetch_model(own_school.run_id, "struggle")
    dataset = SimpleNamespace(statistics=stored.statistics)
    Unfinished(find_night(home, config, None)).keep_model(stored.model, dataset)
    stopped = dict(plan_nightly(home, config))
    home.inbox.mkdir()
    (home.inbox / "monday.csv").write_text("who")
    code = main(["nightly", "--dry-run"])

    said = capsys.readouterr().out
    assert same["nothing more"] == "this data, configuration and code were already processed"
    assert (stopped["train struggle"], stopped["train mastery"]) == ("was done by a night that was stopped", "")
    assert code == 0
    assert "1 file of the inbox, 0 live events" in said
    assert "stopped" not in said
    assert [path.name for path in home.inbox.iterdir()] == ["monday.csv"]
    assert len(runs_of(own_school)) == 1


DIES = """
import logging, os, signal, sys
import training.nightly  # once, not after every fork
from mlflow import MlflowClient
from training.__main__ import main

class Kills(logging.Handler):
    def emit(self, record):
        if record.getMessage().startswith(self.name):
            os.kill(os.getpid(), signal.SIGKILL)

def kill_at_call(method, number):
    original, calls = getattr(MlflowClient, method), []
    def counted(*arguments, **options):
        calls.append(method)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)
    setattr(MlflowClient, method, counted)

logging.basicConfig(level=logging.INFO)
for moment in sys.argv[2:]:
    if os.fork() == 0:
        method, _, number = moment.partition("#")
        if number:
            kill_at_call(method, int(number))
        else:
            handler = Kills()
            handler.name = moment
            logging.getLogger("regroup").addHandler(handler)
        os._exit(main(["nightly", "--config", sys.argv[1]]))
    print(moment.replace(" ", "_"), os.waitstatus_to_exitcode(os.wait()[1]))
"""

MOMENTS = (
    *("register a prior", "log_artifacts#2", "create_model_version#2", "set_registered_model_alias#4"),
    *("validate", "train struggle", "train mastery", "evaluate", "gate", "refit", "register"),
    *(
        "log_artifacts#2",
        "create_model_version#2",
        "publish",
        "promote",
        "set_registered_model_alias#4",
        "prune",
        "record",
    ),
)
"""The beginning of every step, and the middle of those that change MLflow, for the prior model first."""


@pytest.mark.long
def test_a_night_that_is_killed_at_every_step_ends_as_one_that_was_not(untrained_school, trained_school):
    """The same models, decision and profiles, bit for bit, in one run with one version each; nothing else is left."""
    command = [sys.executable, "-c", DIES, str(untrained_school.config), *MOMENTS]

    killed = subprocess.run(command, capture_output=True, check=False, text=True)
    outcome = night(untrained_school)

    assert killed.stdout.split() == [word for at in MOMENTS for word in (at.replace(" ", "_"), str(-signal.SIGKILL))]
    assert outcome.did == "promoted"
    assert [run.info.run_id for run in runs_of(untrained_school)] == [outcome.run_id]
    client = client_of(untrained_school)
    for name in FORECASTS:
        versions = client.search_model_versions(f"name='regroup-{name}'")
        assert sorted(version.tags["kind"] for version in versions) == ["prior", "trained"]
        (ours, theirs) = (
            artifact(school, run, f"{name}/model.lgb").read_text()
            for school, run in ((untrained_school, outcome.run_id), (trained_school, trained_school.run_id))
        )
        assert ours == theirs
    assert champions_of(untrained_school) == {outcome.run_id}
    assert list_champions()[0].run_id == outcome.run_id
    assert len(list_champions()) == 2
    (ours,) = (untrained_school.home / "published" / outcome.run_id).iterdir()
    (theirs,) = (trained_school.home / "published" / trained_school.run_id).iterdir()
    assert ours.name == theirs.name
    assert read_manifest(ours)["files"] == read_manifest(theirs)["files"]
    (uninterrupted,) = (trained_school.home / "decisions").glob("*.md")
    reasons = [
        [
            re.sub(r"run [0-9a-f]{32}", "run", line)
            for line in path.read_text().partition("## Why")[2].partition("## What it cost")[0].splitlines()
            if not line.startswith("- inbox")
        ]
        for path in (outcome.record, uninterrupted)
    ]
    assert "better with the whole interval" in "".join(reasons[0])
    assert reasons[0] == reasons[1]
    assert f"champion until now: run {list_champions()[1].run_id}, prior" in outcome.record.read_text()
    assert not (untrained_school.home / "unfinished").exists()
