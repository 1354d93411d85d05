"""The service starts from an exported bundle, and goes on where the registry does not."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import serving
from features.errors import InputError
from features.home import Home
from serving.__main__ import main
from serving.app import create_app
from serving.errors import SnapshotError
from serving.models.hot_swap import LastGood
from serving.models.published.bundle import read_artifacts, write_artifacts
from serving.models.snapshot import load_snapshot
from tests.serving.models.test_hot_swap import call, wait_for
from training.records.tracking import Tracking

NOWHERE = "sqlite:////nowhere/mlflow.db"


@pytest.fixture
def bundle(own_school, tmp_path):
    """What was exported of a school that has then lost its registry and what was published."""
    main(["export", str(tmp_path / "bundle")])
    return tmp_path / "bundle"


@pytest.fixture(params=["hidden", "never installed"])
def without_mlflow(request, tmp_path, monkeypatch):
    """An interpreter that sees every installed distribution but MLflow's, and one of an environment without extras."""
    if request.param == "never installed":
        monkeypatch.delenv("PYTHONPATH", raising=False)
        monkeypatch.chdir(tmp_path)
        return request.getfixturevalue("installed_python")
    monkeypatch.setenv("PYTHONPATH", str(Path(serving.__file__).parents[1]))
    place = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (packages,) = place.glob("lib/*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith("mlflow"):
            (packages / path.name).symlink_to(path)
    return place / "bin" / "python"


@pytest.mark.long
def test_a_bundle_serves_where_mlflow_cannot_be_imported(own_school, bundle, without_mlflow):
    """A plan over HTTP, on top of events of the day, without the registry and without what was published."""
    shutil.rmtree(own_school.mlruns)
    shutil.rmtree(own_school.home / "published")
    environment = {**os.environ, "MLFLOW_TRACKING_URI": NOWHERE}
    importing = [without_mlflow, "-c", "import mlflow"]
    imported = subprocess.run(importing, env=environment, capture_output=True, check=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [without_mlflow, "-m", "serving", "--port", str(port), "--bundle", str(bundle)]
    server = subprocess.Popen(command, env=environment)
    try:
        wait_for(address, own_school.run_id)
        ready = call(f"{address}/readyz")
        event = {
            "student_id": own_school.student_ids[0],
            "occurred_at": "2026-03-14T08:00:00Z",
            "item_id": "new",
            "score": 1,
            "skill_ids": ["new-skill"],
        }
        call(f"{address}/v1/events", {"events": [event]}, own_school.headers)
        day = {"team_id": own_school.team_ids[0], "date": "2026-03-16"}
        plan = call(f"{address}/v1/recommendations", day, own_school.headers)
        profile = call(f"{address}/v1/students/{own_school.student_ids[0]}/profile", headers=own_school.headers)
    finally:
        server.terminate()
        server.wait(timeout=30)

    assert "No module named 'mlflow'" in imported.stderr.decode()
    assert ready["source"] == "bundle"
    assert plan["sessions"]
    assert plan["provenance"]["model"]["run_id"] == own_school.run_id
    assert "new-skill" in {skill["skill_id"] for skill in profile["skills"]}


def test_a_bundle_altered_in_any_file_is_refused_by_the_name_of_the_file(bundle, monkeypatch):
    monkeypatch.setenv("REGROUP_BUNDLE", str(bundle))  # what the option sets ends with the test
    files = [path for path in bundle.rglob("*") if path.is_file()]
    assert len(files) == 1 + 2 * 8 + 3 + 16  # models, and of the profiles a state for each student bucket

    for path in files:
        before = path.read_bytes()
        path.write_bytes(before + b"x")
        with pytest.raises(InputError, match=path.name):
            main(["--bundle", str(bundle), "--port", "0"])
        path.unlink()
        with pytest.raises(InputError, match=path.name):
            main(["--bundle", str(bundle), "--port", "0"])
        path.write_bytes(before)

    assert load_snapshot(read_artifacts(bundle, "bundle")).source == "bundle"


@pytest.mark.long
def test_another_bundle_in_its_place_is_swapped_in(own_school, bundle, monkeypatch):
    monkeypatch.setenv("REGROUP_BUNDLE", str(bundle))
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    student, other = own_school.student_ids[:2]
    with TestClient(create_app(), headers=own_school.headers) as client:
        snapshots = client.app.state.snapshots
        before = client.get("/v1/models").json()
        assert not snapshots.refresh()
        assert main(["erase", student, "--yes"]) == 0

        main(["export", str(bundle)])

        assert snapshots.refresh()
        after = client.get("/v1/models").json()
        statuses = [client.get(f"/v1/students/{student_id}/profile").status_code for student_id in (student, other)]
    assert after["provenance"]["profiles"] == before["provenance"]["profiles"] + "-erased1"
    assert statuses == [404, 200]


def test_a_bundle_is_never_written_over_something_else(own_school, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "letter").write_text("dear")

    with pytest.raises(InputError, match="is no bundle"):
        main(["export", str(tmp_path / "precious")])

    assert (tmp_path / "precious" / "letter").read_text() == "dear"


def away(school):
    """The registry's database is gone."""
    (school.mlruns / "mlflow.db").rename(school.mlruns / "mlflow.away")


def back(school):
    (school.mlruns / "mlflow.away").rename(school.mlruns / "mlflow.db")


def unpublish(school):
    """The champion has no profiles that can be read."""
    (school.home / "published").rename(school.home / "aside")


def publish(school):
    (school.home / "aside").rename(school.home / "published")


@pytest.mark.parametrize(("spoil", "repair"), [(away, back), pytest.param(unpublish, publish, marks=pytest.mark.long)])
def test_what_served_last_serves_until_the_registry_gives_something(own_school, monkeypatch, caplog, spoil, repair):
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    with TestClient(create_app()) as client:
        served = client.get("/readyz").json()
    spoil(own_school)

    with TestClient(create_app(), headers=own_school.headers) as client:
        revived = client.get("/readyz").json()
        board = client.get(f"/v1/teams/{own_school.team_ids[0]}/board").status_code
        metrics = client.get("/metrics").text
        repair(own_school)
        assert client.app.state.snapshots.refresh()
        repaired = client.get("/readyz").json()

    assert (served["source"], revived["source"], repaired["source"]) == ("registry", "last_good", "registry")
    assert (revived["run_id"], revived["profiles"]) == (served["run_id"], served["profiles"])
    assert board == 200
    assert any('source="last_good"' in line and line.endswith(" 1.0") for line in metrics.splitlines())
    assert "serving the copy of what served last" in caplog.text


def test_what_served_last_goes_on_over_a_restart_where_the_champion_was_taken_away(own_school, monkeypatch):
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    with TestClient(create_app()) as client:
        assert client.get("/readyz").status_code == 200
    for forecast in ("struggle", "mastery"):
        Tracking(own_school.mlruns_uri)._client.delete_registered_model_alias(f"regroup-{forecast}", "champion")

    with TestClient(create_app()) as client:
        answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["source"]) == (200, "last_good")
    assert answer.json()["run_id"] == own_school.run_id


def test_processes_that_keep_a_copy_at_once_leave_a_whole_one(own_school, bundle, tmp_path):
    """Half of them serve one bundle and half another."""
    other = tmp_path / "other"
    assert main(["erase", own_school.student_ids[0], "--yes"]) == 0
    main(["export", str(other)])
    artifacts = [read_artifacts(folder, "bundle") for folder in (bundle, other)]
    both = [(load_snapshot(served), served) for served in artifacts]
    home = Home(tmp_path / "empty")
    keepers = [threading.Thread(target=LastGood(home).keep, args=both[number % 2]) for number in range(8)]

    for keeper in keepers:
        keeper.start()
    for keeper in keepers:
        keeper.join()

    kept = read_artifacts(home.served / "last-good", "last_good")
    assert kept.publication in {served.publication for served in artifacts}
    assert [path.name for path in home.served.iterdir()] == ["last-good"]


def test_a_bundle_without_one_of_its_files_is_not_written(own_school, bundle, tmp_path):
    artifacts = read_artifacts(bundle, "bundle")
    next((bundle / "profiles").glob("state-*.bin")).unlink()

    with pytest.raises(InputError, match=r"state-\d\d-\w+\.bin"):
        write_artifacts(tmp_path / "new", artifacts)

    assert not (tmp_path / "new").exists()
    with pytest.raises(SnapshotError, match=r"state-\d\d-\w+\.bin"):
        read_artifacts(bundle, "bundle")
