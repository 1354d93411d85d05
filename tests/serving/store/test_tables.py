"""The versions of the database, up and down, with data, in a real SQLite file and in a real PostgreSQL."""

import json
import sqlite3
import subprocess
import sys
import zlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, delete, func, insert, inspect, select, text

from features import tombstones
from features.database import Database, changing, continuity, reading
from features.database.migrations import HEAD
from features.errors import InputError
from features.events import evidence
from features.events.live import answers as live
from features.roster import tables as roster
from serving.store import tables as service

TABLES = MetaData()
for part in (continuity, roster, tombstones, live, evidence, service):
    for table in part.METADATA.sorted_tables:
        table.to_metadata(TABLES)

PLAN = {"id": "p1", "created_at": datetime(2026, 3, 16, tzinfo=UTC), "team_id": "t1", "problem_hash": "0" * 64}


def test_the_versions_make_the_tables_that_the_code_works_with(database):
    database.migrate()

    with database.reading() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), TABLES)

    assert database.version() == HEAD
    assert differences == []


def test_a_plan_outlives_the_way_down_and_up(database):
    long = json.dumps({"why": "ä need of ratios" * 1000}, ensure_ascii=False)
    with database.changing() as connection:
        connection.execute(insert(service.RECOMMENDATIONS).values(**PLAN, request="{}", answer=long, problem="{}"))

    size = select(func.length(service.RECOMMENDATIONS.c.answer))
    with database.reading() as connection:
        assert connection.execute(size).scalar() < len(long) / 50
    database.migrate("0004")
    with database.reading() as connection:
        assert connection.execute(text("SELECT answer, problem FROM recommendations")).one() == (long, "{}")
    database.migrate()
    with database.reading() as connection:
        assert connection.execute(size).scalar() < len(long) / 50
    database.migrate("0001")
    assert database.version() == "0001"
    database.migrate()

    with database.reading() as connection:
        row = connection.execute(select(service.RECOMMENDATIONS)).mappings().one()
    assert (row["id"], row["answer"], row["problem"]) == ("p1", long, None)


def test_tables_from_before_there_were_versions_are_taken_over(database):
    with database._connection() as connection:
        roster.TEAMS.create(connection)
        connection.execute(insert(roster.TEAMS).values(team_id="t1", school="North"))

    database.migrate()

    with database.reading() as connection:
        assert connection.execute(select(roster.TEAMS.c.school)).scalar() == "North"
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []


def test_the_way_to_nothing_leaves_nothing(database):
    database.migrate()
    database.migrate("base")

    with database._connection() as connection:
        left = set(inspect(connection).get_table_names()) - {"alembic_version"}
    assert left == set()


def test_tables_of_a_later_version_are_refused(database):
    database.migrate()
    with database._connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(InputError, match=f"version 9999, this regroup knows {HEAD}; update regroup"):
        Database.migrate(database)


def test_a_change_that_fails_leaves_nothing(database):
    row = insert(service.RECOMMENDATIONS).values(**PLAN, request="{}", answer="{}", problem="{}")

    with pytest.raises(InputError, match="refuses what it was given"), database.changing() as connection:
        [connection.execute(row) for _ in range(2)]

    with database.reading() as connection:
        assert connection.execute(select(service.RECOMMENDATIONS)).first() is None


def test_a_url_opens_and_closes_a_connection_of_its_own(tmp_path):
    url = f"sqlite:///{tmp_path / 'regroup.db'}"
    with changing(url) as connection:
        connection.execute(insert(roster.TEAMS).values(team_id="t1", school="North"))

    with reading(url) as connection:
        assert connection.execute(select(roster.TEAMS.c.team_id)).scalar() == "t1"
    with sqlite3.connect(tmp_path / "regroup.db") as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    file.close()


def test_changes_are_logged_beside_the_file_until_a_checkpoint(tmp_path):
    file = tmp_path / "regroup.db"
    with Database(f"sqlite:///{file}", connections=2) as database:
        database.checkpoint()  # nothing is there yet
        for number in range(60):  # far more than SQLite collects by itself
            with database.changing() as connection:
                connection.execute(insert(roster.TEAMS).values(team_id=f"t{number}", school="North" * 100_000))
        before = file.stat().st_size

        database.checkpoint()

        assert before < 2**20 < 20 * 2**20 < file.stat().st_size
        with database.reading() as connection:
            assert connection.execute(select(func.count()).select_from(roster.TEAMS)).scalar() == 60


CHECKPOINT = """
import fcntl, sys, time
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX, 1, 121)  # WAL_CKPT_LOCK of https://sqlite.org/walformat.html
    print("held", flush=True)
    time.sleep(0.2)
"""


def test_what_was_deleted_leaves_the_file_though_a_checkpoint_runs(tmp_path):
    file = tmp_path / "regroup.db"
    with Database(f"sqlite:///{file}", connections=2) as database:
        with database.changing() as connection:
            connection.execute(insert(roster.TEAMS).values(team_id="t1", school="Gone"))
        with database.changing() as connection:
            connection.execute(delete(roster.TEAMS))
        command = [sys.executable, "-c", CHECKPOINT, f"{file}-shm"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout.readline() == "held\n"

            database.compact()

        assert b"Gone" not in file.read_bytes() + file.with_name("regroup.db-wal").read_bytes()


def test_a_moment_comes_back_in_utc_whoever_wrote_it(database):
    """Earlier versions wrote UTC without a zone to SQLite; a session of PostgreSQL may be of any zone."""
    six = datetime(2026, 3, 16, 6, tzinfo=UTC)
    written = {**PLAN, "created_at": six.astimezone(timezone(timedelta(hours=9)))}
    columns = "(id, created_at, team_id, problem_hash, request, answer)"
    packed = f"x'{zlib.compress(b'{}').hex()}'" if database.is_sqlite else f"'\\x{zlib.compress(b'{}').hex()}'"
    stored = "2026-03-16 06:00:00.000000" if database.is_sqlite else "2026-03-16 06:00:00+00"

    with database.changing() as connection:
        connection.execute(insert(service.RECOMMENDATIONS).values(**written, request="{}", answer="{}"))
        values = f"('p2', '{stored}', 't1', '', '{{}}', {packed})"
        connection.execute(text(f"INSERT INTO recommendations {columns} VALUES {values}"))

    with database.reading() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET TIME ZONE 'Asia/Tokyo'"))
        moments = connection.execute(select(service.RECOMMENDATIONS.c.created_at)).scalars().all()
        same = (
            select(func.count()).select_from(service.RECOMMENDATIONS).where(service.RECOMMENDATIONS.c.created_at == six)
        )
        assert connection.execute(same).scalar() == 2
    assert [moment.isoformat() for moment in moments] == ["2026-03-16T06:00:00+00:00"] * 2
