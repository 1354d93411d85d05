"""`make demo`: it waits for whatever lives, keeps what it made, and shows no key unless asked."""

import json
import re
import shutil
import subprocess
import sys
import time

import pytest

from experiments import demo
from experiments.demo import DemoError, Kept, Service, run_demo
from features.database import Database
from serving.store.keys import list_keys
from tests.conftest import copy_database

SLOW = """
import http.server, json, sys, time
time.sleep(0.5)
begun = time.monotonic()

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = time.monotonic() - begun > 1.0
        body = json.dumps({"detail": "the service is starting: loading the model"}).encode()
        self.send_response(200 if ready else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
"""A process that listens late and is ready later still."""


@pytest.fixture
def start():
    """Starts Python with some code, which is ended after the test."""
    started = []

    def start(code, *arguments):
        started.append(subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=30)


@pytest.fixture
def environment(monkeypatch):
    """What the demo sets in the environment ends with the test."""
    for name in ("REGROUP_HOME", "MLFLOW_TRACKING_URI", "MLFLOW_DISABLE_TELEMETRY", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "PASSIVE")
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)


def test_it_waits_for_a_service_that_lives_and_says_what_for(start, monkeypatch, capsys):
    monkeypatch.setattr(demo, "SAY_S", 0.1)
    port = demo._free_port()
    service = Service(start(SLOW, str(port)), port)

    service.wait_until_ready()

    told = capsys.readouterr().out
    assert "the service does not listen yet" in told
    assert "loading the model" in told


def test_it_stops_waiting_when_the_service_ended(start):
    begun = time.monotonic()
    service = Service(start("raise SystemExit(3)"), demo._free_port())

    with pytest.raises(DemoError, match="ended with exit code 3"):
        service.wait_until_ready()

    assert time.monotonic() - begun < 60


def test_a_failed_step_leaves_those_before_it(tmp_path):
    """The next demo of the same inputs goes on from there; one of other inputs starts over."""
    made = []

    def fail():
        raise DemoError("no")

    kept = Kept.read(tmp_path / "demo.json", {"log": None})
    kept.run("one", lambda: made.append("one"))
    with pytest.raises(DemoError):
        kept.run("two", fail)

    again = Kept.read(tmp_path / "demo.json", {"log": None})
    again.run("one", fail)
    again.run("two", lambda: made.append("two"))

    assert made == ["one", "two"]
    assert Kept.read(tmp_path / "demo.json", {"log": None}).done == ["one", "two"]
    assert Kept.read(tmp_path / "demo.json", {"log": "other"}).done == []


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
    record = {"inputs": demo._inputs(None, None, None), "done": steps}
    (home / "demo.json").write_text(json.dumps(record), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    code = run_demo(None, None, None)

    told = capsys.readouterr().out
    with Database(f"sqlite:///{home / 'regroup.db'}") as database:
        keys = [key for key in list_keys(database) if key.name == "demo"]
    assert code == 0
    assert told.count("reused") == len(steps)
    assert f"run {own_school.run_id}" in told
    assert "Groups for" in told
    assert not re.search(keys[0].key_id, told)
    assert [key.revoked_at is not None for key in keys] == [True]
