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
from serving.models.bundle import read_artifacts, write_artifacts
from serving.models.hot_swap import LastGood
from serving.models.snapshot import load_snapshot
from tests.serving.models.test_hot_swap import call, wait_for
from training.records.tracking import Tracking

NOWHERE = "sqlite:////nowhere/mlflow.db"


@pytest.fixture
def bundle(own_school, tmp_path):
    """What was exported of a school that has then lost its registry and what was published."""
    main(["export", str(tmp_path / "bundle")])
    return tmp_path / "bundle"


@pytest.fixture(params=["hidden", pytest.param("never installed", marks=pytest.mark.long)])
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
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not each.name.startswith("mlflow"):
            (packages / each.name).symlink_to(each)
    return place / "bin" / "python"


def test_a_bundle_serves_where_mlflow_cannot_be_imported(own_school, bundle, without_mlflow):
    """A plan over HTTP, on top of events of the day, without the registry and without what was published."""
    shutil.rmtree(own_school.mlruns)
    shutil.rmtree(own_school.home / "published")
    environment = {**os.environ, "MLFLOW_TRACKING_URI": NOWHERE}
    asked = [without_mlflow, "-c", "import mlflow"]
    tried = subprocess.run(asked, env=environment, capture_output=True, check=False)
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

    assert "No module named 'mlflow'" in tried.stderr.decode()
    assert ready["source"] == "bundle"
    assert plan["sessions"]
    assert plan["provenance"]["model"]["run_id"] == own_school.run_id
    assert "new-skill" in {each["skill_id"] for each in profile["skills"]}


def test_a_bundle_altered_in_any_file_is_refused_by_the_name_of_the_file(bundle, monkeypatch):
    monkeypatch.setenv("REGROUP_BUNDLE", str(bundle))  # what the option sets ends with the test
    files = [each for each in bundle.rglob("*") if each.is_file()]
    assert len(files) == 1 + 2 * 6 + 5

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


def test_another_bundle_in_its_place_is_swapped_in(own_school, bundle, monkeypatch):
    monkeypatch.setenv("REGROUP_BUNDLE", str(bundle))
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    student, other = own_school.student_ids[:2]
    with TestClient(create_app(), headers=own_school.headers) as client:
        holder = client.app.state.snapshots
        before = client.get("/v1/models").json()
        assert not holder.refresh()
        assert main(["erase", student, "--yes"]) == 0

        main(["export", str(bundle)])

        assert holder.refresh()
        after = client.get("/v1/models").json()
        asked = [client.get(f"/v1/students/{each}/profile").status_code for each in (student, other)]
    assert after["provenance"]["profiles"] == before["provenance"]["profiles"] + "-erased1"
    assert asked == [404, 200]


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


@pytest.mark.parametrize(("spoil", "mend"), [(away, back), (unpublish, publish)])
def test_what_served_last_serves_until_the_registry_gives_something(own_school, monkeypatch, caplog, spoil, mend):
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    with TestClient(create_app()) as client:
        served = client.get("/readyz").json()
    spoil(own_school)

    with TestClient(create_app(), headers=own_school.headers) as client:
        revived = client.get("/readyz").json()
        board = client.get(f"/v1/teams/{own_school.team_ids[0]}/board").status_code
        told = client.get("/metrics").text
        mend(own_school)
        assert client.app.state.snapshots.refresh()
        mended = client.get("/readyz").json()

    assert (served["source"], revived["source"], mended["source"]) == ("registry", "last_good", "registry")
    assert (revived["run_id"], revived["profiles"]) == (served["run_id"], served["profiles"])
    assert board == 200
    assert any('source="last_good"' in line and line.endswith(" 1.0") for line in told.splitlines())
    assert "serving the copy of what served last" in caplog.text


def test_a_champion_that_was_taken_away_is_not_brought_back(own_school, monkeypatch):
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    with TestClient(create_app()) as client:
        assert client.get("/readyz").status_code == 200
    for forecast in ("struggle", "mastery"):
        Tracking(own_school.mlruns_uri)._client.delete_registered_model_alias(f"regroup-{forecast}", "champion")

    with TestClient(create_app()) as client:
        answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["rule"]) == (503, "no_model")


def test_processes_that_keep_a_copy_at_once_leave_a_whole_one(own_school, bundle, tmp_path):
    """Half of them serve one bundle and half another."""
    other = tmp_path / "other"
    assert main(["erase", own_school.student_ids[0], "--yes"]) == 0
    main(["export", str(other)])
    both = [(load_snapshot(parts), parts) for parts in (read_artifacts(each, "bundle") for each in (bundle, other))]
    home = Home(tmp_path / "empty")
    keepers = [threading.Thread(target=LastGood(home).keep, args=both[at % 2]) for at in range(8)]

    for each in keepers:
        each.start()
    for each in keepers:
        each.join()

    kept = read_artifacts(home.served / "last-good", "last_good")
    assert kept.publication in {parts.publication for _, parts in both}
    assert [each.name for each in home.served.iterdir()] == ["last-good"]


def test_a_bundle_without_a_part_is_not_written(own_school, bundle, tmp_path):
    parts = read_artifacts(bundle, "bundle")
    (bundle / "profiles" / "state.npz").unlink()

    with pytest.raises(InputError, match=r"state\.npz"):
        write_artifacts(tmp_path / "new", parts)

    assert not (tmp_path / "new").exists()
    with pytest.raises(SnapshotError, match=r"state\.npz"):
        read_artifacts(bundle, "bundle")
