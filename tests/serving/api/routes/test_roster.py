"""The roster over HTTP: its lists page by page, and a roster put in place of the stored one or refused as a whole."""

import io
import zipfile

import pytest
from fastapi.testclient import TestClient

from features.roster import list_teams, read_team
from serving.app import create_app
from serving.audit.entries import list_entries
from serving.settings import Settings

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


LISTS = {
    "teams": ("team_id",), "staff": ("team_id", "staff_id"), "blocks": ("team_id", "block_id"), "skills": ("skill_id",),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_page_by_page_and_again_by_its_tag(district, name):
    client, key = district.client("all"), LISTS[name]
    whole = client.get(f"/v1/{name}?limit=100")
    rows, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/v1/{name}?limit=1{cursor and f'&cursor={cursor}'}").json()
        rows += page[name]
        cursor = page["next_cursor"]

    assert rows == whole.json()[name]
    assert len(rows) > 1
    ids = [tuple(row[part] for part in key) for row in rows]
    assert ids == sorted(set(ids))
    again = client.get(f"/v1/{name}?limit=100", headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = next(each for each in LISTS if each != name)
    first = client.get(f"/v1/{other}?limit=1").json()["next_cursor"]
    assert client.get(f"/v1/{name}?cursor={first}").json()["rule"] == "bad_cursor"


def test_lists_hold_what_the_caller_may_know_of(district):
    north = district.client("north")
    team = district.north["team_id"]

    assert [row["team_id"] for row in north.get("/v1/teams").json()["teams"]] == [team]
    for name in ("staff", "blocks"):
        own = north.get(f"/v1/{name}").json()[name]
        assert {row["team_id"] for row in own} == {team}
        assert own == district.client("all").get(f"/v1/{name}?team_id={team}").json()[name]
        theirs = north.get(f"/v1/{name}?team_id={district.south['team_id']}")
        assert (theirs.status_code, theirs.json()["rule"]) == (404, "unknown_team")
    counts = north.get("/v1/teams").json()["teams"][0]
    stored = read_team(district.database._url.render_as_string(), team)
    assert (counts["students"], counts["staff"]) == (len(stored.members), len(stored.staff))
    assert len(list_teams(district.database)) == 2
