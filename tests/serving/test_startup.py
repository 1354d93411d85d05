"""The service's first seconds: it answers at once, says what it is waiting for, and is ready only when it is."""

import os
import subprocess
import sys
import threading

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from serving.lifecycle import ARROW_POOL
from serving.startup import START_FOLDER, Startup
from tests.serving.models.test_hot_swap import wait_until


class Loading:
    """A service that goes on loading until it is released."""

    def __init__(self):
        self.release = threading.Event()

    def load(self, say):
        say("loading the model")
        assert self.release.wait(30)
        app = FastAPI()
        app.get("/v1/models")(lambda: "models")
        return app


@pytest.fixture
def loading():
    loading = Loading()
    yield loading
    loading.release.set()


def test_while_it_loads_it_lives_and_says_what_it_waits_for(loading):
    with TestClient(Startup(loading.load)) as client:
        wait_until(lambda: "loading the model" in client.get("/readyz").json()["detail"])
        asked = client.get("/v1/models")

        assert client.get("/livez").json() == {"status": "alive"}
        assert (asked.status_code, asked.json()["rule"]) == (503, "starting")
        assert int(asked.headers["retry-after"]) > 0
        assert asked.headers["content-type"] == "application/problem+json"

        loading.release.set()
        wait_until(lambda: client.get("/v1/models").status_code == 200)
        assert client.get("/v1/models").json() == "models"


def test_of_two_processes_the_second_answers_only_when_it_is_ready(loading, tmp_path, monkeypatch):
    """A caller who saw one of them ready is not asked to wait by the other."""
    monkeypatch.setenv(START_FOLDER, str(tmp_path))
    late = Loading()
    entered = threading.Event()

    def start_second():
        with TestClient(Startup(late.load)) as client:
            entered.set()
            assert client.get("/v1/models").status_code == 200

    with TestClient(Startup(loading.load)) as first:
        assert first.get("/v1/models").status_code == 503
        second = threading.Thread(target=start_second)
        second.start()
        late.release.set()
        assert not entered.wait(0.5)  # it is loaded, and waits for the one that answers

        loading.release.set()
        wait_until(lambda: first.get("/v1/models").status_code == 200)
        second.join(timeout=30)

    assert entered.is_set()


def test_a_process_that_cannot_start_ends_with_an_exit_code():
    code = """
import uvicorn
from serving.startup import Startup

def load(say):
    raise RuntimeError("broken")

uvicorn.run(Startup(load), port=0, log_level="critical")
"""

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 3
    assert "the service could not start" in ended.stderr


def test_listening_imports_nothing_slow():
    """Whoever adds an import that takes seconds to the way to the first answer finds out here."""
    code = """
import sys
import uvicorn, serving.__main__, serving.cli.serve, serving.startup
serving.startup.create_startup()
print({"pandas", "numpy", "lightgbm", "mlflow", "numba", "deltalake", "scipy"} & set(sys.modules))
"""

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert ended.stdout.strip() == "set()"


def test_arrow_allocates_where_everything_else_does():
    """Its own allocator would keep memory of each thread that ever read or wrote a table."""
    code = """
import serving.startup
serving.startup.create_startup()
import pyarrow
print(pyarrow.default_memory_pool().backend_name)
"""
    environment = {name: value for name, value in os.environ.items() if name != ARROW_POOL}

    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )

    assert ended.stdout.strip() == "system"
