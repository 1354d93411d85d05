"""Display names: in boards and plans for keys with the scope, noted, and nowhere else; it works without them."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from features.home import Home
from features.roster import read_team
from features.roster.people.vault import Vault
from serving.app import create_app
from serving.audit.entries import list_entries
from serving.store.tables import RECOMMENDATIONS

MONDAY = "2026-03-16"


@pytest.fixture
def named(own_school, give_key, tmp_path, monkeypatch):
    """The school with a vault, a client with the scope, and one without."""
    monkeypatch.setenv("REGROUP_VAULT", str(tmp_path / "vault.db"))
    url = Home(own_school.home).database_url()
    team = read_team(url, own_school.team_ids[0])
    people = {("student", name): f"Name of {name}" for name in team.members}
    people |= {("adult", adult.staff_id): f"Name of {adult.staff_id}" for adult in team.staff}
    with Vault(tmp_path / "vault.db").replacing() as put:
        put(people.keys(), people)
    keys = [give_key(url), give_key(url, ["read", "plan"])]
    with TestClient(create_app(), headers={"Authorization": f"Bearer {keys[0]}"}) as client:
        client.app.state.snapshots.refresh()
        yield client, TestClient(client.app, headers={"Authorization": f"Bearer {keys[1]}"}), team


def test_boards_and_plans_show_names_to_keys_with_the_scope_and_store_none(named, tmp_path):
    client, plain, team = named
    day = {"team_id": team.team_id, "date": MONDAY, "seconds": 0.05}
    board = f"/v1/teams/{team.team_id}/board"

    made = client.post("/v1/recommendations", json=day, headers={"Idempotency-Key": "k"})
    shown = [
        made,
        client.post("/v1/recommendations", json=day, headers={"Idempotency-Key": "k"}),
        client.get(made.headers["location"]),
        client.get(board),
    ]
    hidden = [plain.post("/v1/recommendations", json=day), plain.get(made.headers["location"]), plain.get(board)]

    for answer in shown:
        names = answer.json()["names"]
        assert [each["student_id"] for each in names["students"]] == list(team.members)
        assert all(each["name"] == f"Name of {each['student_id']}" for each in names["students"])
        assert {each["staff_id"] for each in names["staff"]} == {adult.staff_id for adult in team.staff}
    assert shown[1].headers["idempotency-replayed"] == "true"
    assert [answer.json()["names"] for answer in hidden] == [None] * 3
    assert not [answer for answer in hidden if "Name of" in answer.text]
    again = client.get(board, headers={"If-None-Match": shown[3].headers["etag"]})
    assert (again.status_code, shown[3].headers["etag"] == hidden[2].headers["etag"]) == (304, False)
    client.app.state.audit.flush()
    noted = [entry for entry in list_entries(client.app.state.database) if entry.action == "show_names"]
    assert [entry.team_id for entry in noted] == [team.team_id] * 5
    with client.app.state.database.reading() as connection:
        answers = connection.execute(select(RECOMMENDATIONS.c.answer)).scalars().all()
    assert len(answers) > 1  # others may have asked for plans of this school before
    assert {json.loads(answer)["names"] for answer in answers} == {None}

    (tmp_path / "vault.db").write_bytes(b"no database at all" * 100)
    assert [client.get(address).json()["names"] for address in (made.headers["location"], board)] == [None, None]
