"""xAPI statements and Caliper envelopes over HTTP: translated and stored, refused clearly, or left aside."""

import json
import random
from datetime import UTC, datetime

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from features.database import Database
from features.events.checks import check_rows
from features.events.live.answers import LIVE_EVENTS
from features.lengths import LONGEST_ADDRESS, LONGEST_ID
from features.logs import open_log
from serving.app import create_app
from tests.features.test_fuzz import mutate

ADL = "http://adlnet.gov/expapi"
ANSWERED = {
    "id": "1b2e7f5e-5a2e-4b3b-9f0e-0c5f7a6f1a11",
    "actor": {"objectType": "Agent", "account": {"homePage": "https://sis.example", "name": "s0412"}},
    "verb": {"id": f"{ADL}/verbs/answered", "display": {"en": "answered"}},
    "object": {"id": "https://app.example/items/frac-17", "definition": {"type": f"{ADL}/activities/cmi.interaction"}},
    "result": {"score": {"scaled": 0.5}, "success": False, "duration": "PT1M12.5S", "response": "3/4"},
    "context": {
        "contextActivities": {
            "grouping": {"id": "https://app.example/skills/add", "definition": {"type": f"{ADL}/activities/objective"}},
            "parent": [{"id": "https://app.example/units/7", "definition": {"type": f"{ADL}/activities/course"}}],
        }
    },
    "timestamp": "2026-03-16T08:15:02.250Z",
}
GRADED = {
    "id": "urn:uuid:3a648e68-f00d-4c08-aa59-8738e1884f2c",
    "type": "GradeEvent",
    "actor": "https://app.example/autograder",
    "action": "Graded",
    "object": {
        "id": "https://app.example/attempts/5678",
        "type": "Attempt",
        "assignee": {"id": "https://school.example/students/s0412", "type": "Person"},
        "assignable": {
            "id": "https://app.example/items/frac-17",
            "learningObjectives": ["https://app.example/skills/add", {"id": "https://app.example/skills/carry"}],
        },
        "count": 2,
        "endedAtTime": "2026-03-16T08:15:02.250Z",
        "duration": "PT12S",
    },
    "generated": {"type": "Score", "scoreGiven": 3.0, "maxScore": 4.0},
    "eventTime": "2026-03-16T23:00:00.000Z",
}
NAMES = {
    "source": "practice-app",
    "student_prefix": "https://school.example/students/",
    "item_prefix": "https://app.example/items/",
    "skill_prefix": "https://app.example/skills/",
}
NOTHING = {
    **dict.fromkeys(("stored", "known", "erased", "voided", "nulled", "ignored"), 0),
    "ignored_kinds": {},
    "notes": [],
    "rejected": [],
}


@pytest.fixture(scope="module")
def client(give_key, tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('live') / 'regroup.db'}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REGROUP_DATABASE_URL", url)
        environment.setenv("REGROUP_HOME", str(tmp_path_factory.mktemp("home")))
        environment.setenv("REGROUP_PER_MINUTE", "1000000")  # a test at length sends thousands
        environment.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path_factory.mktemp('none') / 'mlflow.db'}")
        Database(url).migrate()
        headers = {"Authorization": f"Bearer {give_key(url)}"}
        with TestClient(create_app(), raise_server_exceptions=False, headers=headers) as client:
            yield client


@pytest.fixture(autouse=True)
def empty(client):
    with client.app.state.database.changing() as connection:
        connection.execute(LIVE_EVENTS.delete())


def post(client, standard, body, query):
    text = json.dumps(body)  # which, unlike the client, writes numbers that JSON does not have
    headers = {"Content-Type": "application/json"}
    return client.post(f"/v1/events/{standard}", content=text, params=NAMES | query, headers=headers)


def xapi(client, *statements, **query):
    return post(client, "xapi", list(statements), query)


def caliper(client, *events, version="http://purl.imsglobal.org/ctx/caliper/v1p1", **query):
    envelope = {"sensor": "https://app.example", "sendTime": "2026-03-16T23:00:01.000Z", "dataVersion": version}
    return post(client, "caliper", envelope | {"data": list(events)}, query)


def stored(client):
    with client.app.state.database.reading() as connection:
        rows = connection.execute(select(LIVE_EVENTS).order_by(LIVE_EVENTS.c.sequence)).all()
    return [json.loads(row.event) for row in rows]


def count_stored(client):
    with client.app.state.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(LIVE_EVENTS)).scalar()


def test_the_same_answer_is_the_same_whichever_way_it_comes(client):
    native = {
        "event_id": "r1",
        "student_id": "s0412",
        "occurred_at": "2026-03-16T08:15:02.250Z",
        "item_id": "frac-17",
        "score": 0.75,
        "source": "practice-app",
        "duration_s": 12,
        "attempt": 2,
        "skill_ids": ["add", "carry"],
    }
    client.post("/v1/events", json={"events": [native]})
    caliper(client, GRADED | {"id": "r1"})
    (held,) = stored(client)

    answer = caliper(client, GRADED)

    assert answer.json() == NOTHING | {"stored": 1}
    differs = {"event_id", "event_key"}
    (first, second) = ({k: v for k, v in event.items() if k not in differs} for event in (held, stored(client)[1]))
    assert first == second


def test_a_statement_is_an_answer_with_its_skills(client):
    answer = xapi(client, ANSWERED)

    assert answer.json() == NOTHING | {"stored": 1}
    (event,) = stored(client)
    translated = {
        name: event[name] for name in ("student_id", "kind", "item_id", "score", "correct", "duration_s", "skills")
    }
    assert translated == {
        "student_id": "s0412",
        "kind": "response",
        "item_id": "frac-17",
        "score": 0.5,
        "correct": False,
        "duration_s": 72.5,
        "skills": "add",
    }
    assert xapi(client, ANSWERED).json() == NOTHING | {"known": 1}


@pytest.mark.parametrize(
    ("changes", "kind", "score"),
    [
        ({"result": {"score": {"raw": 3, "min": 1, "max": 5}}}, "response", 0.5),
        ({"result": {"success": True}}, "response", 1.0),
        ({"verb": {"id": f"{ADL}/verbs/completed"}, "result": {"completion": True}}, "lesson", None),
        ({"verb": {"id": "https://w3id.org/xapi/video/verbs/paused"}, "result": None}, "video", None),
        ({"verb": {"id": "https://w3id.org/xapi/adl/verbs/logged-in"}, "result": None}, "login", None),
        ({"actor": {"mbox": "mailto:s0412"}}, "response", 0.5),
    ],
)
def test_verbs_and_scores_are_read(client, changes, kind, score):
    assert xapi(client, ANSWERED | changes).json()["stored"] == 1

    (event,) = stored(client)
    assert (event["kind"], event["score"], event["student_id"]) == (kind, score, "s0412")


@pytest.mark.parametrize("verb", ["https://w3id.org/xapi/acrossx/verbs/evaluated", f"{ADL}/verbs/attempted", "x:y"])
def test_what_has_a_result_is_an_answer_whatever_its_verb_and_has_its_attempt(client, verb):
    attempt = {"http://id.tincanapi.com/extension/attempt-id": 3}
    item = {"id": "q", "definition": {"extensions": attempt}}

    answer = xapi(client, ANSWERED | {"verb": {"id": verb}, "object": item})

    assert answer.json() == NOTHING | {"stored": 1}
    assert [(event["kind"], event["attempt"], event["correct"]) for event in stored(client)] == [("response", 3, False)]


def test_one_statement_alone_and_the_answer_of_a_record_store_are_taken(client):
    alone = post(client, "xapi", ANSWERED, {})
    listed = post(client, "xapi", {"statements": [ANSWERED, ANSWERED | {"id": "other"}], "more": ""}, {})

    assert (alone.json()["stored"], listed.json()["known"], listed.json()["stored"]) == (1, 1, 1)
    assert post(client, "xapi", {"statements": []}, {}).status_code == 422
    assert post(client, "xapi", "statement", {}).status_code == 422


def test_work_without_answers_is_read_from_caliper(client):
    actor = "https://school.example/students/s0412"
    used = {
        "type": "ToolUseEvent",
        "action": "Used",
        "actor": {"id": actor},
        "object": "https://app.example",
        "generated": {"items": [{"metric": "MinutesOnTask", "metricValue": 20}]},
        "eventTime": "2026-03-16T09:00:00Z",
    }
    watched = {"type": "MediaEvent", "action": "Ended", "actor": actor, "object": "https://app.example/items/film"}
    entered = {"type": "SessionEvent", "action": "LoggedIn", "actor": actor, "eventTime": "2026-03-16T08:00:00Z"}
    other = {"type": "NavigationEvent", "action": "NavigatedTo", "actor": actor, "object": "https://app.example/x"}
    described = {"id": actor, "type": "Person"}

    answer = caliper(client, used, watched | {"eventTime": "2026-03-16T10:00:00Z"}, entered, other, described)

    assert answer.json() == NOTHING | {
        "stored": 3,
        "ignored": 2,
        "ignored_kinds": {"navigationevent navigatedto": 1, "person": 1},
    }
    assert [(event["kind"], event["item_id"], event["duration_s"]) for event in stored(client)] == [
        ("lesson", None, 1200.0),
        ("video", "film", None),
        ("login", None, None),
    ]


def test_what_cannot_be_read_is_refused_by_its_place_in_the_batch(client):
    answer = xapi(
        client,
        {"verb": {"id": f"{ADL}/verbs/launched"}, "actor": {}, "object": {"id": "x"}},
        ANSWERED | {"actor": {}},
        ANSWERED | {"result": {"score": {"scaled": -1}}},
        ANSWERED | {"result": {"success": True, "duration": "P1Y"}},
        ANSWERED | {"verb": {"id": f"{ADL}/verbs/voided"}, "object": {"objectType": "StatementRef"}},
        ANSWERED | {"timestamp": "2026-03-16T08:15:02"},
        "statement",
        ANSWERED | {"id": "another"},
    )
    no_student = caliper(client, GRADED | {"object": {"assignable": "x"}})
    no_score = caliper(client, GRADED | {"generated": {"scoreGiven": 3}})

    assert [(event["index"], event["rule"], event["field"]) for event in answer.json()["rejected"]] == [
        (1, "no_student", "actor"),
        (2, "score_out_of_range", "score"),
        (4, "voiding", "object.id"),
        (5, "unknown_time_zone", "occurred_at"),
        (6, "invalid_event", "event"),
    ]
    assert (answer.json()["stored"], answer.json()["nulled"], answer.json()["ignored_kinds"]) == (2, 1, {"launched": 1})
    assert no_student.status_code == 422
    assert no_student.json()["rejected"][0]["field"] == "object.assignee"
    assert no_score.json()["rejected"][0]["rule"] == "no_score"
    assert xapi(client, ANSWERED, "statement", atomic=True).status_code == 422
    assert len(stored(client)) == 2


def test_an_envelope_of_another_version_or_without_data_is_refused(client):
    strange = caliper(client, GRADED, version="http://purl.imsglobal.org/ctx/caliper/v2p0")

    assert (strange.status_code, strange.json()["field"]) == (422, "dataVersion")
    assert caliper(client).status_code == 422
    assert xapi(client).status_code == 422
    assert stored(client) == []


@pytest.mark.parametrize(
    ("field", "length", "taken"),
    [
        *[("student_id", LONGEST_ID, True), ("student_id", LONGEST_ID + 1, False)],
        *[("item_id", LONGEST_ADDRESS, True), ("item_id", LONGEST_ADDRESS + 1, False)],
        *[("skill", LONGEST_ID, True), ("skill", LONGEST_ID + 1, False)],
        *[("event_id", LONGEST_ADDRESS, True), ("event_id", LONGEST_ADDRESS + 1, False)],
    ],
)
def test_an_id_of_any_length_is_taken_at_every_door_or_at_none(client, tmp_path, field, length, taken):
    value = dict.fromkeys(("student_id", "item_id", "skill", "event_id"), "x") | {field: "é" * length}
    moment = "2026-03-16T08:15:02Z"
    grouping = {"id": value["skill"], "definition": {"type": "x/objective"}}
    statement = ANSWERED | {
        "id": value["event_id"],
        "actor": {"account": {"name": value["student_id"]}},
        "object": {"id": value["item_id"]},
        "context": {"contextActivities": {"grouping": grouping}},
    }
    given = {"object": {"assignee": value["student_id"]}, "id": value["event_id"]}
    given["object"]["assignable"] = {"id": value["item_id"], "learningObjectives": [value["skill"]]}
    native = {"student_id": value["student_id"], "item_id": value["item_id"], "skill_ids": [value["skill"]]}
    table, mapping, lines = tmp_path / "log.csv", tmp_path / "log.toml", tmp_path / "log.json"
    table.write_text(f"student_id,item_id,skill,event_id,time,right\n{','.join(value.values())},{moment},1\n")
    mapping.write_text(
        '[columns]\nstudent = "student_id"\nitem = "item_id"\nskills = "skill"\nevent_id = "event_id"\n'
        'time = "time"\ncorrect = "right"\n'
    )
    lines.write_text(json.dumps(statement))

    statuses = [
        client.post(
            "/v1/events",
            json={"events": [native | {"event_id": value["event_id"], "occurred_at": moment, "correct": True}]},
        ),
        xapi(client, statement, source="a"),
        caliper(client, GRADED | given, source="b"),
    ]
    now = datetime.now(UTC)
    of_files = [
        check_rows(pd.concat(open_log(path, mapping=said).chunks()), "c", now).rejected["rejected"].tolist()
        for path, said in ((table, mapping), (lines, None))
    ]

    assert [answer.status_code for answer in statuses] == 3 * [200 if taken else 422]
    assert of_files == 2 * [[] if taken else ["too_long"]]


@pytest.mark.parametrize("requests", [3, pytest.param(240, marks=pytest.mark.long)])
def test_mutated_statements_and_events_are_stored_left_aside_or_refused(client, requests):
    """Fifty in a request, a third of them whole, at each door in turn."""
    chance, at_once = random.Random(17), 50
    for number in range(requests):
        make = (ANSWERED, GRADED, ANSWERED)[number % 3]
        whole = [make | {"id": f"good {number} {each}"} for each in range(at_once)]
        sent = [document if each % 3 == 0 else mutate(chance, document) for each, document in enumerate(whole)]
        if number % 3 == 2:  # all or none, so in pairs
            for pair in zip(sent[::2], sent[1::2], strict=True):
                before = count_stored(client)
                headers = {"X-Experience-API-Version": "1.0.3"}
                answer = client.post("/v1/events/xapi/statements", content=json.dumps(pair), headers=headers)
                assert answer.status_code in {200, 400, 409}
                assert answer.status_code == 200 or count_stored(client) == before
        else:
            before = count_stored(client)
            answer = (xapi, caliper)[number % 3](client, *sent)
            assert answer.status_code in {200, 422}
            counts = answer.json()
            told = sum(counts[name] for name in ("stored", "known", "erased", "voided", "ignored"))
            assert told + len(counts["rejected"]) + sum(is_voiding(each) for each in sent) >= at_once
            assert count_stored(client) == before + counts["stored"]
            assert counts["stored"] >= at_once // 3
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"


def is_voiding(document) -> bool:
    verb = document.get("verb") if isinstance(document, dict) else None
    return isinstance(verb, dict) and str(verb.get("id")).rpartition("/")[2] == "voided"
