"""A back-up that is restored brings back nobody who was erased after it was made."""

import json
import shutil
import stat

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete, insert, select

import serving.__main__
import training.__main__
from features.console import run_command
from features.database import Database
from features.erasure import Installation, erase_everywhere
from features.erasure_list import read_list
from features.errors import DatabaseAwayError, InputError
from features.events.ingest import ingest_rows
from features.events.log.store import read_events
from features.home import Home
from features.restore import AGAIN_S, ReturnGuard, find_erased, require_erased
from features.roster.tables import MEMBERS
from features.tombstones import TOMBSTONES, read_tombstones
from serving.store.erasure import STORES
from tests.features.events.test_store import NOW, STUDENTS, some_rows

MAPPING = '[columns]\nstudent = "who"\nitem = "what"\ntime = "at"\ncorrect = "right"\n'
ERASED, OTHER = STUDENTS[0], STUDENTS[1]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path, monkeypatch):
    home = Home(tmp_path / "home")
    home.make()
    monkeypatch.setenv("REGROUP_HOME", str(home.root))
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)
    if request.param == "postgresql":
        monkeypatch.setenv("REGROUP_DATABASE_URL", request.getfixturevalue("empty_postgres"))
    with Database(home.database_url()) as database:
        with database.changing() as connection:
            rows = [{"team_id": "t1", "student_id": student} for student in STUDENTS]
            connection.execute(insert(MEMBERS), rows)
        yield database


@pytest.fixture
def home(database, tmp_path):
    return Home(tmp_path / "home")


def erase(home, database, student=ERASED):
    return erase_everywhere(STORES, Installation(home, database), student)


def bring_back(database, student=ERASED):
    """What a restore of an older back-up of the database does."""
    with database.changing() as connection:
        connection.execute(delete(TOMBSTONES))
        if student is not None:
            connection.execute(insert(MEMBERS).values(team_id="t1", student_id=student))


def check(home, database):
    with database.changing(alone=True) as connection:
        require_erased(home, connection)


def members(database):
    with database.reading() as connection:
        return set(connection.execute(select(MEMBERS.c.student_id)).scalars())


def run(main, *words):
    with pytest.raises(SystemExit) as end:
        run_command(lambda: main(list(words)))
    return end.value.code


def test_an_erasure_is_listed_apart_from_the_database_without_the_student(home, database):
    erase(home, database)
    erase(home, database)

    text = home.erasures.read_text()
    with database.reading() as connection:
        (digest,) = connection.execute(select(TOMBSTONES.c.digest)).scalars()
    assert [json.loads(line)["digest"] for line in text.splitlines()] == [digest]
    assert f'"{ERASED}"' not in text
    assert stat.S_IMODE(home.erasures.stat().st_mode) == 0o600


def test_nothing_goes_on_until_those_who_came_back_are_erased_again(home, database, capsys):
    erase(home, database)
    bring_back(database)

    with pytest.raises(DatabaseAwayError, match="holds 1 students who were erased since"):
        check(home, database)
    assert run(training.__main__.main, "nightly") == 75
    assert "erase --restored" in capsys.readouterr().err

    assert run(serving.__main__.main, "erase", "--restored", "--yes") == 0

    check(home, database)
    assert members(database) == set(STUDENTS) - {ERASED}
    assert read_tombstones(database).among(STUDENTS) == {ERASED}
    assert ERASED not in capsys.readouterr().out.replace("0", "").split()


def test_a_restored_database_in_which_nobody_came_back_takes_the_list_over(home, database):
    erase(home, database)
    bring_back(database, None)

    check(home, database)

    assert read_tombstones(database).among(STUDENTS) == {ERASED}


def test_an_erasure_after_a_restore_keeps_the_keys_of_the_list(home, database):
    erase(home, database)
    bring_back(database)

    erase(home, database, OTHER)

    with pytest.raises(DatabaseAwayError):
        check(home, database)
    assert find_erased(home, database) == [ERASED]
    assert len({erasure.salt for erasure in read_list(home.erasures).values()}) == 1


def test_a_list_that_is_lost_or_of_an_earlier_version_is_made_again(home, database):
    erase(home, database)
    before = read_list(home.erasures)
    home.erasures.unlink()

    check(home, database)

    assert read_list(home.erasures) == before


@pytest.mark.parametrize("text", ["{}\n", "no json\n", '{"digest": 1}\n', '["a"]\n'])
def test_a_file_that_is_no_list_is_refused(home, database, text):
    home.erasures.write_text(text)

    with pytest.raises(InputError, match="is no list of erasures"):
        check(home, database)


def test_the_list_of_another_installation_is_refused(home, database):
    erase(home, database)
    shutil.copy(home.erasures, home.root / "other")
    with database.changing() as connection:
        connection.execute(delete(TOMBSTONES))
    home.erasures.unlink()
    erase(home, database, OTHER)
    shutil.copy(home.root / "other", home.erasures)

    with pytest.raises(InputError, match="of another installation"):
        check(home, database)


@pytest.mark.parametrize("place", ["events", "rejected", "done", "unreadable"])
def test_who_came_back_in_the_home_alone_is_found(home, database, place):
    erase(home, database)
    with database.changing() as connection:
        connection.execute(delete(TOMBSTONES))
    if place == "events":
        ingest_rows(home, [some_rows()], "app", "log", now=NOW)
    elif place == "rejected":
        home.rejected.mkdir()
        mixed_up = pd.DataFrame({"item_id": [ERASED, None]})
        pq.write_table(pa.Table.from_pandas(mixed_up), home.rejected / "1.parquet")
    else:
        (home.inbox / "done").mkdir(parents=True)
        (home.inbox / "mapping.toml").write_text(MAPPING)
        head = "who,what,at,right\n" if place == "done" else "\x00\n"
        (home.inbox / "done" / "log.csv").write_text(f"{head}{ERASED},i,2024-01-01T08:00:00Z,1\n")

    with pytest.raises(DatabaseAwayError):
        check(home, database)
    run(serving.__main__.main, "erase", "--restored", "--yes", "--delete-files")

    check(home, database)
    assert find_erased(home, database) == []
    if place == "events":
        assert set(read_events(home)["student_id"]) == set(STUDENTS) - {ERASED}


def test_a_service_answers_nobody_from_a_restored_database(home, database, monkeypatch):
    erase(home, database)
    bring_back(database)
    clock = [0.0]
    monkeypatch.setattr("features.restore.time.monotonic", lambda: clock[0])
    with Database(home.database_url(), 2, check=ReturnGuard(home)) as served:
        for question in (served.reading, served.changing):
            with pytest.raises(DatabaseAwayError, match="erased since"), question():
                pass

        assert run(serving.__main__.main, "erase", "--restored", "--yes") == 0
        clock[0] = AGAIN_S

        with served.reading() as connection:
            assert set(connection.execute(select(MEMBERS.c.student_id)).scalars()) == set(STUDENTS) - {ERASED}


@pytest.mark.parametrize("words", [("--restored", "s1", "--yes"), ("--yes",), ("--restored",)])
def test_it_has_to_be_clear_who_is_meant(home, words):
    assert run(serving.__main__.main, "erase", *words) == 2
