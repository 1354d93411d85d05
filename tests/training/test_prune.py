"""Whatever an alias, a stored plan or a late promotion needs still reads after a night has pruned; the rest is gone."""

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from features.bundle import read_manifest, write_bundle
from features.database import Database
from features.events.log.store import read_events
from features.events.log.upkeep import SMALL_FILES, erase_events
from features.home import Home
from serving.store.tables import RECOMMENDATIONS
from tests.conftest import copy_database
from tests.features.events.test_store import STUDENTS
from tests.features.events.test_upkeep import add_nights
from training.__main__ import main
from training.config import load_config
from training.nightly import prune_home
from training.nightly.prune import prune, remove_files
from training.records.tracking import FORECASTS, MODELS, Tracking

DAY = timedelta(days=1)
VERSIONS = SMALL_FILES + 2
"""Of the event log; in each, every student has one event more."""

CHOICES = load_config(None).retention.model_copy(update={"promotions": 2, "records_days": 30, "grace_hours": 0})


@pytest.fixture(scope="module")
def places(tmp_path_factory, migrated_mlflow):
    """An MLflow store, which all examples share, and a home with an event log and a database, which each copies."""
    place = tmp_path_factory.mktemp("prune")
    copy_database(migrated_mlflow, place / "mlruns" / "mlflow.db")
    home = Home(place / "home")
    add_nights(home, VERSIONS)
    with Database(f"sqlite:///{home.root / 'regroup.db'}") as database:
        database.migrate()
    model = place / "model"
    model.mkdir()
    (model / "model.lgb").write_text("trees")
    folders = {artifact: shutil.copytree(model, place / artifact) for artifact in MODELS}
    return SimpleNamespace(home=home.root, mlruns=place / "mlruns", folders=folders, scratch=place / "scratch")


NIGHTS = st.lists(
    st.fixed_dictionaries(
        {
            "age": st.integers(0, 40),  # days
            "version": st.integers(0, VERSIONS - 1),
            "promoted": st.booleans(),
            "planned": st.none() | st.integers(0, 40),  # days since the last plan that names it
            "erased": st.booleans(),  # a student was erased from its profiles
        }
    ),
    min_size=1,
    max_size=5,
)


@given(nights=NIGHTS, erase=st.booleans())
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_needed_reads_and_what_is_not_is_gone(places, monkeypatch, nights, erase):
    check(places, monkeypatch, nights, erase)


@pytest.mark.long
@given(nights=NIGHTS, erase=st.booleans())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_of_many_histories(places, monkeypatch, nights, erase):
    check(places, monkeypatch, nights, erase)


def check(places, monkeypatch, nights, erase):
    """Goes through a history of nights, the oldest first, prunes, and looks for everything."""
    home, tracking, now = enter(places, monkeypatch), empty_store(places), datetime.now(UTC)
    nights = sorted(nights, key=lambda night: -night["age"])
    for night in nights:
        night["run"], night["profiles"] = live_through(places, home, tracking, night, now)
    if erase:
        erase_events(home, "007")

    dry = prune(home, CHOICES, now, dry_run=True)
    pruned = prune(home, CHOICES, now)

    promoted = [night["run"] for night in nights if night["promoted"]]
    aliases = set(promoted[-2:]) | {nights[-1]["run"]}
    for night in nights:
        run, planned = night["run"], night["planned"]
        of_plan = planned is not None and planned <= CHOICES.plan_profiles_days
        needed = run in {*aliases, *promoted[-2:]} or of_plan
        kept = needed or night["age"] <= CHOICES.models_days
        assert models_of(places, tracking, run) == ((len(MODELS), len(FORECASTS)) if kept else (0, 0)), night
        recent = needed or night["age"] <= CHOICES.runs_days
        told = recent or planned is not None or (night["promoted"] and night["age"] <= CHOICES.records_days)
        assert (run in runs_of(tracking)) == told
        files = list(places.mlruns.glob(f"artifacts/*/{run}/artifacts/*"))
        assert ({"decision.md", "record.html"} & {path.name for path in files}) == (
            {"decision.md", "record.html"} if recent else {"decision.md"} if told else set()
        )
        assert told or not list(places.mlruns.glob(f"artifacts/*/{run}"))
        assert readable(night["profiles"]) == (run in aliases or of_plan), night
        if run in aliases and not erase:
            rows = read_events(home, version=night["version"])
            assert len(rows) == (night["version"] + 1) * len(STUDENTS)
    assert "007" not in set(read_events(home)["student_id"]) or not erase
    assert len(read_events(home)) == VERSIONS * (len(STUDENTS) - erase)
    assert {version.run_id for version in versions_with_alias(tracking)} == aliases
    assert pruned.failed == dry.failed == ()
    assert [each.count for each in dry.removed][:2] == [each.count for each in pruned.removed][:2]
    assert not any(each.count for each in prune(home, CHOICES, now).removed)


def enter(places, monkeypatch):
    """A home of its own."""
    shutil.rmtree(places.scratch, ignore_errors=True)
    shutil.copytree(places.home, places.scratch)
    monkeypatch.setenv("REGROUP_HOME", str(places.scratch))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{places.mlruns / 'mlflow.db'}")
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)
    return Home(places.scratch)


def empty_store(places):
    """The store without any run."""
    with closing(sqlite3.connect(places.mlruns / "mlflow.db")) as store:
        for table in (
            *("registered_model_aliases", "model_version_tags", "model_versions", "registered_models"),
            *("latest_metrics", "metrics", "params", "tags", "runs"),
        ):
            store.execute(f"DELETE FROM {table}")
        store.commit()
    return Tracking()


def live_through(places, home, tracking, night, now):
    """Makes the run, versions, profiles and plan of a night some days ago; the run and the folder of its profiles."""
    then = now - night["age"] * DAY
    tags = {"data_version": f"{night['version']}.0", "as_of": str(then)}
    run = tracking.log_run(
        os.urandom(8).hex(), tags, {}, {"auc": 0.7}, places.folders, {"decision.md": "kept", "record.html": "<p>"}
    )
    tracking.register(run, FORECASTS)
    if night["promoted"]:
        tracking.promote(run, "night: better", then.isoformat(" ", "milliseconds"))
    with closing(sqlite3.connect(places.mlruns / "mlflow.db")) as store:
        store.execute("UPDATE runs SET start_time = ? WHERE run_uuid = ?", (then.timestamp() * 1000, run))
        store.commit()
    name = f"{then:%Y%m%dT%H%M%SZ}-{night['version']}.0"
    folder = home.published / run / (name + "-erased1" * night["erased"])
    write_bundle(folder, {}, lambda draft: (draft / "state.npz").write_bytes(b"state") and None)
    os.utime(folder / "manifest.json", (then.timestamp(),) * 2)
    if night["planned"] is not None:
        plan = {"team_id": "t", "problem_hash": "", "request": "{}", "answer": "{}"}
        made = now - night["planned"] * DAY
        with Database(home.database_url()) as database, database.changing() as connection:
            connection.execute(
                insert(RECOMMENDATIONS).values(id=run, created_at=made, run_id=run, profiles=name, **plan)
            )
    return run, folder


def runs_of(tracking):
    return {run.info.run_id for run in tracking.list_runs(deleted=True)}


def models_of(places, tracking, run):
    """How many files of models are there, of those that serve and that were judged, and how many versions."""
    files = [path for path in places.mlruns.glob(f"artifacts/*/{run}/artifacts/*/model.lgb") if path.read_text()]
    versions = tracking.client.search_model_versions(f"run_id='{run}'")
    return len(files), len(versions)


def versions_with_alias(tracking):
    return [
        version
        for forecast in FORECASTS
        for version in tracking.client.search_model_versions(f"name='regroup-{forecast}'")
        if tracking.client.get_model_version(version.name, version.version).aliases
    ]


def readable(folder):
    if not folder.exists():
        return False
    read_manifest(folder)
    return True


def test_models_of_former_champions_go_also_where_their_sizes_are_not_known(places, monkeypatch):
    """As those of a server of MLflow, which tells none."""
    home, tracking, now = enter(places, monkeypatch), empty_store(places), datetime.now(UTC)
    night = {"version": 0, "promoted": True, "planned": None, "erased": False}
    runs = [live_through(places, home, tracking, night | {"age": age}, now)[0] for age in (20, 19, 18, 17)]
    monkeypatch.setattr("training.records.retention._size_of", lambda *_: 0)

    removed = [prune(home, CHOICES, now).removed[0].count for _ in range(2)]

    assert removed == [2, 0]
    assert [models_of(places, tracking, run)[0] for run in runs] == [0, 0, len(MODELS), len(MODELS)]
    assert {change.run_id for change in tracking.list_changes()} == set(runs)


def test_the_command_says_what_goes_and_how_large_it_is(places, monkeypatch, capsys):
    """First what would go; files of the inbox, rejected rows and records by their own ages."""
    home = enter(places, monkeypatch)
    empty_store(places)
    old = [home.inbox / "done", home.inbox / "app" / "refused", home.rejected, home.decisions, home.checks]
    old.append(home.unfinished / "key")
    long_ago = (datetime.now(UTC) - 401 * DAY).timestamp()
    for folder in old:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / ("rows.parquet" if folder == home.rejected else "model")
        path.write_bytes(bytes(10**6))
        for each in (path, folder):
            os.utime(each, (long_ago, long_ago))
    (home.inbox / "waits.csv").write_text("who")

    assert main(["prune", "--dry-run"]) == 0
    would = capsys.readouterr().out
    there = [path.exists() for path in old]
    assert main(["prune"]) == 0
    did = capsys.readouterr().out

    assert all(there)
    for what in (
        "log files that were read",
        "log files that were refused",
        "files of rejected rows",
        "files of records",
        "measures of nights",
    ):
        assert f"would remove 1 {what}, 1.0 MB" in would
        assert f"removed 1 {what}, 1.0 MB" in did
    assert "removed 1 folders of nights that were stopped, 1.0 MB" in did
    assert f"{VERSIONS * len(STUDENTS)} small files of the event log, merged" in did
    assert (home.inbox / "waits.csv").exists()
    assert not any(list(folder.glob("*")) for folder in old if folder.exists())


def test_of_old_nights_the_record_stays_as_text(places, monkeypatch):
    """And the page of the last one whole, by which a night knows that it was processed."""
    home = enter(places, monkeypatch)
    home.decisions.mkdir()
    names = [f"2026-03-{day}-key.{kind}" for day in (14, 17) for kind in ("md", "html", "json")]
    for path in (home.decisions / name for name in [*names, "latest.html"]):
        path.touch()
        os.utime(path, ((datetime.now(UTC) - 15 * DAY).timestamp(),) * 2)

    remove_files(home, CHOICES, datetime.now(UTC))

    left = {path.name for path in home.decisions.iterdir()}
    assert left == {"2026-03-14-key.md", *names[3:], "latest.html"}


def test_a_part_that_fails_is_said_and_the_others_are_done(places, monkeypatch, capsys):
    """The exit code of the command is 75; a home that is away ends everything."""
    home = enter(places, monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:hunter2@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (home.rejected / "old.parquet").parent.mkdir(exist_ok=True)
    (home.rejected / "old.parquet").touch()
    os.utime(home.rejected / "old.parquet", (0, 0))

    pruned = prune_home(home, CHOICES)

    assert len(pruned.failed) == 3
    assert "failed to remove runs: MLflow's store http://…@127.0.0.1:9 cannot be used" in pruned.sentence
    assert "1 files of rejected rows" in pruned.sentence
    assert main(["prune"]) == 75
    assert "hunter2" not in capsys.readouterr().out
