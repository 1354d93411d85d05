"""Statements as clients of a learning record store send them: ids, versions, conflicts, and statements taken back."""

import base64
import json
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from features.database import Database
from features.events.ingest import ingest_file
from features.events.live.answers import LIVE_EVENTS, VOIDED_STATEMENTS
from features.events.live.ingest import ingest_live_events
from features.events.log.store import read_events
from features.home import read_home
from serving.app import create_app
from serving.intake.xapi import hash_content

ADL = "http://adlnet.gov/expapi"
FIRST, SECOND = "1B2E7F5E-5a2e-4b3b-9f0e-0c5f7a6f1a11", "1b2e7f5e-5a2e-4b3b-9f0e-0c5f7a6f1a12"
VERSION = {"X-Experience-API-Version": "1.0.3"}
AT = "/v1/events/xapi/statements"


def answered(**changes):
    return {
        "id": FIRST,
        "actor": {"account": {"homePage": "https://sis.example", "name": "s0412"}},
        "verb": {"id": f"{ADL}/verbs/answered", "display": {"en": "answered"}},
        "object": {"id": "https://app.example/items/1"},
        "result": {"success": True},
        "timestamp": "2026-03-16T08:15:02Z",
    } | changes


def voiding(statement_id, **changes):
    return {
        "id": "1b2e7f5e-5a2e-4b3b-9f0e-0c5f7a6f1aff",
        "actor": {"mbox": "mailto:admin@lms.example"},
        "verb": {"id": f"{ADL}/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": statement_id},
    } | changes


@pytest.fixture(scope="module")
def service(give_key, tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('live') / 'regroup.db'}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REGROUP_DATABASE_URL", url)
        environment.setenv("REGROUP_HOME", str(tmp_path_factory.mktemp("home")))
        environment.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path_factory.mktemp('none') / 'mlflow.db'}")
        Database(url).migrate()
        headers, of_a_school = {"Authorization": f"Bearer {give_key(url)}"}, give_key(url, schools=["North"])
        with TestClient(create_app(), raise_server_exceptions=False, headers=headers) as client:
            client.of_a_school = of_a_school
            yield client


@pytest.fixture
def client(service):
    with service.app.state.database.changing() as connection:
        connection.execute(LIVE_EVENTS.delete())
        connection.execute(VOIDED_STATEMENTS.delete())
    return service


def post(client, body, headers=VERSION):
    return client.post(AT, json=body, headers=headers)


def put(client, statement_id, body):
    return client.put(AT, params={"statementId": statement_id}, json=body, headers=VERSION)


def stored(client):
    with client.app.state.database.reading() as connection:
        rows = connection.execute(select(LIVE_EVENTS).order_by(LIVE_EVENTS.c.sequence)).all()
    return [json.loads(row.event) for row in rows]


def test_a_statement_put_again_is_the_same_in_any_case_and_another_one_a_conflict(client):
    no_time = {name: value for name, value in answered().items() if name not in {"id", "timestamp"}}
    first = put(client, FIRST, no_time)
    again = put(client, FIRST.lower(), no_time | {"id": FIRST.upper(), "stored": "2026-03-16T09:00:00Z"})
    others = [
        put(client, FIRST, no_time | change)
        for change in (
            {"result": {"success": False}},
            {"result": {"success": True, "duration": "PT3S"}},
            {"actor": {"mbox": "mailto:another"}},
        )
    ]
    wrong = put(client, FIRST, answered(id=SECOND)), put(client, FIRST, [answered()]), put(client, "", answered())

    assert (first.status_code, first.content, first.headers["X-Experience-API-Version"]) == (204, b"", "1.0.3")
    assert again.status_code == 204
    assert [answer.status_code for answer in others] == [409, 409, 409]
    assert others[0].json()["rejected"][0]["rule"] == "conflicting_statement"
    assert [answer.status_code for answer in wrong] == [400, 400, 400]
    assert len(stored(client)) == 1


def test_a_batch_is_stored_whole_and_answered_by_its_ids(client):
    launched = answered(id=SECOND, verb={"id": f"{ADL}/verbs/launched"}, result=None)
    nameless = {name: value for name, value in answered().items() if name != "id"}

    whole = post(client, [answered(), launched, nameless])
    again = post(client, answered())
    broken = post(client, [answered(id=SECOND), answered(id="x", actor={})])
    conflict = post(client, [answered(id=SECOND), answered(result={"success": False})])

    assert whole.json()[:2] == [FIRST, SECOND]
    assert UUID(whole.json()[2])
    assert (again.status_code, again.json()) == (200, [FIRST])
    assert (broken.status_code, broken.json()["rejected"][0]["field"]) == (400, "actor")
    assert (conflict.status_code, conflict.json()["rejected"][0]["index"]) == (409, 1)
    assert len(stored(client)) == 2


def test_a_client_says_its_version_and_may_sign_with_a_password(client):
    key = client.headers["Authorization"].split()[1]
    basic = {"Authorization": "Basic " + base64.b64encode(f"lms:{key}".encode()).decode()}
    refused = [post(client, answered(), headers) for headers in ({}, {"X-Experience-API-Version": "0.95"})]
    taken = [post(client, answered(), basic | {"X-Experience-API-Version": version}) for version in ("1.0", "2.0.0")]

    assert [(answer.status_code, answer.headers["X-Experience-API-Version"]) for answer in refused] == 2 * [
        (400, "1.0.3")
    ]
    assert [answer.status_code for answer in taken] == [200, 200]
    for text in ("Basic x", "Basic " + base64.b64encode(b"lms:rg_no_key").decode()):
        assert post(client, answered(), VERSION | {"Authorization": text}).status_code == 401


@pytest.mark.parametrize("before", [False, True])
def test_a_voided_answer_is_gone_whether_it_comes_before_or_after(client, before):
    both = [answered(), voiding(FIRST.upper())]
    for statement in reversed(both) if before else both:
        assert post(client, statement).status_code == 200

    assert stored(client) == []
    again = client.post("/v1/events/xapi", json=[answered(), answered(id=SECOND)])
    assert (again.json()["stored"], again.json()["voided"]) == (1, 1)


def test_one_batch_may_hold_both_and_a_key_of_a_school_voids_only_its_own(client):
    post(client, answered())
    foreign = post(client, voiding(FIRST), VERSION | {"Authorization": f"Bearer {client.of_a_school}"})
    held = len(stored(client))
    both = client.post("/v1/events/xapi", json=[voiding(SECOND), answered(id=SECOND)])

    assert (foreign.status_code, foreign.json()["rejected"][0]["rule"], held) == (400, "unknown_statement", 1)
    assert (both.json()["stored"], both.json()["voided"], len(stored(client))) == (0, 2, 1)


def test_what_the_log_holds_goes_with_the_night_and_a_file_voids_what_came_over_http(client, tmp_path):
    post(client, [answered(), answered(id=SECOND, result={"success": False})])
    ingest_live_events(read_home(), client.app.state.database)
    post(client, voiding(FIRST))

    ingest_live_events(read_home(), client.app.state.database)

    assert read_events(read_home())["score"].tolist() == [0.0]
    path = tmp_path / "voids.json"
    path.write_text(json.dumps([voiding(SECOND)]))
    counts = ingest_file(read_home(), path)
    assert (counts.unused, read_events(read_home()).empty) == ({"voiding statement": 1}, True)
    assert counts.notes[-1] == "1 stored events are gone: their statements were voided"
    assert stored(client) == []


@pytest.mark.parametrize("change", [{"version": "1.0.0"}, {"id": "other"}, {"verb": {"id": f"{ADL}/verbs/answered"}}])
def test_what_a_store_adds_is_no_other_content(change):
    assert hash_content(answered()) == hash_content(answered() | change)
    assert hash_content(answered()) != hash_content(answered(object={"id": "y"}))
