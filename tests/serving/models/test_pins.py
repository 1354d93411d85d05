"""Another model than the one that serves, asked for by name or followed in its shadow."""

import threading
import time

import pytest
from fastapi.testclient import TestClient

from serving.__main__ import main
from serving.app import create_app
from serving.models.registry import Champion

DAY = "2026-03-16"


@pytest.fixture
def client(two_versions, monkeypatch):
    """A service of the first run; the second is challenger and previous. Events came in since the night."""
    school, *_ = two_versions
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    monkeypatch.setenv("REGROUP_SHADOW", "true")
    with TestClient(create_app(), headers=school.headers) as client:
        events = [
            {
                "student_id": student,
                "occurred_at": f"2026-03-14T08:0{minute}:00Z",
                "item_id": "new",
                "score": minute % 2,
                "skill_ids": ["new-skill"],
            }
            for student in school.student_ids[:3]
            for minute in range(5)
        ]
        assert client.post("/v1/events", json={"events": events}).json()["stored"] == len(events)
        yield client


def answers(client, school, model=None):
    """What is said of a team and of a student, and the team's plan, without what differs from answer to answer."""
    team, named = school.team_ids[0], {} if model is None else {"model": model}
    plan = client.post("/v1/recommendations", json={"team_id": team, "date": DAY}, params=named).json()
    return [{each: plan[each] for each in plan.keys() - {"id", "created_at"}}] + [
        client.get(address, params=named).json()
        for address in (
            f"/v1/teams/{team}/board",
            f"/v1/teams/{team}/forecasts",
            f"/v1/students/{school.student_ids[0]}/profile",
        )
    ]


def test_a_pinned_model_says_what_it_says_when_it_serves(client, two_versions):
    """To the last digit: profiles from the log are those that were published."""
    school, tracking, first, second = two_versions
    serving = answers(client, school)

    pinned = answers(client, school, "challenger")
    board = f"/v1/teams/{school.team_ids[0]}/board"
    boards = {each: client.get(board, params={"model": each}).json() for each in ("champion", "previous", second)}
    tracking.promote(second)
    assert client.app.state.snapshots.refresh()

    assert {each["provenance"]["model"]["run_id"] for each in serving} == {first}
    assert pinned == answers(client, school)
    assert pinned != serving
    assert boards == {"champion": serving[1], "previous": pinned[1], second: pinned[1]}


@pytest.mark.parametrize(("model", "rule"), [("nobody", "unknown_model"), ("0' or '1", "invalid_request")])
def test_a_model_that_nobody_registered_is_refused(client, two_versions, model, rule):
    team = two_versions[0].team_ids[0]

    asked = [
        client.get(f"/v1/teams/{team}/board", params={"model": model}),
        client.post("/v1/recommendations", json={"team_id": team, "date": DAY}, params={"model": model}),
    ]

    assert [(each.status_code, each.json()["rule"]) for each in asked] == [(422, rule)] * 2


def test_a_key_of_one_model_is_not_a_key_of_another(client, two_versions):
    body = {"team_id": two_versions[0].team_ids[0], "date": DAY}
    key = {"Idempotency-Key": "monday"}

    codes = [
        client.post("/v1/recommendations", json=body, headers=key, params=named).status_code
        for named in ({}, {"model": "challenger"}, {})
    ]

    assert codes == [201, 422, 201]


def test_a_bundle_has_its_own_run_only(two_versions, tmp_path, monkeypatch):
    school, _, first, second = two_versions
    main(["export", str(tmp_path / "bundle")])
    monkeypatch.setenv("REGROUP_BUNDLE", str(tmp_path / "bundle"))
    with TestClient(create_app(), headers=school.headers) as client:
        board = f"/v1/teams/{school.team_ids[0]}/board"

        codes = [client.get(board, params={"model": each}).status_code for each in (first, second, "challenger")]

    assert codes == [200, 422, 422]


def test_models_are_read_once_however_many_ask_and_two_are_kept(client, two_versions):
    _, _, first, second = two_versions
    pins, found = client.app.state.views._pins, []
    other = Champion("nobody", {})
    askers = [threading.Thread(target=lambda: found.append(pins.find(second, other))) for _ in range(4)]

    for each in askers:
        each.start()
    for each in askers:
        each.join()

    assert len({id(each) for each in found}) == 1
    assert pins.find(first, other) is not found[0]
    assert pins.find(second, other) is found[0]


def test_the_challengers_disagreement_is_counted_and_logged_and_nothing_else(client, two_versions, caplog):
    school, _, first, second = two_versions
    caplog.set_level("INFO", "regroup")

    board = client.get(f"/v1/teams/{school.team_ids[0]}/board").json()

    deadline = time.monotonic() + 30
    while "shadow: " not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (told,) = [each.getMessage() for each in caplog.records if each.getMessage().startswith("shadow: ")]
    metrics = client.get("/metrics").text
    assert board["provenance"]["model"]["run_id"] == first
    assert told.startswith(f"shadow: run {first} and challenger {second}: ")
    assert not any(each in told for each in school.student_ids)
    values = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line.startswith("regroup_shadow"))
    assert float(values["regroup_shadow_forecasts_total"]) > 0
    assert float(values["regroup_shadow_difference_total"]) > 0
