"""Ids that students have in other systems, and their names: found in every shape of roster, kept where they belong."""

import csv
import io
import stat
import zipfile
from datetime import date

import pytest
from sqlalchemy import MetaData, select

from features.__main__ import main
from features.database import Database
from features.erasure import STORES, Installation, erase_everywhere
from features.errors import InputError
from features.events.ingest import ingest_file
from features.events.log.store import read_events
from features.home import Home
from features.roster import load_roster_command, read_team
from features.roster.people.id_table import list_unmatched, match_ids, read_ids
from features.roster.people.vault import Vault
from tests.examples import DATABASES

DAY = date(2026, 9, 7)
STUDENTS = [f"s{at:02d}" for at in range(21)]
TEAM = """[teams.t1]
classes = ["c1"]
[teams.t1.rooms]
r1 = { capacity = 30 }
[teams.t1.bells]
first = { days = ["mon"], start = "08:30", end = "09:15" }
"""
SOURCES = '[default]\nsources = { app = "username", hub = "LDAP", sis = "Identifier" }\n'


def sheet(header, rows):
    text = io.StringIO()
    csv.writer(text).writerows([header.split(","), *rows])
    return text.getvalue().encode()


def oneroster(students=STUDENTS, mode="bulk", **changed):
    """Users, each with four ids and a name of its own; `changed` has other usernames."""
    people = [
        (name, "student", changed.get(name, f"User.{name}"), f"{{LDAP:l-{name}}},{{FED:f-{name}}}", f"Given-{name}",
         f"Family-{name}", f"9{name[1:]}", f"Called-{name}" if name == "s01" else "")
        for name in students
    ]  # fmt: skip
    people += [("ana", "teacher", "ana", "", "Ana", "Teach", "", "")]
    return {
        "manifest.csv": sheet("propertyName,value", [("file.users", mode), ("file.enrollments", "bulk")]),
        "classes.csv": sheet("sourcedId,title", [("c1", "Maths")]),
        "users.csv": sheet(
            "sourcedId,role,username,userIds,givenName,familyName,identifier,preferredGivenName", people
        ),
        "enrollments.csv": sheet(
            "sourcedId,classSourcedId,userSourcedId,role",
            [(f"e{name}", "c1", name, "student") for name in STUDENTS] + [("et", "c1", "ana", "teacher")],
        ),
    }


def sds(students=STUDENTS):
    return {
        "School.csv": sheet("SIS ID,Name", [("o1", "North")]),
        "Section.csv": sheet("SIS ID,School SIS ID,Section Name", [("c1", "o1", "Maths")]),
        "Student.csv": sheet(
            "SIS ID,School SIS ID,User Name,First Name,Last Name",
            [(name, "o1", f"User.{name}", f"Given-{name}", f"Family-{name}") for name in students],
        ),
        "Teacher.csv": sheet("SIS ID,School SIS ID,First Name,Last Name", [("ana", "o1", "Ana", "Teach")]),
        "StudentEnrollment.csv": sheet("Section SIS ID,SIS ID", [("c1", name) for name in students]),
        "TeacherRoster.csv": sheet("Section SIS ID,SIS ID", [("c1", "ana")]),
    }


def class_list(students=STUDENTS):
    rows = [(name, f"Given-{name} Family-{name}", f"User.{name}", "c1", "ana", "Ana Teach") for name in students]
    return {"list.csv": sheet("Student ID,Student Name,User_Name,Class,Teacher,Teacher Name", rows)}


def folder(students=STUDENTS):
    return {
        "teams.csv": sheet("team_id,school", [("t1", "North")]),
        "members.csv": sheet("team_id,student_id", [("t1", name) for name in students]),
        "staff.csv": sheet("staff_id,team_id,role", [("ana", "t1", "teacher_leader")]),
        "rooms.csv": sheet("room_id,team_id,capacity", [("r1", "t1", "30")]),
        "blocks.csv": sheet("block_id,team_id,weekday,start,end", [("b1", "t1", "mon", "08:30", "09:15")]),
        "ids.csv": sheet("student_id,kind,other_id", [(name, "username", f"User.{name}") for name in students]),
        "names.csv": sheet(
            "student_id,staff_id,name",
            [(name, "", f"Given-{name} Family-{name}") for name in students] + [("", "ana", "Ana Teach")],
        ),
        "policy.toml": b'[default]\nsources = { app = "username" }\n',
    }


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)
    monkeypatch.delenv("REGROUP_VAULT", raising=False)
    return Home(tmp_path / "home")


@pytest.fixture
def vault(tmp_path, monkeypatch):
    path = tmp_path / "names" / "vault.db"
    monkeypatch.setenv("REGROUP_VAULT", str(path))
    return Vault(path)


def load(home, files, policy=None, **options):
    home.root.mkdir(exist_ok=True)
    path = home.root.parent / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        if policy is not None:
            archive.writestr("policy.toml", policy)
    assert load_roster_command(path, home, as_of=DAY, **options) == 0


def ids_of(home, kind):
    with Database(home.database_url()) as database, database.reading() as connection:
        return {each.other_id: each.student_id for each in read_ids(connection) if each.kind == kind}


USERNAME = '[default]\nsources = { app = "%s" }\n'
SHAPES = {
    "OneRoster": (oneroster, USERNAME % "username" + TEAM),
    "SDS": (sds, USERNAME % "Username" + TEAM),
    "class list": (class_list, USERNAME % "user name" + TEAM),
    "folder": (folder, None),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_ids_and_names_are_found_in_every_shape(home, vault, shape):
    write, policy = SHAPES[shape]

    load(home, write(), policy)

    kind = "username" if policy is None else policy.split('"')[1]
    assert ids_of(home, kind) == {f"User.{name}": name for name in STUDENTS}
    assert vault.read("student", STUDENTS)["s02"] == "Given-s02 Family-s02"
    assert len(vault.read("student", STUDENTS)) == len(STUDENTS)
    assert vault.read("adult", ["ana", "s02"]) == {"ana": "Ana Teach"}
    assert b"Family-" not in (home.root / "regroup.db").read_bytes()


@pytest.mark.parametrize("shape", SHAPES)
def test_without_a_vault_and_a_source_names_and_other_ids_are_dropped(home, shape):
    write, policy = SHAPES[shape]

    load(home, {**write(), "policy.toml": b""} if policy is None else write(), policy and TEAM)

    stored = (home.root / "regroup.db").read_bytes()
    assert b"s20" in stored
    assert b"Family-" not in stored
    assert (b"User." in stored) is (policy is None)  # a folder's ids.csv is there to be read


def test_the_vault_is_for_its_owner_and_holds_people_of_teams_alone(home, vault, tmp_path):
    load(home, oneroster([*STUDENTS, "elsewhere"]), SOURCES + TEAM)

    assert vault.read("student", ["s01", "elsewhere"]) == {"s01": "Called-s01 Family-s01"}
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "names", tmp_path / "names" / "vault.db")]
    assert modes == [0o700, 0o600]

    files = oneroster()
    files["enrollments.csv"] = files["enrollments.csv"].replace(b"es00,c1,s00,student\r\n", b"")
    load(home, files)
    assert set(vault.read("student", STUDENTS)) == {*STUDENTS[1:]}


def test_a_roster_that_is_refused_leaves_ids_and_names_as_they_were(home, vault):
    load(home, oneroster(), SOURCES + TEAM)

    with pytest.raises(InputError, match="so nothing was loaded"):
        load(home, oneroster(STUDENTS[5:]))
    with pytest.raises(InputError, match=r"sources.app: 'usrname' is no id .* did you mean 'username'\?"):
        load(home, oneroster(), (USERNAME % "usrname") + TEAM)

    assert len(ids_of(home, "username")) == len(vault.read("student", STUDENTS)) == len(STUDENTS)


def test_a_file_of_changes_leaves_ids_and_names_of_others(home, vault):
    load(home, oneroster(), SOURCES + TEAM)

    load(home, oneroster(["s03"], mode="delta", s03="other"))

    ids = ids_of(home, "username")
    assert (ids["other"], ids["User.s04"], "User.s03" in ids) == ("s03", "s04", False)
    assert len(vault.read("student", STUDENTS)) == len(STUDENTS)


def test_an_id_counts_in_other_capitals_and_stands_for_nobody_where_it_is_shared(home, capsys):
    load(home, oneroster(s05="user.S06", s07="same", s08="same"), SOURCES + TEAM)

    with Database(home.database_url()) as database, database.reading() as connection:
        asked = ["USER.S01", "User.s06", "user.s06", "same", "nobody"]
        found = match_ids(connection, "username", asked)

    assert found == {"USER.S01": "s01", "User.s06": "s06"}
    assert ids_of(home, "LDAP")["l-s09"] == ids_of(home, "Identifier")["909"] == "s09"
    assert "1 ids of the kind 'username' are of several students" in capsys.readouterr().out.replace("\n", " ")


MAPPING = '[columns]\nstudent = "who"\nitem = "what"\ntime = "at"\ncorrect = "right"\n[file]\nsource = "%s"\n'


def ingest(home, source, *students):
    (home.root / "log.toml").write_text(MAPPING % source)
    rows = [f"{name},i{at},2026-09-01T10:{at:02d}:00Z,1" for at, name in enumerate(students)]
    (home.root / "log.csv").write_text("who,what,at,right\n" + "\n".join(rows) + "\n")
    return ingest_file(home, home.root / "log.csv", mapping=home.root / "log.toml")


def unmatched(home):
    with Database(home.database_url()) as database, database.reading() as connection:
        return list_unmatched(connection)


def rows_with(home, *texts):
    """The tables of the database with a row that has one of the texts, in whatever capitals."""
    with Database(home.database_url()) as database, database.reading() as connection:
        tables = MetaData()
        tables.reflect(connection)
        rows = {table.name: str(connection.execute(select(table)).all()).lower() for table in tables.sorted_tables}
    return {name for name, text in rows.items() if any(each in text for each in texts)}


def test_a_log_is_stored_under_the_ids_of_the_roster_and_what_stands_for_nobody_is_listed(home):
    load(home, oneroster(), SOURCES + TEAM)

    counts = ingest(home, "app", "User.s01", "user.s01", "stranger", "s02", "stranger")

    assert (counts.events_stored, counts.unused, counts.rejected) == (2, {"unmatched_student": 3}, {})
    assert set(read_events(home)["student_id"]) == {"s01"}
    assert unmatched(home) == [("app", "stranger", 2), ("app", "s02", 1)]
    note = next(note for note in counts.notes if "python -m features ids app" in note)
    assert "3 rows are of 2 students" in note
    assert "stranger" not in note

    load(home, oneroster(s20="stranger"))
    assert unmatched(home) == [("app", "s02", 1)]
    assert ingest(home, "app", "User.s01", "user.s01", "stranger", "s02", "stranger").events_stored == 2
    assert set(read_events(home)["student_id"]) == {"s01", "s20"}


def test_a_log_of_nobody_says_what_to_do(home):
    load(home, oneroster(), TEAM)

    notes = ingest(home, "other", "User.s01", "User.s02").notes
    assert any("none of the 2 students of this file is in a team" in note for note in notes)
    load(home, oneroster(), SOURCES.replace("app", "other") + TEAM)

    assert ingest(home, "other", "User.s01", "User.s02").events_stored == 2
    with pytest.raises(InputError, match=r"no row of log.csv .* are no username of the roster"):
        ingest(home, "other", "s01")


def test_the_command_lists_ids_to_whoever_may_see_them(home, monkeypatch, capsys):
    monkeypatch.setenv("REGROUP_HOME", str(home.root))
    load(home, oneroster(), SOURCES + TEAM)
    ingest(home, "app", "User.s01", "stranger")
    capsys.readouterr()

    assert main(["ids"]) == 0
    shown = capsys.readouterr().out
    assert "username" in shown
    assert "stranger" not in shown
    assert main(["ids", "app"]) == 0
    assert "stranger" in capsys.readouterr().out
    with pytest.raises(InputError, match="did you mean 'app'"):
        main(["ids", "appp"])
    assert main(["ids", "sis"]) == 0
    assert "every id of sis that came is of the kind Identifier of the roster" in capsys.readouterr().out.replace(
        "\n", " "
    )


TOTALS = """[columns]
student = "who"
time = "at"
skills = "of"
[totals]
column = "how"
form = "percent"
[file]
source = "app"
"""


@pytest.mark.parametrize("kind", DATABASES)
def test_an_erased_student_is_in_no_id_name_or_evidence_and_late_rows_under_other_ids_are_dropped(
    home, vault, kind, request, monkeypatch
):
    if kind == "postgresql":
        monkeypatch.setenv("REGROUP_DATABASE_URL", request.getfixturevalue("empty_postgres"))
    load(home, oneroster(), SOURCES + TEAM)
    ingest(home, "app", "User.s01", "User.s02")
    (home.root / "totals.toml").write_text(TOTALS)
    (home.root / "totals.csv").write_text(
        "who,at,of,how\nuser.s01,2026-09-01,halves,40\nUser.s02,2026-09-01,halves,50\n"
    )
    ingest_file(home, home.root / "totals.csv", mapping=home.root / "totals.toml")
    (home.root / "totals.csv").unlink()
    (home.root / "log.csv").unlink()
    home.inbox.mkdir()
    (home.inbox / "mapping.toml").write_text(MAPPING % "app")
    (home.inbox / "log.csv").write_text("who,what,at,right\nuser.s01,i1,2026-09-01T10:00:00Z,1\n")

    with Database(home.database_url()) as database:
        place = Installation(home, database, delete_files=True)
        counts = erase_everywhere(STORES, place, "s01")

    assert (counts["names"], counts["inbox"], counts["ids of other systems"], counts["evidence"]) == (1, 1, 3, 1)
    assert not rows_with(home, "s01")
    assert rows_with(home, "s02") >= {"evidence", "roster_ids", "roster_source_rows"}
    load(home, oneroster(), yes=True)
    assert "s01" not in vault.read("student", STUDENTS)
    late = ingest(home, "app", "USER.s01", "User.s02", "stranger")
    assert late.unused == {"erased_student": 1, "unmatched_student": 1}
    assert unmatched(home) == [("app", "stranger", 1)]
    assert not rows_with(home, "called-s01", "user.s01")
    for path in (*home.root.rglob("*.*"), vault._path):
        content = path.read_bytes().lower() if path.is_file() and path.name != "log.csv" else b""
        assert b"user.s01" not in content
        assert b"called-s01" not in content
    members = read_team(home.database_url(), "t1").members
    assert "s01" in members  # who sits in the room is for the school to decide
