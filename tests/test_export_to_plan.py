"""From what a district exports and a log with other ids to a plan with names, by the commands that the README names."""

import csv
import io
import zipfile

import pandas as pd
import pytest
from fastapi.testclient import TestClient

import features.__main__
import training.__main__
from features.home import Home
from features.roster import read_team
from serving.app import create_app
from tests.conftest import QUICK, copy_database, read_unpacked

CLASSES = ("north", "south", "west")

ANSWERS = """[default]
no_school = ["2026-04-03"]
sources = { practice-app = "username" }
[default.bells]
first = { days = ["mon", "tue"], start = "08:30", end = "09:15" }
[teams.orion]
classes = ["north", "south", "west"]
[teams.orion.rooms]
hall = { capacity = 100, sessions = 3 }
[teams.orion.staff]
tch-0 = { role = "teacher_leader" }
"""


def sheet(header, rows):
    text = io.StringIO()
    csv.writer(text).writerows([header.split(","), *rows])
    return text.getvalue()


def export(path, students):
    """A OneRoster archive of one school; every student has a username and a name of its own."""
    adults = [(f"tch-{at}", "teacher") for at in range(6)]
    users = [(f"usr-{at}", "student", f"user.{at}", f"Given{at}", "Family") for at in range(len(students))]
    users += [(name, role, name, "Ana", f"Teach{name}") for name, role in adults]
    enrolled = [(CLASSES[at % 3], f"usr-{at}", "student") for at in range(len(students))]
    enrolled += [(name, adult, role) for adult, role in adults for name in CLASSES]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.csv", sheet("propertyName,value", [("oneroster.version", "1.1")]))
        archive.writestr("classes.csv", sheet("sourcedId,title", [(name, f"Math {name}") for name in CLASSES]))
        archive.writestr("users.csv", sheet("sourcedId,role,username,givenName,familyName", users))
        archive.writestr("enrollments.csv", sheet("classSourcedId,userSourcedId,role", enrolled))


@pytest.mark.long
def test_an_export_and_a_log_of_other_ids_become_a_plan_with_names(
    simulated_school, migrated_mlflow, give_key, tmp_path, monkeypatch, capsys
):
    home, mlruns = tmp_path / "home", tmp_path / "mlruns"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REGROUP_HOME", str(home))
    monkeypatch.setenv("REGROUP_VAULT", str(tmp_path / "names.db"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{mlruns / 'mlflow.db'}")
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)
    copy_database(migrated_mlflow, mlruns / "mlflow.db")
    log = pd.read_parquet(simulated_school.folder / "log.parquet")
    students = sorted(log["student_id"].unique())
    log["student_id"] = log["student_id"].map({name: f"USER.{at}" for at, name in enumerate(students[:-1])})
    log.fillna({"student_id": "stranger"}).to_parquet("log.parquet")
    mapping = (simulated_school.folder / "mapping.toml").read_text()
    (tmp_path / "log.toml").write_text(mapping.replace('source = "simulation"', 'source = "practice-app"'))
    (tmp_path / "quick.toml").write_text(QUICK)
    export(tmp_path / "oneroster.zip", students)
    run = features.__main__.main

    assert run(["roster", "oneroster.zip", "--preview", "--policy", "policy.toml"]) == 0
    assert "every day would be refused" in capsys.readouterr().out.replace("\n", " ")
    assert 'sources = { practice-app = "username" }' in (tmp_path / "policy.toml").read_text()
    (tmp_path / "policy.toml").write_text(ANSWERS)
    assert run(["roster", "oneroster.zip", "--policy", "policy.toml"]) == 0
    assert run(["ingest", "log.parquet", "--mapping", "log.toml"]) == 0
    assert run(["ids", "practice-app"]) == 0
    assert "stranger" in capsys.readouterr().out
    assert training.__main__.main(["nightly", "--config", "quick.toml"]) == 0
    headers = {"Authorization": f"Bearer {give_key(Home(home).database_url(), ['read', 'plan', 'names'])}"}
    with TestClient(create_app(), headers=headers) as client:
        client.app.state.snapshots.refresh()
        (team,) = client.get("/v1/teams").json()["teams"]
        body = {"team_id": team["team_id"], "date": "2026-03-16"}
        answer = client.post("/v1/recommendations", json=body)

    assert answer.status_code == 201, answer.text
    plan = answer.json()
    names = {each["student_id"]: each["name"] for each in plan["names"]["students"]}
    assert names == {f"usr-{at}": f"Given{at} Family" for at in range(len(students))}
    assert set(names) == set(read_team(Home(home).database_url(), "orion").members)
    needs = [seat for session in plan["sessions"] if session["skill_id"] for seat in session["students"]]
    assert needs
    assert all(seat["facts"] and seat["student_id"] in names for seat in needs)
    stored = [path for root in (home, mlruns) for path in root.rglob("*") if path.is_file()]
    assert stored
    assert not [path for path in stored if b"Given1 Family" in read_unpacked(path)]
