"""What regroup keeps may name students: nobody but its owner can read it, whatever the umask."""

import os
import shutil
import stat

import pytest
from fastapi.testclient import TestClient

import features.__main__
import serving.__main__
import training.__main__
from features.bundle import write_bundle
from features.console import run_command
from features.home import Home
from serving.app import create_app
from serving.startup import create_startup
from tests.conftest import QUICK, copy_database


@pytest.fixture(autouse=True)
def open_umask():
    """Files that a program makes can be read and written by everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def run(main, *words):
    with pytest.raises(SystemExit) as end:
        run_command(lambda: main([str(word) for word in words]))
    assert end.value.code == 0


def open_to_others(*roots):
    """Folders and files that somebody else than the owner may do something with."""
    paths = [path for root in roots for path in (root, *root.rglob("*"))]
    assert len(paths) > 1
    return [str(path) for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_what_a_command_leaves_is_for_the_owner_alone(simulated_school, tmp_path, monkeypatch):
    monkeypatch.setenv("REGROUP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)

    run(features.__main__.main, "roster", simulated_school.folder / "roster")

    assert open_to_others(tmp_path / "home") == []


@pytest.mark.long
def test_whatever_commands_and_the_service_leave_is_for_the_owner_alone(
    simulated_school, migrated_mlflow, give_key, tmp_path, monkeypatch
):
    home, mlruns, bundle = (tmp_path / name for name in ("home", "mlruns", "bundle"))
    monkeypatch.setenv("REGROUP_HOME", str(home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{mlruns / 'mlflow.db'}")
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)
    school = simulated_school.folder
    (tmp_path / "quick.toml").write_text(QUICK)
    copy_database(migrated_mlflow, mlruns / "mlflow.db")
    mlruns.chmod(0o700)
    (mlruns / "mlflow.db").chmod(0o600)

    run(features.__main__.main, "roster", school / "roster")
    run(features.__main__.main, "ingest", school / "log.parquet", "--mapping", school / "mapping.toml")
    run(training.__main__.main, "nightly", "--config", tmp_path / "quick.toml")
    run(serving.__main__.main, "export", bundle)
    headers = {"Authorization": f"Bearer {give_key(Home(home).database_url())}"}
    with TestClient(create_app(), headers=headers) as client:
        assert client.get(f"/v1/teams/{simulated_school.team_ids[0]}/board").status_code == 200

    assert {path.name for path in home.iterdir()} >= {"events", "published", "served", "audit", "regroup.db"}
    assert open_to_others(home, bundle, mlruns) == []


def test_a_home_that_stood_open_is_closed_and_one_for_everybody_is_left(tmp_path):
    home, shared = Home(tmp_path / "home"), Home(tmp_path / "shared")
    home.root.mkdir(mode=0o755)
    shared.root.mkdir()
    shared.root.chmod(0o1777)

    for each in (home, shared):
        with each.work(busy="never"):
            pass

    assert [stat.S_IMODE(each.root.stat().st_mode) for each in (home, shared)] == [0o700, 0o1777]


def test_a_bundle_is_for_its_owner_alone_whatever_it_was_copied_from(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "part").write_text("1")

    write_bundle(tmp_path / "bundle", {}, lambda draft: shutil.copytree(tmp_path / "open", draft, dirs_exist_ok=True))

    assert open_to_others(tmp_path / "open")
    assert open_to_others(tmp_path / "bundle") == []


def test_a_process_that_another_program_starts_writes_for_its_owner_alone():
    create_startup()

    assert os.umask(0) == 0o077
