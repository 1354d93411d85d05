"""A student is erased from a used installation: nothing anywhere names the student, and nothing brings it back."""

import zlib
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet
import pytest
from fastapi.testclient import TestClient
from filelock import FileLock
from sqlalchemy import MetaData, insert, select

from features.database import Database
from features.erasure import FOLDERS_WITHOUT_STUDENTS, Installation, Store, erase_everywhere
from features.errors import BusyError, InputError
from features.events.ingest import ingest_file
from features.events.log.store import read_events
from features.home import Home
from features.profiles.arrays import BEGIN, read_arrays
from features.roster import load_roster_command, read_roster_files, read_team, save_roster
from features.roster.people.vault import Vault
from features.roster.tables import OTHER_IDS, SOURCE_ROWS, UNMATCHED_IDS
from serving.__main__ import main
from serving.app import create_app
from serving.audit.spool import SPOOL
from serving.formats import read_instance
from serving.plans import recommend, stored_plan
from serving.store.erasure import STORES, WITHOUT_STUDENTS
from serving.store.tables import AUDIT, RECOMMENDATIONS
from tests.conftest import read_unpacked
from tests.examples import DATABASES
from training.config import load_config
from training.nightly import run_nightly

NOW = datetime(2026, 3, 16, tzinfo=UTC)
TOTALS = '[columns]\nstudent = "who"\ntime = "at"\nskills = "of"\n[totals]\ncolumn = "how"\nform = "percent"\n'
MAPPING = '[columns]\nstudent = "who"\nitem = "what"\ntime = "at"\ncorrect = "right"\n'


@pytest.fixture(params=DATABASES)
def school(request, own_school, simulated_school, monkeypatch):
    """A copy of the trained school, on either database, with a vault."""
    monkeypatch.setenv("REGROUP_VAULT", str(own_school.home.parent / "names.db"))
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres")
        monkeypatch.setenv("REGROUP_DATABASE_URL", url)
        (own_school.home / "regroup.db").unlink()
        save_roster(read_roster_files(simulated_school.folder / "roster"), url)
    return own_school


@pytest.fixture
def client(school, give_key):
    headers = {"Authorization": f"Bearer {give_key(Home(school.home).database_url())}"}
    with TestClient(create_app(), headers=headers) as client:
        yield client


def event(student, minute):
    when = f"2026-03-14T08:{minute:02d}:00Z"
    return {"student_id": student, "occurred_at": when, "item_id": "i", "score": 1, "skill_ids": ["s"]}


def use(client, school, student):
    """Leaves traces of the student in every store there is."""
    home, team = Home(school.home), school.team_ids[0]
    day = {"team_id": team, "date": "2026-03-16"}
    other = school.student_ids[1]
    absent = {**day, "absences": [{"student_id": student}]}
    rule = {**day, "rules": [{"kind": "keep_apart", "student_ids": [student, other]}]}
    plans = [client.post("/v1/recommendations", json=body).json() for body in (rule, absent)]
    with client.app.state.database.changing() as connection:
        plan = plans[0]["id"]
        seen = {"entry_id": "e", "at": NOW, "request_id": "r", "action": "read_profile", "student_id": student}
        connection.execute(insert(AUDIT).values(**seen))
        connection.execute(insert(OTHER_IDS).values(kind="username", other_id=f"user-{student}", student_id=student))
        of_nobody = {"source": "app", "other_id": student, "events": 1, "seen_at": NOW}
        connection.execute(insert(UNMATCHED_IDS).values(**of_nobody))
        listed = {"kind": "people", "source_id": student, "student_id": student, "record": {"source_id": student}}
        connection.execute(insert(SOURCE_ROWS).values(**listed))
    with Vault(school.home.parent / "names.db").replacing() as put:
        put({("student", name) for name in (student, other)}, {("student", student): f"Name of {student}"})
    decision = {"decision": "accepted", "reasons": ["other"], "note": f"{student} was away before"}
    assert client.post(f"/v1/recommendations/{plan}/decision", json=decision).status_code == 200
    mine = next(s for s in plans[0]["sessions"] if any(seat["student_id"] == student for seat in s["students"]))
    reported = {"session_id": mine["id"], "happened": "done"}
    assert client.post(f"/v1/recommendations/{plan}/reports", json=reported).status_code == 200
    observed = mine["adults"][0]["staff_id"]
    pair = {"observed_id": observed, "observer_id": f"{team}-{'aide' if observed.endswith('lead') else 'lead'}"}
    seen = {"session_id": mine["id"], **pair, "aim": f"how {student} is asked"}
    assert client.post(f"/v1/recommendations/{plan}/observations", json=seen).status_code == 201
    lead, address = f"{team}-lead", f"/v1/students/{student}"
    goal = {"kind": "habit", "habit": f"{student} asks", "staff_id": lead, "until": "2199-01-01"}
    offered = client.get(f"{address}/next").json()["offers"]
    chosen = {"skill_id": offered[0]["skill_id"]}
    noted = [("goals", goal), ("relationships", {"staff_id": lead}), ("choices", chosen)]
    assert [client.post(f"{address}/{name}", json=body).status_code for name, body in noted] == [201, 200, 201]
    wish_and_ask(client, plans[0], student, other, chosen)
    rows = [f"{student},i{at},2026-03-13T10:{at:02d}:00Z,1" for at in range(20)] + [
        f"{student},i,2026-03-13T10:00:00Z,7"
    ]
    totals = home.root.parent / "totals.csv"
    totals.write_text(f"who,at,of,how\n{student},2026-03-01,halves,40\n")
    (home.root.parent / "totals.toml").write_text(TOTALS)
    ingest_file(home, totals, mapping=home.root.parent / "totals.toml")
    home.inbox.mkdir()
    (home.inbox / "mapping.toml").write_text(MAPPING)
    (home.inbox / "log.csv").write_text("who,what,at,right\n" + "\n".join(rows) + "\n")
    (home.inbox / "odd.bin").write_bytes(b"\x00\xff" + student.encode())
    assert client.post("/v1/events", json={"events": [event(student, 1), event(other, 2)]}).status_code == 200
    strict = school.home.parent / "strict.toml"
    strict.write_text(school.config.read_text().replace("max_ece = 0.15", "max_ece = 1e-9"))
    run_nightly(home, load_config(strict))
    assert client.post("/v1/events", json={"events": [event(student, 3)]}).status_code == 200
    home.staging.mkdir()
    (home.staging / "left").write_text(student)
    return plans


def wish_and_ask(client, plan, student, other, skill):
    """Leaves wishes of and for the student, and a request for help at independent work."""
    wishes = {student: skill, other: {"other_student_id": student}}
    for name, wish in wishes.items():
        assert client.post(f"/v1/students/{name}/wishes", json={"until": "2199-01-01", **wish}).status_code == 201
    alone = [s for s in plan["sessions"] if not s["skill_id"]]
    block = next(s["block_id"] for s in alone if any(seat["student_id"] == student for seat in s["students"]))
    asked = {"student_id": student, "block_id": block}
    assert client.post(f"/v1/recommendations/{plan['id']}/help", json=asked).status_code == 201


def says(path: Path, *texts: str) -> bool:
    """Whether a file holds one of the texts: as bytes in any encoding, or in what it decodes to."""
    raw, read = path.read_bytes(), ""
    if path.suffix == ".parquet":
        read = str(pyarrow.parquet.read_table(path).to_pylist())
    if path.suffix == ".npz" or raw.startswith(BEGIN):
        with path.open("rb") as file:
            arrays = read_arrays(file, ())
        read = str([values.tolist() for values in arrays.values() if values.dtype.kind in "US"])
        read += "".join(values.tobytes().decode(errors="ignore") for values in arrays.values())
    if path.suffix == ".zst":
        read = read_unpacked(path).decode()
    encodings = ("utf-8", "utf-16-le", "utf-32-le")
    return any(text in read or any(text.encode(encoding) in raw for encoding in encodings) for text in texts)


def unpacked(value):
    """A value of a table as the code that stores it sees it."""
    try:
        return zlib.decompress(value).decode()
    except (TypeError, zlib.error):
        return value


def traces(school, database, *texts):
    """The tables and files that hold one of the texts, by their first name in the home."""
    found = set()
    with database.reading() as connection:
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            rows = str([list(map(unpacked, row)) for row in connection.execute(select(table))])
            if any(text in rows for text in texts):
                found.add(table.name)
    for root in (school.home, school.mlruns):
        for path in root.rglob("*"):
            if path.is_file() and says(path, *texts):
                found.add(path.relative_to(root).parts[0])
    vault = school.home.parent / "names.db"
    return found | ({vault.name} if vault.exists() and says(vault, *texts) else set())


TABLES = {name for store in (*STORES, SPOOL) for name in store.tables}
FOLDERS = {name for store in (*STORES, SPOOL) for name in store.folders}


def unregistered(school, database):
    """Tables and names in the home that are neither a store's nor known to name no student."""
    with database.reading() as connection:
        found = MetaData()
        found.reflect(connection)
    names = {path.name for path in school.home.iterdir() if path.suffix != ".lock"}
    wrongly = {name for name in WITHOUT_STUDENTS if "student_id" in found.tables[name].columns}
    strange = {each.name for each in found.sorted_tables} ^ (TABLES | set(WITHOUT_STUDENTS))
    return wrongly | strange | (names - FOLDERS - set(FOLDERS_WITHOUT_STUDENTS))


@pytest.mark.long
def test_no_trace_of_an_erased_student_is_left_anywhere(client, school, simulated_school, capsys):
    database = client.app.state.database
    student, other = school.student_ids[:2]
    plans = use(client, school, student)
    assert unregistered(school, database) == set()  # say there how a student is erased from a new table or file
    client.app.state.snapshots.refresh()
    before = client.get(f"/v1/students/{other}/profile").json()
    lists = {f"roster_{name}_students" for name in ("rule", "series", "policy")}
    empty = {"roster_demographics", *lists}  # in this school
    # nobody asked the service about this student alone, and experiments keep salted numbers
    places = (TABLES - empty) | (FOLDERS - {"audit", "experiments"}) | {"names.db"}
    assert traces(school, database, student) - {"regroup.db", "regroup.db-wal"} >= places

    assert main(["erase", student, "--yes"]) == 1
    assert "inbox/done/log.csv" in capsys.readouterr().out.replace("\n", "")
    assert traces(school, database, student) == {"inbox"}
    assert main(["erase", student, "--yes", "--delete-files"]) == 0

    assert traces(school, database, student) == set()
    stored = client.get(f"/v1/recommendations/{plans[0]['id']}").json()
    seated = [seat["student_id"] for session in stored["sessions"] for seat in session["students"]]
    assert other in seated
    assert None not in seated
    decided = client.get(f"/v1/recommendations/{plans[0]['id']}/decision").json()
    assert decided["note"] is None  # it may name the student in any words
    assert other in str(decided["sessions"])
    with database.reading() as connection:
        problems = connection.execute(select(RECOMMENDATIONS.c.problem)).scalars().all()
    assert all(other in {student.id for student in read_instance(problem).students} for problem in problems)

    assert client.app.state.snapshots.refresh()
    assert client.get(f"/v1/students/{student}/profile").status_code == 404
    after = client.get(f"/v1/students/{other}/profile").json()
    assert {**after, "provenance": None} == {**before, "provenance": None}
    assert after["provenance"]["profiles"] == before["provenance"]["profiles"] + "-erased1"


def test_late_events_do_not_bring_an_erased_student_back(client, school, simulated_school, tmp_path, capsys):
    home, student, other = Home(school.home), *school.student_ids[:2]
    assert main(["erase", student, "--yes"]) == 0
    (tmp_path / "late.csv").write_text(f"who,what,at,right\n{student},i,2026-03-14T08:00:00Z,1\n{student},,,\n")
    (tmp_path / "late.toml").write_text(MAPPING)

    live = client.post("/v1/events", json={"events": [event(student, 1), event(other, 2)]}).json()
    counts = ingest_file(home, tmp_path / "late.csv", mapping=tmp_path / "late.toml")

    assert (live["stored"], live["erased"]) == (1, 1)
    assert (counts.unused, counts.rejected) == ({"erased_student": 2}, {})
    assert traces(school, client.app.state.database, student) == set()
    assert student not in set(read_events(home)["student_id"])

    load_roster_command(simulated_school.folder / "roster", home)

    assert "1 members were erased before" in capsys.readouterr().out.replace("\n", " ")
    assert student in read_team(home.database_url(), school.team_ids[0]).members


def test_nothing_is_erased_without_a_yes_or_while_a_night_is_at_work(school, monkeypatch):
    monkeypatch.setattr("features.home.WAIT_S", 0.1)
    with pytest.raises(InputError, match="add --yes"):
        main(["erase", school.student_ids[0]])
    with FileLock(Home(school.home).lock("nightly")), pytest.raises(BusyError, match="nightly run"):
        main(["erase", school.student_ids[0], "--yes"])

    assert traces(school, Database(Home(school.home).database_url()), school.student_ids[0])


@pytest.mark.parametrize("moments", [(2,), pytest.param((0, 1, 2, 3, -1), marks=pytest.mark.long)], ids=["one", "all"])
def test_at_no_moment_of_an_erasure_is_the_student_kept_or_shown(client, school, moments):
    """Between any two stores somebody asks for, decides on and repeats everything; the student stays forgotten."""
    stores, place = (*STORES, SPOOL), Installation(Home(school.home), client.app.state.database)
    day = {"team_id": school.team_ids[0], "date": "2026-03-16", "seconds": 0.05}
    members = [student for student in school.student_ids if student.startswith(school.student_ids[0][:3])]
    # files come after the first three
    erased = {len(stores) if moment < 0 else moment: student for moment, student in zip(moments, members, strict=False)}
    for moment, student in erased.items():
        body = {**day, "rules": [{"kind": "keep_apart", "student_ids": [student, members[-1]]}]}
        made, rejected = (
            client.post("/v1/recommendations", json=body, headers={"Idempotency-Key": f"{moment}-{seed}"})
            for seed in range(2)
        )
        assert student in made.text
        client.post(f"{rejected.headers['location']}/decision", json={"decision": "rejected", "note": f"of {student}"})

        def ask(place, student, body=body, made=made, rejected=rejected, moment=moment):
            address, other = made.headers["location"], event(members[-1], 30 + moment)
            accepted = {"decision": "accepted", "note": "to all"}
            calls = [
                client.post("/v1/recommendations", json=body, headers={"Idempotency-Key": f"{moment}-0"}),
                client.post("/v1/recommendations", json=day),
                client.get(address),
                *(client.post(f"{address}/decision", json=accepted) for _ in range(2)),
                *(client.get(f"{plan.headers['location']}/decision") for plan in (made, rejected)),
                client.post(f"{address}/seat-options", json={"student_id": members[-1]}),
                client.post("/v1/events", json={"events": [event(student, 1), other]}),
                client.get(f"/v1/teams/{day['team_id']}/board"),
                client.get(f"/v1/students/{student}/profile"),
            ]
            assert [call.status_code for call in calls] == [201, 201, *[200] * 8, 404]
            assert not [call.request.url for call in calls if student in call.text]
            assert calls[6].json()["note"] is None
            assert calls[8].json()["erased"] == 1
            return 0

        erase_everywhere((*stores[:moment], Store("meanwhile", ask), *stores[moment:]), place, student)

    client.app.state.audit.flush()
    assert traces(school, place.database, *erased.values()) == set()


def test_a_plan_of_a_student_who_is_erased_meanwhile_is_not_kept(client, school, monkeypatch):
    student, plan = school.student_ids[0], recommend.recommend_day
    body = {"team_id": school.team_ids[0], "date": "2026-03-16", "seconds": 0.05}

    def plan_and_erase(*given, **more):
        found = plan(*given, **more)
        assert student in found.canonical
        assert main(["erase", student, "--yes"]) == 0
        return found

    def ask():
        return client.post("/v1/recommendations", json=body, headers={"Idempotency-Key": "meanwhile"})

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(recommend, "recommend_day", plan_and_erase)
        refused = ask()
    again = ask()

    assert (refused.status_code, refused.json()["rule"], refused.headers["retry-after"]) == (503, "roster_changed", "1")
    assert again.status_code == 201
    assert student not in again.text
    assert traces(school, client.app.state.database, student) == set()


def test_a_decision_on_a_plan_of_a_student_who_is_erased_meanwhile_is_kept_without_the_student(
    client, school, monkeypatch
):
    """The plan was read before the erasure, and the decision is stored after it."""
    student, read = school.student_ids[0], stored_plan.open_day
    made = client.post(
        "/v1/recommendations", json={"team_id": school.team_ids[0], "date": "2026-03-16", "seconds": 0.05}
    )

    def read_and_erase(*given):
        day = read(*given)
        assert student in {one.id for one in day.problem.students}
        assert main(["erase", student, "--yes"]) == 0
        meanwhile.setattr(stored_plan, "open_day", read)
        return day

    decided = {"decision": "accepted", "note": f"{student} goes to the library"}
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(stored_plan, "open_day", read_and_erase)
        answer = client.post(f"{made.headers['location']}/decision", json=decided)

    after = client.post(
        "/v1/recommendations", json={"team_id": school.team_ids[0], "date": "2026-03-17", "seconds": 0.05}
    )
    rejected = {"decision": "rejected", "note": f"({student}) sat there"}
    told = client.post(f"{after.headers['location']}/decision", json=rejected)

    assert (answer.status_code, told.status_code) == (200, 200)
    assert student not in answer.text
    assert told.json()["note"] is None
    assert traces(school, client.app.state.database, student) == set()
