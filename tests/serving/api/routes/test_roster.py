"""The roster over HTTP: put in place of the stored one or refused as a whole; events under the ids that it brings."""

import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from features.events.live.answers import LIVE_EVENTS
from features.roster import read_team
from features.roster.people.id_table import list_unmatched
from serving.app import create_app
from serving.audit.entries import list_entries
from serving.settings import Settings

MOMENT = datetime.now(UTC).isoformat()

POLICY = """[teams.t1]
classes = ["c1"]
[teams.t1.rooms]
r1 = { capacity = 30 }
[teams.t1.bells]
first = { days = ["mon"], start = "08:30", end = "09:15" }
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory, give_key):
    """A service on a home of its own, asked with a key for everything, and the key of one school beside it."""
    home = tmp_path_factory.mktemp("roster")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("REGROUP_DATABASE_URL", raising=False)
        app = create_app(Settings(REGROUP_HOME=home, events_body_bytes=50_000))
        url = app.state.settings.home.database_url()
        headers = {"Authorization": f"Bearer {give_key(url)}"}
        bound = give_key(url, schools=["school"])
        with TestClient(app, headers=headers, raise_server_exceptions=False) as client:
            client.url, client.bound = url, bound
            yield client


def class_list(*students, teacher="ana"):
    return "student,class,teacher\n" + "".join(f"{student},c1,{teacher}\n" for student in students)


def pack(csv, policy=POLICY):
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr("list.csv", csv)
        if policy is not None:
            archive.writestr("policy.toml", policy)
    return found.getvalue()


MANY = [f"s{at:02d}" for at in range(25)]


def test_a_roster_is_previewed_loaded_and_loaded_again(service):
    preview = service.put("/v1/rosters?preview=true", content=class_list(*MANY))
    asked = preview.json()
    assert (preview.status_code, asked["loaded"], asked["shape"]) == (200, False, "class list")
    students = next(change for change in asked["changes"] if change["kind"] == "students")
    assert (students["stored"], students["new"], students["new_ids"]) == (0, 25, MANY)
    assert "classes" in asked["questions"]
    assert service.put("/v1/rosters", content=class_list(*MANY)).json()["rule"] == "roster_questions"
    assert service.get("/v1/teams").json()["rule"] == "no_roster"

    loaded = service.put("/v1/rosters", content=pack(class_list(*MANY))).json()
    again = service.put("/v1/rosters", content=class_list(*MANY[1:], "new")).json()

    assert (loaded["loaded"], loaded["rows"]["members"], loaded["questions"]) == (True, 25, None)
    counts = next(change for change in again["changes"] if change["kind"] == "students")
    assert (counts["stored"], counts["new"], counts["gone"], counts["gone_ids"]) == (25, 1, 1, [])
    assert set(read_team(service.url, "t1").members) == {*MANY[1:], "new"}
    service.app.state.audit.flush()
    actions = [entry.action for entry in list_entries(service.app.state.database)]
    assert sorted(actions) == ["load_roster", "load_roster", "preview_roster"]


@pytest.mark.parametrize(
    ("query", "content", "status", "rule"),
    [
        ("", pack(class_list(*MANY[:20])), 422, "many_students_gone"),
        ("", pack(class_list(*MANY) + ",c1,ana\n"), 422, "roster_refused"),
        ("", pack(class_list(*MANY), POLICY.replace("c1", "c9")), 422, "roster_refused"),
        ("", pack(class_list(*MANY))[:200], 422, "roster_refused"),
        ("", b"", 422, "roster_refused"),
        ("", b"\xff\x00PK", 422, "roster_refused"),
        ("?as_of=soon", pack(class_list(*MANY)), 422, "invalid_request"),
        ("", b"x" * 60_000, 413, "body_too_large"),
    ],
)
def test_a_roster_that_is_refused_changes_nothing(service, query, content, status, rule):
    service.put("/v1/rosters?yes=true", content=pack(class_list(*MANY)))
    before = read_team(service.url, "t1")

    answer = service.put(f"/v1/rosters{query}", content=content)

    assert (answer.status_code, answer.json()["rule"]) == (status, rule)
    assert answer.json()["detail"]
    assert read_team(service.url, "t1") == before
    if rule == "many_students_gone":
        assert service.put("/v1/rosters?yes=true", content=content).json()["loaded"]


def test_a_key_that_is_bound_to_schools_replaces_no_roster(service):
    answer = service.put("/v1/rosters", content=b"", headers={"Authorization": f"Bearer {service.bound}"})

    assert (answer.status_code, answer.json()["rule"]) == (403, "all_schools_needed")


def test_standards_are_loaded_alone_by_the_id_that_was_said_once(service):
    items = [{"identifier": f"id-{code}", "humanCodingScheme": code, "fullStatement": code} for code in ("a", "b")]
    body = json.dumps({"CFDocument": {}, "CFItems": items, "CFAssociations": []}).encode()
    service.put("/v1/rosters?yes=true", content=pack(class_list(*MANY)))

    preview = service.put("/v1/rosters?preview=true", content=body).json()
    first = service.put("/v1/rosters?skill_id=identifier", content=body).json()
    again = service.put("/v1/rosters", content=body).json()

    assert [change["new_ids"] for change in preview["changes"]] == [["a", "b"], []]
    assert (first["shape"], first["rows"]) == ("skills", {"skills": 2, "prerequisites": 0})
    assert [(change["stored"], change["new"]) for change in again["changes"]] == [(2, 0), (0, 0)]
    assert [skill["skill_id"] for skill in service.get("/v1/skills").json()["skills"]] == ["id-a", "id-b"]
    assert set(read_team(service.url, "t1").members) == set(MANY)
    assert service.put("/v1/rosters?skill_id=code", content=body).json()["rule"] == "invalid_request"


def event(student, source="app"):
    return {"student_id": student, "source": source, "occurred_at": MOMENT, "item_id": "i", "score": 1}


def test_live_events_are_stored_under_the_ids_of_the_roster(service):
    rows = "".join(f"{student},{student.upper()}-x,c1,ana\n" for student in MANY)
    policy = f'[default]\nsources = {{ app = "user" }}\n{POLICY}'
    files = pack(f"student,user,class,teacher\n{rows}", policy)
    assert service.put("/v1/rosters?yes=true", content=files).json()["rows"]["ids"] == len(MANY)
    sent = [event("s01-X"), event("S02-x"), event("s03"), event("s03", "other"), event("stranger"), event("stranger")]

    answer = service.post("/v1/events", json={"events": sent}).json()

    assert (answer["stored"], [each["rule"] for each in answer["rejected"]]) == (3, ["unknown_student"] * 3)
    assert [each["index"] for each in answer["rejected"]] == [2, 4, 5]
    bound = {"Authorization": f"Bearer {service.bound}"}
    own = service.post("/v1/events", json={"events": [event("S04-x"), event("stranger")]}, headers=bound).json()
    assert (own["stored"], [each["index"] for each in own["rejected"]]) == (1, [1])
    with service.app.state.database.reading() as connection:
        stored = {row.student_id for row in connection.execute(select(LIVE_EVENTS))}
        unmatched = list_unmatched(connection)
    assert stored == {"s01", "s02", "s03", "s04"}
    assert unmatched == [("app", "stranger", 3), ("app", "s03", 1)]
