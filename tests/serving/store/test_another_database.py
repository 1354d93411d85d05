"""The service when its SQLite file is replaced by a back-up, or taken away: 503, then a clean start, never 401."""

import sqlite3
from contextlib import closing

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app

SKILLS = ("before", "after")


@pytest.fixture
def client(own_school, monkeypatch):
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    monkeypatch.setenv("REGROUP_KEYS_FRESH_SECONDS", "0.05")
    with TestClient(create_app(), headers=own_school.headers) as client:
        yield client


def send(client, school, skill):
    event = {
        "student_id": school.student_ids[0],
        "occurred_at": "2026-03-14T08:00:00Z",
        "item_id": f"of {skill}",
        "score": 1,
    }
    answer = client.post("/v1/events", json={"events": [{**event, "event_id": skill, "skill_ids": [skill]}]})
    return answer.status_code, "retry-after" in answer.headers


def seen(client, school):
    """Which of the skills are in the student's profile."""
    profile = client.get(f"/v1/students/{school.student_ids[0]}/profile").json()
    return {row["skill_id"] for row in profile["skills"]} & set(SKILLS)


def back_up(school):
    with (
        closing(sqlite3.connect(school.home / "regroup.db")) as old,
        closing(sqlite3.connect(school.home / "b")) as new,
    ):
        old.backup(new)


def wait_for_keys(client):
    """Lets the keys be read again; whatever is answered, it is not that the key is wrong."""
    for _ in range(20):
        assert client.get("/v1/models").status_code in {200, 503}


def test_after_a_back_up_took_the_place_of_the_file_its_events_are_seen_and_no_others(client, own_school):
    assert send(client, own_school, "before") == (200, False)
    back_up(own_school)
    assert send(client, own_school, "after") == (200, False)
    assert seen(client, own_school) == {"before", "after"}

    (own_school.home / "b").replace(own_school.home / "regroup.db")
    wait_for_keys(client)
    statuses = {send(client, own_school, "later") for _ in range(3)}

    assert statuses <= {(503, True), (200, False)}
    assert send(client, own_school, "later") == (200, False)
    assert seen(client, own_school) == {"before"}
    with closing(sqlite3.connect(own_school.home / "regroup.db")) as file:
        texts = [row[0] for row in file.execute("SELECT event FROM live_events")]
    assert [skill for skill in ("before", "after", "later") for text in texts if f'"{skill}"' in text] == [
        "before",
        "later",
    ]


def test_while_the_file_is_away_nothing_is_acknowledged_and_keys_stay_valid(client, own_school):
    assert send(client, own_school, "before") == (200, False)

    (own_school.home / "regroup.db").rename(own_school.home / "aside")
    wait_for_keys(client)
    while_away = send(client, own_school, "after")
    (own_school.home / "aside").rename(own_school.home / "regroup.db")

    assert while_away == (503, True)
    assert send(client, own_school, "after") == (200, False)
    assert seen(client, own_school) == {"before", "after"}
