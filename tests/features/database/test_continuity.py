"""A database that was replaced, taken away or restored is noticed before it is changed, SQLite and PostgreSQL."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import func, insert, select, text

from features.database import Database, DatabaseAwayError
from features.database.continuity import IDENTITY, read_identity
from features.roster.tables import TEAMS


@pytest.fixture
def open_sqlite(tmp_path):
    """Opens the same file as often as asked, as processes of a service do."""
    opened = []

    def open_one():
        database = Database(f"sqlite:///{tmp_path / 'regroup.db'}", 2, tmp_path / "database.json")
        opened.append(database)
        return database

    yield open_one
    for database in opened:
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def open_database(request, open_sqlite, tmp_path):
    """Opens the same database as often as asked."""
    if request.param == "sqlite":
        yield open_sqlite
        return
    url = request.getfixturevalue("empty_postgres")
    opened = []

    def open_one():
        opened.append(Database(url, 2, tmp_path / "database.json"))
        return opened[-1]

    yield open_one
    for database in opened:
        database.close()


def add(database, team_id):
    with database.changing() as connection:
        connection.execute(insert(TEAMS).values(team_id=team_id, school="North"))


def teams_of(database):
    with database.reading() as connection:
        return set(connection.execute(select(TEAMS.c.team_id)).scalars())


def back_up(folder):
    with closing(sqlite3.connect(folder / "regroup.db")) as old, closing(sqlite3.connect(folder / "backup")) as new:
        old.backup(new)


def put_back(database, changes):
    """Does to the rows what a restored back-up would."""
    with database._connection() as connection:
        connection.execute(TEAMS.delete().where(TEAMS.c.team_id != "kept"))
        connection.execute(IDENTITY.update().values(changes=changes))
        if not database.is_sqlite:
            connection.execute(text(f"SELECT setval('database_changes', {changes})"))


def identity_of(database):
    with database.reading() as connection:
        return read_identity(connection)


def test_a_replaced_file_is_noticed_by_each_process_before_its_next_change(open_sqlite, tmp_path):
    """What was acknowledged after the back-up is gone with it, and nothing is acknowledged that is not in the file."""
    first, second = open_sqlite(), open_sqlite()
    add(first, "kept")
    back_up(tmp_path)
    add(second, "after the back-up")  # is in the log of changes beside the file

    (tmp_path / "backup").replace(tmp_path / "regroup.db")

    for number, database in enumerate((first, second)):
        with pytest.raises(DatabaseAwayError, match="was replaced; try again"):
            add(database, "refused")
        add(database, f"new {number}")
        assert database.restarts == 1
    assert teams_of(first) == teams_of(second) == {"kept", "new 0", "new 1"}
    with closing(sqlite3.connect(tmp_path / "regroup.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("SELECT count(*) FROM roster_teams").fetchone() == (3,)


@pytest.mark.parametrize("who", ["the change", "a reader"])
def test_a_file_that_is_replaced_during_a_change_acknowledges_nothing(open_sqlite, tmp_path, who):
    """Whichever thread is the first to notice."""
    database = open_sqlite()
    add(database, "kept")
    back_up(tmp_path)

    def change():
        with database.changing() as connection:
            connection.execute(insert(TEAMS).values(team_id="lost", school="North"))
            (tmp_path / "backup").replace(tmp_path / "regroup.db")
            if who == "a reader":
                with pytest.raises(DatabaseAwayError, match="was replaced"):
                    teams_of(database)
                assert teams_of(database) == {"kept"}

    with pytest.raises(DatabaseAwayError, match="was replaced"):
        change()

    assert teams_of(database) == {"kept"}


def test_a_file_that_was_taken_away_is_not_begun_anew(open_sqlite, tmp_path):
    """Neither by who has it open nor by a process that starts meanwhile."""
    running = open_sqlite()
    add(running, "kept")
    shutil.move(tmp_path / "regroup.db", tmp_path / "aside")

    for database in (running, open_sqlite()):
        for act in (teams_of, lambda database: add(database, "lost"), Database.migrate):
            with pytest.raises(DatabaseAwayError, match="is gone; put it back"):
                act(database)

    assert not (tmp_path / "regroup.db").exists()
    shutil.move(tmp_path / "aside", tmp_path / "regroup.db")
    add(running, "new")
    assert teams_of(open_sqlite()) == {"kept", "new"}


def test_a_restored_back_up_is_noticed_even_after_others_have_passed_its_count(open_database):
    first, second, third = open_database(), open_database(), open_database()
    add(first, "kept")
    old = identity_of(first)
    for number in range(5):
        add(first, f"after the back-up {number}")
    assert len(teams_of(second)) == len(teams_of(third)) == 6

    put_back(first, old.changes)

    with pytest.raises(DatabaseAwayError, match="was restored from a back-up; try again"):
        teams_of(second)
    assert teams_of(second) == {"kept"}
    for number in range(9):
        add(second, f"new {number}")
    assert identity_of(second).epoch != old.epoch
    with pytest.raises(DatabaseAwayError, match="was restored"):
        add(third, "refused")
    add(third, "new")
    assert teams_of(third) == teams_of(open_database()) == {"kept", "new", *(f"new {number}" for number in range(9))}
    assert [database.restarts for database in (second, third)] == [1, 1]


def test_changes_of_others_and_changes_that_fail_are_no_restore(open_database):
    first, second = open_database(), open_database()
    for number in range(3):
        add(first, f"a{number}")
        add(second, f"b{number}")
        with pytest.raises(ZeroDivisionError), first.changing():
            1 / 0  # noqa: B018 - fails
        assert teams_of(first) == teams_of(second)

    assert (first.restarts, second.restarts) == (0, 0)


def test_tables_that_are_away_are_neither_taken_for_none_nor_made(open_database):
    """As in the middle of a restore: a reader of API keys would refuse everybody."""
    running = open_database()
    add(running, "kept")
    with running._connection() as connection:
        tables = ["database_identity", "alembic_version", "roster_teams"]
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO away_{table}"))

    for database in (running, open_database()):
        for act in (teams_of, lambda database: add(database, "lost")):
            with pytest.raises(DatabaseAwayError, match="lost its tables"):
                act(database)

    with running._connection() as connection:
        for table in tables:
            connection.execute(text(f"ALTER TABLE away_{table} RENAME TO {table}"))
    add(running, "new")
    with running.reading() as connection:
        assert connection.execute(select(func.count()).select_from(TEAMS)).scalar() == 2


def test_the_database_of_another_installation_is_refused_until_the_marker_is_deleted(open_sqlite, tmp_path):
    add(open_sqlite(), "kept")
    (tmp_path / "regroup.db").unlink()
    with Database(f"sqlite:///{tmp_path / 'regroup.db'}") as other:  # a command knows of no home
        add(other, "of others")

    with pytest.raises(DatabaseAwayError, match=r"another installation's data .* delete database\.json of the home"):
        add(open_sqlite(), "refused")

    (tmp_path / "database.json").unlink()
    assert teams_of(open_sqlite()) == {"of others"}


def test_a_file_that_may_not_be_looked_at_is_away_until_it_may(open_sqlite, tmp_path):
    database, file = open_sqlite(), tmp_path / "regroup.db"
    add(database, "T1")
    file.rename(tmp_path / "aside")
    file.symlink_to(file)  # a loop: nothing says whether there is a file

    with pytest.raises(DatabaseAwayError, match=r"regroup\.db' cannot be looked at: Too many levels"):
        teams_of(database)

    file.unlink()
    (tmp_path / "aside").rename(file)
    assert teams_of(database) == {"T1"}
