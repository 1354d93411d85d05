"""What a total without answers says is in the profile, on the board and in a plan, and nowhere as an answer."""

from datetime import UTC, datetime

from fastapi.testclient import TestClient

from features.events.ingest import ingest_file
from features.home import Home
from serving.app import create_app

MAPPING = """
[file]
source = "i-ready"
[columns]
student = "who"
time = "at"
[totals]
form = "level"
[levels]
"2 Grade Levels Below" = 0.2
[domains]
"Geometry Placement" = "geometry"
"""


def test_a_total_of_another_product_becomes_a_need_that_says_so(own_school, give_key, monkeypatch):
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    home, student = Home(own_school.home), own_school.student_ids[0]
    path = own_school.home.parent / "diagnostic.csv"
    path.write_text(f"who,at,Geometry Placement\n{student},2026-03-01,2 Grade Levels Below\n")
    path.with_suffix(".toml").write_text(MAPPING)
    headers = {"Authorization": f"Bearer {give_key(home.database_url())}"}
    with TestClient(create_app(), headers=headers) as client:
        before = client.get(f"/v1/students/{student}/profile").json()

        ingest_file(home, path, mapping=path.with_suffix(".toml"), now=datetime(2026, 3, 16, tzinfo=UTC))

        profile = client.get(f"/v1/students/{student}/profile").json()
        board = client.get(f"/v1/teams/{profile['team_id']}/board").json()
    sentence = (
        "no answers, only a total of i-ready: Geometry Placement 2 Grade Levels Below on 2026-03-01, "
        "about 29% of the skill (13 to 45%)"
    )
    assert before["totals"] == []
    assert [(total["skill_id"], total["words"]) for total in profile["totals"]] == [("geometry", sentence)]
    assert profile["skills"] == before["skills"]
    needs = next(row["needs"] for row in board["students"] if row["student_id"] == student)
    told = [need for need in needs if need["skill_id"] == "geometry"]
    assert [(need["purpose"], need["status"], need["facts"]) for need in told] == [
        ("reteach", "thin_evidence", [sentence])
    ]
