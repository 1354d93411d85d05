"""How often and how much may be asked, and from where."""

import asyncio
import itertools
import json
import re

import pytest
from fastapi.testclient import TestClient

from features.errors import InputError
from serving.__main__ import main
from serving.api.middleware.body_limit import DROP_BYTES
from serving.app import create_app
from serving.settings import Settings, read_settings


def send(app, key, path, parts, headers=()):
    """Posts a body part by part to the application itself, and returns the status, and how many parts it took."""
    taken, answers = iter(parts), []
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [
            (b"authorization", f"Bearer {key}".encode()), (b"content-type", b"application/json"), *headers,
        ], "server": ("testserver", 80), "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    count = 0

    async def receive():
        nonlocal count
        count += 1
        part = next(taken, None)
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    async def answer(message):
        answers.append(message)

    asyncio.run(app(scope, receive, answer))
    return answers[0]["status"], json.loads(answers[1]["body"]), count


def test_a_key_that_asks_too_often_is_told_when_to_go_on(district):
    client = district.client("seldom")
    answers = [client.get("/v1/models") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [re.search(r"r=(\d+)", answer.headers["ratelimit"])[1] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert answers[0].headers["ratelimit-policy"] == '"minute";q=3;w=60'
    assert answers[3].headers["content-type"] == "application/problem+json"
    assert answers[3].json()["rule"] == "too_many_requests"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert district.client("all").get("/v1/models").status_code == 200


def test_a_body_that_is_too_large_is_refused_and_never_kept(district):
    key, path = district.keys["all"], "/v1/recommendations"
    most = district.app.state.settings.body_bytes
    part = b"x" * 2**16

    length = (b"content-length", str(most + 1).encode())

    waiting = send(district.app, key, path, [part], [length, (b"expect", b"100-continue")])
    with_length = send(district.app, key, path, [part] * 20, [length])
    in_chunks = send(district.app, key, path, [part] * 100)
    endless = send(district.app, key, path, itertools.repeat(part))
    fits = send(district.app, key, path, [b"x" * most])

    assert waiting[::2] == (413, 0)
    assert with_length[::2] == (413, 21)
    assert in_chunks[::2] == (413, 101)
    assert endless[0] == 413
    assert endless[2] * len(part) < 2 * DROP_BYTES
    assert {answer[1]["rule"] for answer in (waiting, with_length, in_chunks, endless)} == {"body_too_large"}
    assert fits[0] == 422
    assert send(district.app, key, "/v1/events", [b"x" * (most + 1)])[0] != 413
    assert send(district.app, district.keys["unknown"], path, [part] * 1000)[::2] == (401, 0)


def test_without_keys_it_answers_its_own_machine_only(district):
    app = create_app(Settings(REGROUP_HOME=district.home, open=True))

    def ask(address, **headers):
        return TestClient(app, base_url=address).get("/v1/teams/x/board", headers=headers).json()["rule"]

    assert ask("http://127.0.0.1:8000") == "no_model"
    assert ask("http://localhost") == "no_model"
    assert ask("http://[::1]:8000") == "no_model"
    assert ask("http://192.168.0.7:8000") == "not_here"
    assert ask("http://127.0.0.1:8000", Host="rebound.example.org") == "not_here"
    assert ask("http://127.0.0.1:8000", **{"X-Forwarded-For": "192.168.0.7"}) == "not_here"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::", "school.example.org", ""])
def test_a_network_is_not_served_without_keys(host, monkeypatch):
    monkeypatch.setenv("REGROUP_OPEN", "true")

    with pytest.raises(InputError, match="needs a host that only this machine reaches") as error:
        main(["--open", "--host", host, "--wait"])

    assert error.value.exit_code == 2


def test_web_pages_of_other_origins_get_nothing_unless_they_are_named(district):
    page = {"Origin": "https://plan.example.org", "Access-Control-Request-Method": "POST"}
    named = Settings(REGROUP_HOME=district.home, cors_origins="https://plan.example.org, https://b.example.org/")

    usual = district.client().options("/v1/recommendations", headers=page)
    asked = TestClient(create_app(named)).options("/v1/recommendations", headers=page)
    refused = TestClient(create_app(named)).get("/v1/models", headers={"Origin": "https://plan.example.org"})
    other = TestClient(create_app(named)).options("/v1/recommendations", headers={**page, "Origin": "https://evil.org"})

    assert "access-control-allow-origin" not in usual.headers
    assert asked.headers["access-control-allow-origin"] == "https://plan.example.org"
    assert "authorization" in asked.headers["access-control-allow-headers"].lower()
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://plan.example.org")
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("REGROUP_CORS_ORIGINS", "*", r"REGROUP_CORS_ORIGINS='\*': '\*' is no origin; write https://HOST"),
        ("REGROUP_PER_MINUTE", "0", "REGROUP_PER_MINUTE='0': .*greater than or equal to 1"),
        ("REGROUP_OPEN", "maybe", "REGROUP_OPEN='maybe': .*boolean"),
    ],
)
def test_a_wrong_setting_is_named(name, value, message, monkeypatch):
    monkeypatch.setenv(name, value)

    with pytest.raises(InputError, match=message):
        read_settings()
