"""Every route of the application, whoever asks: nobody learns of what is not theirs."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from features.roster.tables import TEAMS, count_change
from serving.api.middleware.authenticate import OPEN
from serving.audit.entries import list_entries
from serving.audit.spool import Spool

MONDAY = "2026-03-16"
NOWHERE = {"team_id": "nowhere", "student_id": "nobody", "recommendation_id": "0" * 32}
NO_FORECASTS = {"/v1/models", "/v1/teams", "/v1/staff", "/v1/blocks", "/v1/skills"}
"""Routes that show no forecast of anybody, so that nothing is noted about reading them."""


def read(answer):
    """All of an answer but what differs from request to request."""
    body = answer.json()
    if answer.is_error:
        assert body.pop("request_id") == answer.headers["x-request-id"]
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "ratelimit"}}
    return answer.status_code, headers, body


@pytest.mark.parametrize("key", [None, "unknown", "wrong_secret", "expired", "revoked"])
def test_without_a_key_that_counts_every_route_says_the_same(district, routes, key):
    client = district.client(key)
    answers = [read(route.ask(client, ids)) for route in routes for ids in (district.north, NOWHERE)]
    answers += [read(client.get(address)) for address in ("/v1/nothing", "/redoc", "/")]

    assert answers[0][0] == 401
    assert answers[0][1]["www-authenticate"] == "Bearer"
    assert answers[0][2]["rule"] == ("key_missing" if key is None else "key_refused")
    assert all(answer == answers[0] for answer in answers)


def test_every_route_refuses_keys_of_other_scopes_without_looking(district, routes):
    for route in routes:
        for scope in {"read", "plan", "load", "names", "admin"} - {route.scope}:
            client = district.client(f"only_{scope}")

            there, nowhere = (read(route.ask(client, ids)) for ids in (district.north, NOWHERE))

            assert there == nowhere, route.path
            assert (there[0], there[2]["rule"]) == (403, "scope_missing"), route.path


@pytest.mark.parametrize("key", ["north", "north_team"])
def test_what_another_school_or_team_has_is_answered_as_what_does_not_exist(district, routes, key):
    client = district.client(key)
    compared = 0
    for route in routes:
        theirs, nowhere = (read(route.ask(client, ids)) for ids in (district.south, NOWHERE))

        assert theirs == nowhere, route.path
        compared += theirs[0] == 404
    assert compared >= 4


def test_a_student_without_a_team_is_seen_by_keys_for_all_teams_only(district):
    address = f"/v1/students/{district.unplaced}/profile"

    assert district.client("all").get(address).json()["team_id"] is None
    for key in ("north", "north_team"):
        client = district.client(key)
        assert read(client.get(address)) == read(client.get("/v1/students/x/profile"))
    assert district.client("south").get(address).status_code == 404


def test_no_answer_to_a_school_holds_anything_of_another(district, routes):
    clients = st.sampled_from(["north", "north_team"]).map(district.client)
    whose = st.sampled_from([district.north, district.south, NOWHERE])

    @settings(max_examples=60)
    @given(client=clients, at=st.integers(0, len(routes) - 1), parts=st.tuples(whose, whose, whose))
    def ask(client, at, parts):
        route = routes[at]  # drawn by its place: what is drawn is told in full, and a route holds the contract
        ids = {name: part[name] for name, part in zip(NOWHERE, parts, strict=True)}

        answer = route.ask(client, ids)

        assert answer.status_code < 500 or answer.status_code == 503
        words = set(re.findall(r"[\w.-]+", answer.text + json.dumps(dict(answer.headers))))
        assert not words & (district.of_south - set(ids.values()))  # a word of the caller's own may come back

    ask()


def test_open_addresses_hold_no_id(district):
    """Metrics too are read after requests about students."""
    client = district.client()
    district.client("all").get(f"/v1/students/{district.north['student_id']}/profile")

    for address in OPEN:
        answer = client.get(address)

        words = set(re.findall(r"[\w.-]+", answer.text))
        assert answer.status_code == 200
        assert not words & ({*district.students, *district.north.values()} | district.of_south)


def test_what_shows_forecasts_or_decides_is_kept_in_the_audit_log(district, routes):
    client = district.client("north")
    key_id = district.keys["north"].split("_")[1]
    shown = 0
    for at, route in enumerate(routes):
        answer = route.ask(client, district.north, **{"X-Request-ID": f"audited-{at}"})
        district.app.state.audit.flush()

        entries = [entry for entry in list_entries(district.database) if entry.request_id == f"audited-{at}"]
        if answer.is_success and route.scope in {"read", "plan"} and route.path not in NO_FORECASTS:
            assert entries, f"{route.method} {route.path} notes nothing"
            assert all(entry.key_id == key_id and entry.team_id == district.north["team_id"] for entry in entries)
            shown += 1
        elif route.path in NO_FORECASTS:
            assert not entries
    assert shown >= 4


def test_nothing_is_shown_that_cannot_be_noted(district, tmp_path, monkeypatch):
    (tmp_path / "audit").write_text("no folder")
    client, address = district.client("north"), f"/v1/teams/{district.north['team_id']}/board"

    with monkeypatch.context() as disk:
        disk.setattr(district.app.state.audit, "_spool", Spool(tmp_path / "audit"))
        answer = client.get(address)

    assert (answer.status_code, answer.json()["rule"]) == (503, "audit_not_kept")
    assert answer.headers["retry-after"]
    assert district.north["student_id"] not in answer.text
    assert client.get(address).status_code == 200


def test_a_repeated_request_is_noted_and_judged_by_what_the_caller_may_see_now(district, tmp_path, monkeypatch):
    """Also where no entry can be kept on disk: those of plans are in the transaction that stores or shows them."""
    (tmp_path / "audit").write_text("no folder")
    client, team = district.client("north"), district.north["team_id"]
    body = {"team_id": team, "date": MONDAY, "seconds": 0.05}

    def ask(at, address="/v1/recommendations", sent=body):
        headers = {"Idempotency-Key": "repeated", "X-Request-ID": f"repeated-{at}"}
        return client.post(address, json=sent, headers=headers)

    def move_to(school):
        with district.database.changing() as connection:
            connection.execute(update(TEAMS).where(TEAMS.c.team_id == team).values(school=school))
            count_change(connection)

    with monkeypatch.context() as disk:
        disk.setattr(district.app.state.audit, "_spool", Spool(tmp_path / "audit"))
        answers = [ask(at) for at in range(3)]
    decided = ask(3, f"{answers[0].headers['location']}/decision", {"decision": "rejected"})
    move_to("South")
    try:
        moved = [ask(4), client.get(answers[0].headers["location"])]
        refused = ask(5, f"{answers[0].headers['location']}/decision", {"decision": "rejected"})
    finally:
        move_to("North")

    assert [answer.status_code for answer in (*answers, decided, *moved, refused)] == [201] * 3 + [200] + [404] * 3
    noted = {entry.request_id: entry for entry in list_entries(district.database)}
    actions = [noted[f"repeated-{at}"].action for at in range(4)]
    assert actions == ["suggest", "read_recommendation", "read_recommendation", "decide"]
    assert {noted[f"repeated-{at}"].subject for at in range(4)} == {answers[0].json()["id"]}
    assert not {"repeated-4", "repeated-5"} & noted.keys()
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
