"""`make demo`: it keeps what it made, and shows no key unless asked."""

import json
import re
import shutil

import pytest
from fastapi.testclient import TestClient

from experiments.demo import DemoError, Progress, describe_inputs, run_demo
from features.database import Database
from serving.app import create_app
from serving.settings import Settings
from serving.store.keys import list_keys
from tests.conftest import copy_database


@pytest.fixture
def environment(monkeypatch):
    """What the demo sets in the environment ends with the test."""
    for name in ("REGROUP_HOME", "MLFLOW_TRACKING_URI", "MLFLOW_DISABLE_TELEMETRY", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "PASSIVE")
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)


def test_a_failed_step_leaves_those_before_it(tmp_path):
    """The next demo of the same inputs goes on from there; one of other inputs starts over."""
    made = []

    def fail():
        raise DemoError("no")

    progress = Progress.read(tmp_path / "demo.json", {"log": None})
    progress.run("one", lambda: made.append("one"))
    with pytest.raises(DemoError):
        progress.run("two", fail)

    again = Progress.read(tmp_path / "demo.json", {"log": None})
    again.run("one", fail)
    again.run("two", lambda: made.append("two"))

    assert made == ["one", "two"]
    assert Progress.read(tmp_path / "demo.json", {"log": None}).done == ["one", "two"]
    assert Progress.read(tmp_path / "demo.json", {"log": "other"}).done == []


@pytest.mark.long
@pytest.mark.usefixtures("environment")
def test_asked_again_it_reuses_the_model_and_shows_no_key(own_school, simulated_school, tmp_path, monkeypatch, capsys):
    """The real service plans for the school and model that an earlier demo left; the key ends with the demo."""
    home = tmp_path / "var" / "demo"
    shutil.copytree(own_school.home, home)
    shutil.copytree(simulated_school.folder / "roster", home / "school" / "roster")
    shutil.copytree(own_school.mlruns / "artifacts", home / "mlruns" / "artifacts")
    copy_database(own_school.mlruns / "mlflow.db", home / "mlruns" / "mlflow.db", own_school.mlruns)
    school = home / "school"
    steps = (
        "simulate a school of four teams of 60 students, twelve weeks",
        f"python -m features ingest {school}/log.parquet --format mapped --mapping {school}/mapping.toml",
        f"python -m features roster {school}/roster",
        "python -m training nightly",
    )
    record = {"inputs": describe_inputs(None, None, None), "done": steps}
    (home / "demo.json").write_text(json.dumps(record), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    code = run_demo(None, None, None)

    shown = capsys.readouterr().out
    with Database(f"sqlite:///{home / 'regroup.db'}") as database:
        keys = [key for key in list_keys(database) if key.name == "demo"]
    assert code == 0
    assert shown.count("reused") == len(steps)
    assert f"run {own_school.run_id}" in shown
    assert "Groups for" in shown
    assert not re.search(keys[0].key_id, shown)
    link = re.search(r"the team's board, while it runs: http://127\.0\.0\.1:8000(/board/day\S*)", shown)[1]
    app = create_app(Settings(REGROUP_HOME=home, open=True))  # as the line before it starts the service
    with TestClient(app, base_url="http://127.0.0.1:8000") as browser:
        assert "not accepted yet" in browser.get(link).text
    assert [key.revoked_at is not None for key in keys] == [True]
