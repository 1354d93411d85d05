"""Addresses: ids with slashes can be asked for, no answer sends elsewhere, the contract's page needs no internet."""

import re
import shutil
import sqlite3
import urllib.parse

from fastapi.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings

STUDENT, TEAM = "https://id.example/s/7?a=b", "district/north"


def test_ids_that_are_addresses_can_be_asked_for(district, trained_school, tmp_path):
    """As standards allow; a slash may be written as it is, and better as %2F."""
    home = tmp_path / "home"
    shutil.copytree(district.home, home)
    with sqlite3.connect(home / "regroup.db") as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE name LIKE 'roster_%'")]
        for table in tables:
            columns = {row[1] for row in file.execute(f"PRAGMA table_info({table})")}
            for column, new in {"student_id": STUDENT, "team_id": TEAM}.items():
                if column in columns:
                    file.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (new, district.north[column]))
    file.close()
    app = create_app(Settings(REGROUP_HOME=home, MLFLOW_TRACKING_URI=trained_school.mlruns_uri))
    student, team = urllib.parse.quote(STUDENT, safe=""), urllib.parse.quote(TEAM, safe="")
    with TestClient(app, headers={"Authorization": f"Bearer {district.keys['north']}"}) as client:
        profile = client.get(f"/v1/students/{student}/profile")
        plain = client.get(f"/v1/students/{STUDENT.replace('?', '%3F')}/profile")
        board, forecasts = (client.get(f"/v1/teams/{team}/{what}") for what in ("board", "forecasts"))
        none = client.get(f"/v1/students/{student}%2Fprofile/profile")

    assert (profile.status_code, profile.json()["student_id"], profile.json()["team_id"]) == (200, STUDENT, TEAM)
    assert plain.json() == profile.json()
    assert {board.json()["team_id"], forecasts.json()["team_id"]} == {TEAM}
    assert STUDENT in {row["student_id"] for row in board.json()["students"]}
    assert (none.status_code, none.json()["rule"]) == (404, "unknown_student")


def test_no_answer_sends_the_caller_elsewhere(district, routes):
    client = district.client("all")
    for route in routes:
        address = route.address(district.north)

        answer = client.get(f"{address}/", headers={"Host": "evil.example"}, follow_redirects=False)

        assert answer.status_code in {404, 405}, route.path
        assert "evil.example" not in f"{answer.headers}{answer.text}"


def test_the_page_of_the_contract_loads_nothing_and_names_every_call_and_field(district):
    contract, page = district.app.openapi(), district.client().get("/docs")

    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert not re.search(r"<(script|link|img|iframe)|\bsrc=|url\(|@import", page.text)
    assert set(re.findall(r'href="([^#"][^"]*)"', page.text)) == {"openapi.json"}
    anchors, names = set(re.findall(r'id="([^"]+)"', page.text)), set(re.findall(r"<code>([^<]+)</code>", page.text))
    assert set(re.findall(r'href="#([^"]+)"', page.text)) <= anchors
    assert {call["operationId"] for calls in contract["paths"].values() for call in calls.values()} <= anchors
    parts = contract["components"]["schemas"]
    assert {*parts} <= anchors
    assert {name for part in parts.values() for name in part.get("properties", ())} <= names
