"""The service as a scheduling tool sees it, on a trained school."""

import json
import sqlite3
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from features.roster import read_roster_files, save_roster
from serving.app import create_app

MONDAY = "2026-03-16"


@pytest.fixture(scope="module")
def client(trained_school):
    with TestClient(create_app(), headers=trained_school.headers) as client:
        yield client


@pytest.fixture(scope="module")
def plan(client, trained_school):
    answer = client.post("/v1/recommendations", json={"team_id": trained_school.team_ids[0], "date": MONDAY})
    assert answer.status_code == 201, answer.text
    return answer.json()


def rule_of(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.json()["rule"]


def test_a_plan_seats_every_student_once_in_every_block(client, plan, trained_school):
    """Sessions of one block hold each member exactly once."""
    board = client.get(f"/v1/teams/{trained_school.team_ids[0]}/board").json()
    members = sorted(row["student_id"] for row in board["students"])

    seats = {}
    for session in plan["sessions"]:
        seats.setdefault(session["block_id"], []).extend(seat["student_id"] for seat in session["students"])

    assert len(seats) == 4
    assert all(sorted(students) == members for students in seats.values())


def test_a_plan_gives_its_reasons_and_what_it_rests_on(plan, trained_school):
    """Every led seat has facts and factors, every term its points, and the model is named."""
    led = [seat for session in plan["sessions"] if session["skill_id"] for seat in session["students"]]

    assert led
    assert all(seat["why"] and seat["facts"] and seat["need"] is not None for seat in led)
    assert sum(term["points"] for term in plan["terms"]) == pytest.approx(plan["score"])
    assert plan["provenance"]["model"]["run_id"] == trained_school.run_id
    assert plan["provenance"]["data_as_of"].startswith("2026-03-14")


def test_the_same_request_gives_the_same_plan(client, plan, trained_school):
    """Only id and time differ."""
    again = client.post("/v1/recommendations", json={"team_id": trained_school.team_ids[0], "date": MONDAY}).json()

    changing = ("id", "created_at")
    assert {k: v for k, v in again.items() if k not in changing} == {k: v for k, v in plan.items() if k not in changing}


def test_a_plan_can_be_read_again(client, plan):
    """The stored plan is the one that was answered."""
    assert client.get(f"/v1/recommendations/{plan['id']}").json() == plan
    assert rule_of(client.get("/v1/recommendations/none")) == "unknown_recommendation"


def test_absences_and_rules_of_the_day_are_kept(client, plan, trained_school):
    """An absent student sits nowhere, an absent adult leads nothing, a pair kept apart meets only online."""
    first, second, third = (
        row["student_id"] for row in client.get(f"/v1/teams/{trained_school.team_ids[0]}/board").json()["students"][:3]
    )
    away = next(
        adult["staff_id"]
        for session in plan["sessions"]
        for adult in session["adults"]
        if adult["role"] == "collaborating_teacher"
    )
    body = {
        "team_id": trained_school.team_ids[0],
        "date": MONDAY,
        "absences": [{"student_id": first}, {"staff_id": away}],
        "rules": [{"kind": "keep_apart", "student_ids": [second, third]}],
    }

    sessions = client.post("/v1/recommendations", json=body).json()["sessions"]

    for session in sessions:
        students = {seat["student_id"] for seat in session["students"]}
        assert first not in students
        assert away not in {adult["staff_id"] for adult in session["adults"]}
        assert session["session_type"] == "online" or not {second, third} <= students


def test_impossible_days_name_the_rule(client, trained_school):
    """Nobody to watch over the station, a Sunday, strangers: each is told by name."""
    team = trained_school.team_ids[0]
    everybody = [
        {"staff_id": adult}
        for adult in {
            adult["staff_id"]
            for session in client.post("/v1/recommendations", json={"team_id": team, "date": MONDAY}).json()["sessions"]
            for adult in session["adults"]
        }
    ]

    def ask(**more):
        return client.post("/v1/recommendations", json={"team_id": team, "date": MONDAY, **more})

    assert rule_of(ask(absences=everybody)) == "monitors"
    assert rule_of(ask(date="2026-03-15")) == "no_blocks"
    assert rule_of(ask(absences=[{"staff_id": "stranger"}])) == "unknown_staff"
    assert rule_of(ask(absences=[{"student_id": "stranger"}])) == "unknown_student"
    assert rule_of(ask(rules=[{"kind": "pinned", "student_ids": ["x"]}])) == "invalid_request"
    assert rule_of(ask(team_id="nobody")) == "unknown_team"
    assert rule_of(ask(colour="blue")) == "invalid_request"


def test_an_impossible_day_tells_a_smallest_set_and_what_to_give_up(client, plan, trained_school):
    """A student pinned and away: the rules in conflict, and the pin as what to drop."""
    seat = next(seat for session in plan["sessions"] if session["skill_id"] for seat in session["students"])
    body = {
        "team_id": trained_school.team_ids[0],
        "date": MONDAY,
        "absences": [{"student_id": seat["student_id"]}],
        "rules": [{"kind": "pinned", "student_ids": [seat["student_id"]], "block_id": plan["sessions"][0]["block_id"]}],
    }

    answer = client.post("/v1/recommendations", json=body)

    assert rule_of(answer) == "pinned"
    problem = answer.json()
    assert problem["proven"]
    assert problem["conflicts"][0]["rules"] == ["pinned", "presence"]
    assert [rule["rule"] for rule in problem["minimal_set"]] == ["pinned"]
    assert problem["minimal_set_proven"]
    assert problem["relaxations"][0]["detail"].startswith("Drop the pin of a student to an adult-led session")
    assert problem["conflicts"][0]["students"] == [seat["student_id"]]  # to a key that may plan for the team
    assert seat["student_id"] not in problem["detail"]


def test_no_error_repeats_a_students_id(client, trained_school):
    """Ids given in a bad request stay out of the answer."""
    body = {"team_id": trained_school.team_ids[0], "date": MONDAY, "absences": [{"student_id": "secret-child"}]}

    answer = client.post("/v1/recommendations", json=body)
    broken = client.post("/v1/recommendations", json={**body, "absences": [{"student_id": ["secret-child"]}]})

    assert answer.status_code == broken.status_code == 422
    assert "secret-child" not in answer.text + broken.text


def test_a_profile_tells_facts_reasons_and_what_is_not_known(client, trained_school):
    """Each skill has a status by present evidence; thin evidence says what would settle it."""
    profiles = [client.get(f"/v1/students/{student}/profile").json() for student in trained_school.student_ids[:40]]

    assert all(profile["responses"] > 0 and profile["active_minutes_7d"] >= 0 for profile in profiles)
    skills = [skill for profile in profiles for skill in profile["skills"]]
    assert {skill["status"] for skill in skills} == {
        "thin_evidence", "learning", "not_yet_proficient", "proficient", "review_due",
    }  # fmt: skip
    for skill in skills:
        if skill["status"] == "thin_evidence":
            assert skill["struggle_risk"] is None
        if skill["struggle_risk"] is None:
            assert skill["mastery"] is None
            assert f"on {skill['skill']} would settle it" in skill["advice"]
        elif skill["status"] == "proficient":
            assert skill["struggle_risk"] == 0
        else:
            assert 0 < skill["struggle_risk"] < 1
            assert skill["reasons"]
        if skill["status"] == "review_due":
            assert skill["facts"][-1].startswith("review due: ")
    assert rule_of(client.get("/v1/students/nobody/profile")) == "unknown_student"


def test_models_health_and_metrics(client, trained_school):
    """Versions, liveness, readiness and Prometheus metrics without ids."""
    assert client.get("/v1/models").json()["provenance"]["model"]["run_id"] == trained_school.run_id
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").status_code == 200
    metrics = client.get("/metrics").text
    assert "regroup_request_seconds" in metrics
    assert not any(student in metrics for student in trained_school.student_ids)
    assert rule_of(client.get("/v1/nothing")) == "not_found"


def test_the_committed_contract_is_current():
    """`python -m serving openapi serving/openapi.json` was run after the last change."""
    committed = json.loads((Path(__file__).parents[2] / "serving/openapi.json").read_text(encoding="utf-8"))

    assert create_app().openapi() == committed


def test_before_the_first_night_the_service_says_so(untrained_school):
    """Without a champion it lives, is not ready, and tells when to ask again."""
    with TestClient(create_app(), headers=untrained_school.headers) as client:
        answer = client.post("/v1/recommendations", json={"team_id": "t01", "date": MONDAY})

        assert client.get("/livez").status_code == 200
        assert rule_of(client.get("/readyz")) == "no_model"
        assert rule_of(answer) == "no_model"
        assert answer.headers["retry-after"]


def test_a_locked_database_is_told_and_nothing_is_kept(own_school, monkeypatch):
    """A plan that cannot be kept is not answered."""
    monkeypatch.setattr("features.database.connection.WAIT_S", 0.1)
    body = {"team_id": own_school.team_ids[0], "date": MONDAY}
    database = own_school.home / "regroup.db"
    with TestClient(create_app(), headers=own_school.headers) as client, sqlite3.connect(database) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/v1/recommendations", json=body)
        other.rollback()

        assert rule_of(answer) == "database_busy"
        assert client.post("/v1/recommendations", json=body).status_code == 201
    other.close()


def test_an_altered_model_is_not_served(own_school):
    """A bundle whose file was changed is refused; the service says what is wrong and is not ready."""
    (model,) = own_school.mlruns.glob(f"artifacts/*/{own_school.run_id}/artifacts/struggle/model.lgb")
    model.write_text(model.read_text().replace("leaf_value=", "leaf_value=9", 1))

    with TestClient(create_app()) as client:
        answer = client.get("/readyz")

    assert rule_of(answer) == "no_model"
    assert "model.lgb" in answer.json()["detail"]


@pytest.mark.long
def test_plans_are_kept_in_postgresql_too(trained_school, simulated_school, give_key, postgres_url, monkeypatch):
    """With a PostgreSQL address the roster is read there and the plan kept there."""
    save_roster(read_roster_files(simulated_school.folder / "roster"), postgres_url)
    monkeypatch.setenv("REGROUP_DATABASE_URL", postgres_url)
    headers = {"Authorization": f"Bearer {give_key(postgres_url)}"}
    with TestClient(create_app(), headers=headers) as client:
        body = {"team_id": trained_school.team_ids[0], "date": MONDAY}
        made = client.post("/v1/recommendations", json=body)

        assert made.status_code == 201
        assert client.get(made.headers["location"]).json() == made.json()


def test_forecasts_of_a_team_are_those_of_its_profiles_and_are_sent_once(client, trained_school):
    address = f"/v1/teams/{trained_school.team_ids[0]}/forecasts"
    first_answer = client.get(address)
    first = first_answer.json()["students"][0]
    profile = client.get(f"/v1/students/{first['student_id']}/profile").json()

    again = client.get(address, headers={"If-None-Match": first_answer.headers["ETag"]})

    assert [student["student_id"] for student in first_answer.json()["students"]] == sorted(
        student["student_id"] for student in first_answer.json()["students"]
    )
    assert first["skills"]
    for mine, full in zip(first["skills"], profile["skills"], strict=True):
        assert mine == {name: full[name] for name in mine}
    assert (again.status_code, again.content) == (304, b"")
