"""The roster in a real SQLite file and in a real PostgreSQL."""

import sqlite3
from dataclasses import replace
from datetime import date, time

import psycopg
import pytest

from features.database import changing
from features.database import connection as database
from features.errors import BusyError, DatabaseAwayError, InputError, MissingError
from features.home import Home
from features.roster import (
    Block,
    Demographic,
    Focus,
    Member,
    PastSession,
    PolicyLayer,
    Prerequisite,
    Room,
    Roster,
    Rule,
    Series,
    Skill,
    Staff,
    TeamName,
    erase_student,
    find_teams_of,
    list_teams,
    load_roster_command,
    read_demographics,
    read_skills,
    read_team,
    replace_recorded_sessions,
    save_roster,
    students_of_schools,
    tables,
)

PAST = PastSession(date(2026, 3, 9), "t1", "b1", None, "k1", ("NA", "007"))

PROFICIENT = Series("z1", "t1", ("NA", "007"), "bo", ("k1", "k2"), date(2026, 3, 9), weekdays=("mon",))
DATED = Series("z2", "t1", ("007",), "ana", ("k2",), date(2026, 3, 9), date(2026, 5, 29), ("b1",), None, 1, None)

ROSTER = Roster(
    teams=(TeamName("t2", "North"), TeamName("t1", "North", "Orion")),
    members=(Member("t1", "NA"), Member("t1", "007"), Member("t2", "7"), Member("t2", "ünï 日本")),
    staff=(
        Staff("bo", "t1", "support_staff", ("tutoring",), ("k1", "k2"), 4, coach="ana"),
        Staff("ana", "t1", "teacher_leader", ("online",), certified=True),
    ),
    rooms=(Room("r1", "t1", 30),),
    blocks=(Block("b1", "t1", "mon", time(8, 30), time(9, 15)),),
    rules=(Rule("x1", "t1", "keep_apart", ("NA", "007")), Rule("x2", "t1", "unavailable", (), "ana", "b1")),
    skills=(Skill("k2"), Skill("k1", "Add", "3", "Maths")),
    prerequisites=(Prerequisite("k2", "k1"),),
    focus=(Focus("t1", "k2", 0.1),),
    past_sessions=(PAST,),
    series=(DATED, PROFICIENT),
    demographics=(Demographic("007", "language", "es"),),
    policies=(PolicyLayer("t1", {}, ("007",)),),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'made' / 'regroup.db'}"
    return request.getfixturevalue("empty_postgres")


def record(url, session):
    with changing(url, alone=True) as connection:
        replace_recorded_sessions(connection, "t1", session.date, [session])


def test_a_team_comes_back_as_it_was_saved(url):
    save_roster(ROSTER, url)

    team = read_team(url, "t1")

    assert (team.school, team.name) == ("North", "Orion")
    assert team.members == ("007", "NA")
    assert team.staff == (ROSTER.staff[1], ROSTER.staff[0])
    assert team.rooms == ROSTER.rooms
    assert team.blocks == ROSTER.blocks
    assert team.rules == ROSTER.rules
    assert team.focus == {"k2": 0.1}
    assert team.past_sessions == (PAST,)
    assert team.series == (PROFICIENT, DATED)
    assert read_team(url, "t2").members == ("7", "ünï 日本")


def test_teams_skills_and_demographics_come_back_sorted(url):
    save_roster(ROSTER, url)

    assert list_teams(url) == (ROSTER.teams[1], ROSTER.teams[0])
    assert list(read_skills(url).skills) == ["k1", "k2"]
    assert read_skills(url).skills["k1"] == Skill("k1", "Add", "3", "Maths")
    assert read_skills(url).requires == {"k2": ("k1",)}
    assert read_demographics(url) == ROSTER.demographics


def test_students_find_their_team_and_strangers_do_not(url):
    save_roster(ROSTER, url)

    assert find_teams_of(url, "007") == (ROSTER.teams[1],)
    assert find_teams_of(url, "secret-9") == ()


def test_a_student_and_an_adult_may_be_in_several_teams_and_a_member_from_a_day_to_a_day(url):
    last = date(2026, 6, 5)
    both = Staff("ana", "t2", "collaborating_teacher", ("tutoring",))
    members = (*ROSTER.members, Member("t2", "007", date(2026, 9, 7)), Member("t1", "old", None, last))
    save_roster(replace(ROSTER, members=members, staff=(*ROSTER.staff, both)), url)

    assert [team.team_id for team in find_teams_of(url, "007")] == ["t1", "t2"]
    assert read_team(url, "t2").staff == (both,)
    assert read_team(url, "t2").on(date(2026, 9, 6)).members == ("7", "ünï 日本")
    assert read_team(url, "t2").on(date(2026, 9, 7)).members == ("007", "7", "ünï 日本")
    assert "old" in read_team(url, "t1").on(last).members
    assert "old" not in read_team(url, "t1").on(date(2026, 6, 6)).members


def test_a_school_has_the_students_of_its_teams(url):
    teams = (TeamName("t1", "North"), TeamName("t2", "South"))
    save_roster(replace(ROSTER, teams=teams), url)

    assert students_of_schools(url, ["South"]) == {"7", "ünï 日本"}
    assert students_of_schools(url, ["North", "South"]) == {member.student_id for member in ROSTER.members}
    assert students_of_schools(url, ["West"]) == set()


def test_saving_again_replaces_everything_but_recorded_sessions(url):
    save_roster(ROSTER, url)
    decided = replace(PAST, date=date(2026, 3, 10))
    record(url, decided)

    save_roster(Roster(ROSTER.teams[1:], ROSTER.members[:1], (), (), ()), url)

    team = read_team(url, "t1")
    assert (team.members, team.staff, team.rules, team.focus, team.series) == (("NA",), (), (), {}, ())
    assert team.past_sessions == (decided,)
    assert read_demographics(url) == ()


def test_a_recorded_session_that_comes_back_in_a_file_counts_once(url):
    save_roster(ROSTER, url)

    record(url, PAST)

    assert read_team(url, "t1").past_sessions == (PAST,)


def test_what_was_recorded_of_a_day_is_replaced_and_files_and_other_days_stay(url):
    save_roster(ROSTER, url)
    other_day = replace(PAST, date=date(2026, 3, 10))
    record(url, replace(PAST, staff_id="ana"))
    record(url, other_day)
    instead = replace(PAST, staff_id="bo", students=("007",))

    record(url, instead)

    assert read_team(url, "t1").past_sessions == (PAST, instead, other_day)


def test_a_roster_that_cannot_be_saved_whole_changes_nothing(url):
    save_roster(ROSTER, url)
    clash = replace(ROSTER, members=(), demographics=ROSTER.demographics * 2)

    with pytest.raises(InputError) as caught:
        save_roster(clash, url)

    assert "007" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert read_team(url, "t1").members == ("007", "NA")


def test_an_unknown_team_is_answered_with_the_nearest(url):
    save_roster(ROSTER, url)

    with pytest.raises(MissingError, match="team 'T1' is not known; the roster has 2 teams; list the teams"):
        read_team(url, "T1")
    with pytest.raises(MissingError, match=r"did you mean 't1'\?"):
        read_team(url, "t1 ")


def test_without_a_roster_the_command_that_loads_one_is_named(url):
    with pytest.raises(MissingError, match="python -m features roster PATH"):
        list_teams(url)


def test_erasing_a_student_reaches_every_table_that_names_students(url):
    save_roster(ROSTER, url)

    assert erase_student(url, "007") == 7

    team = read_team(url, "t1")
    assert (team.members, team.rules[0].students, team.past_sessions[0].students) == (("NA",), ("NA",), ("NA",))
    assert [series.students for series in team.series] == [("NA",), ()]
    assert read_demographics(url) == ()
    named = {table.name for table in tables.METADATA.sorted_tables if "student_id" in table.c}
    # the id table is erased last, since files of other systems name the student by its ids alone
    assert named == {table.name for table in (*tables.OF_STUDENTS, tables.OTHER_IDS)}


def test_a_locked_sqlite_file_is_busy_for_writers_only(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "WAIT_S", 0.05)
    url = f"sqlite:///{tmp_path / 'regroup.db'}"
    save_roster(ROSTER, url)
    holder = sqlite3.connect(tmp_path / "regroup.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")

    with pytest.raises(BusyError, match="stayed locked"):
        save_roster(ROSTER, url)
    assert read_team(url, "t1").name == "Orion"

    holder.execute("ROLLBACK")
    holder.close()
    save_roster(ROSTER, url)


def test_a_second_writer_in_postgresql_is_busy(empty_postgres, monkeypatch):
    save_roster(ROSTER, empty_postgres)
    monkeypatch.setattr(database, "WAIT_S", 1)

    with psycopg.connect(empty_postgres) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", (database.WRITERS,))
        with pytest.raises(BusyError, match="PostgreSQL at the local socket stayed locked"):
            save_roster(ROSTER, empty_postgres)
        assert read_team(empty_postgres, "t1").name == "Orion"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://me:hunter2@db/x", "database 'mysql' is not supported"),
        ("sqlite://", "in memory would forget"),
        ("no url hunter2", "is not a URL"),
    ],
)
def test_an_address_of_no_database_is_said_without_its_password(url, expected):
    with pytest.raises(InputError, match=expected) as caught:
        save_roster(ROSTER, url)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me:hunter2@localhost:1/x?connect_timeout=1", "PostgreSQL at localhost cannot be used"),
        ("sqlite:////proc/regroup/x.db", "cannot be used"),
    ],
)
def test_a_database_that_is_away_is_said_without_its_password(url, expected):
    with pytest.raises(DatabaseAwayError, match=expected) as caught:
        save_roster(ROSTER, url)

    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "regroup.db").write_bytes(b"not a database, but long enough to be looked at" * 30)

    with pytest.raises(DatabaseAwayError, match="SQLITE_NOTADB"):
        list_teams(f"sqlite:///{tmp_path / 'regroup.db'}")


def test_the_command_loads_a_folder_and_shows_counts_and_warnings(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)
    for name, text in {
        "teams": "team_id,school\nt1,North\n",
        "members": "team_id,student_id\nt1,007\nt9,8\n",
        "staff": "staff_id,team_id,role\nana,t1,teacher_leader\n",
        "rooms": "room_id,team_id,capacity\nr1,t1,30\n",
        "blocks": "block_id,team_id,weekday,start,end\nb1,t1,mon,08:30,09:15\n",
    }.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    home = Home(tmp_path / "var")

    code = load_roster_command(tmp_path, home)

    shown = capsys.readouterr().out
    assert code == 0
    assert "members.csv" in shown
    assert "warning: members.csv: 1 of 2 rows belong to teams" in shown
    assert read_team(home.database_url(), "t1").members == ("007",)


def test_a_policy_comes_back_and_reaches_its_own_team_only(url):
    layers = (
        PolicyLayer("", {"regroup": "weekly"}),
        PolicyLayer("t1", {"sizes": {"tutoring": {"most": 3}}}, ("NA",), (("007", "bo"), ("NA", "ana"))),
    )
    save_roster(replace(ROSTER, policies=layers), url)

    assert read_team(url, "t1").policies == layers
    assert read_team(url, "t2").policies == layers[:1]
    erase_student(url, "007")
    assert read_team(url, "t1").policies[1].adult_exclusions == (("NA", "ana"),)

    save_roster(replace(ROSTER, policies=()), url)

    assert read_team(url, "t1").policies == ()
