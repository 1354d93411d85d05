"""A registry that accepts questions and never answers holds up nobody but the one thread that asks it."""

import socket
import threading
import time

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.errors import RegistryAwayError
from serving.models.published import registry
from serving.models.published.registry import Registry


@pytest.fixture
def hanging():
    """The address of a registry that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def asking():
    """The threads that ask a registry, but for those of the test before that have not given up yet."""
    earlier = set(threading.enumerate())
    return lambda: [one for one in threading.enumerate() if one.name == "registry" and one not in earlier]


def test_who_asks_is_told_in_time_and_whoever_asks_meanwhile_at_once(hanging, asking, monkeypatch):
    monkeypatch.setattr(registry, "ANSWER_S", 0.2)
    away = Registry(hanging)

    with pytest.raises(RegistryAwayError, match="within 0 s"):
        away.champion()
    began = time.perf_counter()
    for _ in range(60):
        with pytest.raises(RegistryAwayError, match="not answered yet"):
            away.champion()

    assert time.perf_counter() - began < 1.0
    assert len(asking()) == 1


def test_a_service_whose_registry_hangs_starts_from_the_last_good_copy_and_answers(
    own_school, hanging, asking, monkeypatch
):
    with TestClient(create_app()) as client:
        assert client.get("/readyz").json()["source"] == "registry"
    monkeypatch.setattr(registry, "ANSWER_S", 0.2)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", hanging)
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "0.05")

    with TestClient(create_app(), headers=own_school.headers) as client:
        ready = client.get("/readyz")
        boards = [client.get(f"/v1/teams/{own_school.team_ids[0]}/board").status_code for _ in range(20)]

        assert len(asking()) <= 1

    assert (ready.status_code, ready.json()["source"]) == (200, "last_good")
    assert set(boards) == {200}
