"""How often and how much may be asked, and from where."""

import asyncio
import itertools
import json
import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from features.errors import InputError
from serving.__main__ import main
from serving.app import create_app
from serving.settings import Settings, read_settings


async def ask_app(app, key, path, receive, headers=(), method="POST"):
    """Asks the application itself, and returns the status and the content of its answer."""
    answers = []
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [
            (b"authorization", f"Bearer {key}".encode()), (b"content-type", b"application/json"), *headers,
        ], "server": ("testserver", 80), "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip

    async def answer(message):
        answers.append(message)

    await app(scope, receive, answer)
    return answers[0]["status"], json.loads(answers[1]["body"])


def send(app, key, path, parts, headers=(), method="POST"):
    """Sends a body part by part, and returns the status, the content, and how many parts were taken."""
    taken, count = iter(parts), 0

    async def receive():
        nonlocal count
        count += 1
        part = next(taken, None)
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    return (*asyncio.run(ask_app(app, key, path, receive, headers, method)), count)


@pytest.fixture
def limited(district):
    """The same district behind a service with tight limits."""
    tight = Settings(
        REGROUP_HOME=district.home,
        MLFLOW_TRACKING_URI=district.app.state.settings.tracking,
        bytes_per_minute=10**5,
        at_once=2,
    )
    app = create_app(tight)
    with TestClient(app):
        yield replace(district, app=app)


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

    with_length = send(district.app, key, path, [part] * 20, [length])
    endless = send(district.app, key, path, itertools.repeat(part))
    fits = send(district.app, key, path, [b"x" * most])

    assert with_length[::2] == (413, 0)
    assert endless[::2] == (413, most // len(part) + 1)
    assert {answer[1]["rule"] for answer in (with_length, endless)} == {"body_too_large"}
    assert fits[0] == 422
    assert send(district.app, key, "/v1/events", [b"x" * (most + 1)])[0] != 413


def test_no_route_reads_a_byte_of_a_body_that_it_does_not_want(district, routes):
    """Neither of a key without its scope, nor of one that sends more than it takes, nor where there is no route."""
    endless = itertools.repeat(b"x" * 2**16)
    some, huge = (b"content-length", b"9"), (b"content-length", str(2**40).encode())

    def ask(key, route, *headers):
        path = re.sub(r"{\w+}", "a", route.path)
        return send(district.app, district.keys[key], path, endless, headers, route.method)[::2]

    for route in routes:
        for scope in {"read", "plan", "load", "names", "admin"} - {route.scope}:
            assert ask(f"only_{scope}", route, some) == (403, 0), route.path
        if route.takes_body:
            assert ask(f"only_{route.scope}", route, huge) == (413, 0), route.path
        else:
            assert ask(f"only_{route.scope}", route, some)[1] == 0, route.path
        assert ask("unknown", route, some) == (401, 0)
        wrong_method = replace(route, method="DELETE")
        assert ask("all", wrong_method, some) == (405, 0), route.path
    assert ask("all", replace(routes[0], path="/v1/nothing"), some) == (404, 0)


def test_a_key_that_sends_too_many_bytes_is_told_when_to_go_on(limited):
    key, part = limited.keys["all"], b" " * 2**15

    announced = [send(limited.app, key, "/v1/events", [part], [(b"content-length", b"32768")]) for _ in range(4)]
    endless = send(limited.app, limited.keys["north"], "/v1/events", itertools.repeat(part))

    assert [status for status, *_ in announced] == [422, 422, 422, 429]
    assert announced[3][1]["rule"] == "too_many_requests"
    assert announced[3][2] == 0
    assert endless[::2] == (429, 4)


def test_a_key_has_few_requests_under_way_and_others_are_answered_meanwhile(limited):
    def send_slowly(key, gate):
        async def receive():
            await gate.wait()
            return {"type": "http.request", "body": b"{}", "more_body": False}

        return ask_app(limited.app, limited.keys[key], "/v1/events", receive)

    async def run():
        gate = asyncio.Event()
        waiting = [asyncio.create_task(send_slowly("all", gate)) for _ in range(2)]
        await asyncio.sleep(0)
        refused = await send_slowly("all", asyncio.Event())
        gate.set()
        other = await send_slowly("north", gate)
        return [*(await asyncio.gather(*waiting)), refused, other, await send_slowly("all", gate)]

    statuses = [status for status, _ in asyncio.run(run())]

    assert statuses == [422, 422, 429, 422, 422]


def test_only_one_large_body_of_a_key_is_held_at_a_time(district):
    """The second is not read until the first is answered; small ones and those of other keys are."""

    async def run():
        gates = {name: asyncio.Event() for name in ("first", "second", "other")}
        asked = []

        def send_large(key, name):
            parts = iter([b"[" * 2**17, None])

            async def receive():
                part = next(parts)
                asked.append(name)
                if part is None:
                    await gates[name].wait()
                return {"type": "http.request", "body": part or b"", "more_body": part is not None}

            length = (b"content-length", str(2**17).encode())
            return ask_app(district.app, district.keys[key], "/v1/events", receive, [length])

        first, second = (asyncio.create_task(send_large("all", name)) for name in ("first", "second"))
        await asyncio.sleep(0.05)
        gates["other"].set()
        other = await send_large("north", "other")
        before = list(asked)
        gates["first"].set()
        gates["second"].set()
        return other, before, await first, await second

    other, before, first, second = asyncio.run(run())

    assert "second" not in before
    assert before.count("first") == 2
    assert [answer[0] for answer in (other, first, second)] == [422] * 3


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
