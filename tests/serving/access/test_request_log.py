"""The log of the service: a line per request with its id, and nothing of what was asked about whom."""

import io
import json
import logging
import re

import pytest

from features.database import Database
from serving.access.key_cache import KeyCache
from serving.api.routes import students
from serving.telemetry.logs import JsonLines


@pytest.fixture
def lines():
    """Everything that any library logs, as the service writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    handler.addFilter(lambda record: not record.name.startswith("httpx"))  # the caller's side
    root, ours = logging.getLogger(), logging.getLogger("regroup")
    before = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    ours.setLevel(logging.DEBUG)
    yield stream.getvalue
    root.removeHandler(handler)
    root.setLevel(before[0])
    ours.setLevel(before[1])


def requests_of(text):
    return [line for line in map(json.loads, text.splitlines()) if line["message"] == "request"]


def test_a_request_has_one_line_with_its_id(district, lines):
    client = district.client("north")

    answer = client.get(f"/v1/teams/{district.north['team_id']}/board", headers={"X-Request-ID": "plan-7.a"})

    (line,) = [line for line in requests_of(lines()) if line["request_id"] == "plan-7.a"]
    assert answer.headers["x-request-id"] == "plan-7.a"
    assert {name: line[name] for name in ("level", "method", "route", "status", "key_id")} == {
        "level": "info",
        "method": "GET",
        "route": "/v1/teams/{team_id}/board",
        "status": 200,
        "key_id": district.keys["north"].split("_")[1],
    }
    assert line["ms"] > 0
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "id\tx", "a/b", "Zoë"])
def test_an_id_that_is_no_id_is_replaced(district, sent):
    answer = district.client().get("/v1/models", headers={"X-Request-ID": sent.encode()})

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.long
def test_no_log_holds_a_secret_a_student_or_an_address(district, routes, lines, monkeypatch):
    for name in district.keys:
        client = district.client(name)
        for route in routes:
            for ids in (district.north, district.south):
                route.ask(client, ids)
        student = district.north["student_id"]
        client.get(f"/v1/students/{student}/nothing", params={"student": student})
        client.request(student, f"/{student}")
        client.post("/v1/recommendations", json={"team_id": student, "date": student, "rules": [{student: student}]})

    def break_off(*_):
        raise KeyError(district.north["student_id"])

    monkeypatch.setattr(students, "forecast_students", break_off)
    broken = district.client("all").get(f"/v1/students/{district.north['student_id']}/profile")
    district.app.state.audit.flush()

    text = lines()
    assert (broken.status_code, broken.json()["rule"]) == (500, "internal")
    assert '"exception": "KeyError"' in text
    assert "students.py" in text
    assert len(requests_of(text)) > 100
    words = set(re.findall(r"[\w.-]+", text))
    assert not words & {*district.students, *district.of_south, district.north["recommendation_id"]}
    assert not re.search(r"rg_|/v1/[^\"]*" + re.escape(district.north["team_id"]), text)
    assert not any(key.split("_")[2] in text for key in district.keys.values())


def test_a_statement_that_fails_is_logged_without_its_values(tmp_path, lines):
    (tmp_path / "regroup.db").write_bytes(b"no database" * 1000)

    with Database(f"sqlite:///{tmp_path / 'regroup.db'}") as database:
        KeyCache(database, 1, 1).refresh()

    assert "API keys not read" in lines()
    assert "SELECT" not in lines()
