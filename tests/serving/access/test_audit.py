"""The audit log: on disk before the answer, in the database soon after, and never changed."""

import json
import multiprocessing
import os
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import delete, update

from features.database import Database
from features.errors import DatabaseAwayError, RegroupError
from features.tombstones import add_tombstone
from serving.__main__ import main
from serving.audit import spool
from serving.audit.entries import add_entries, list_entries, make_entry
from serving.audit.spool import Backlog, Spool
from serving.audit.writer import AuditLog
from serving.errors import NotReadyError
from serving.store.tables import AUDIT


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'regroup.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres")
    with Database(url) as database:
        yield database


def left_in(place):
    """The entries on disk that the database lacks, and whether each was set aside."""
    with sqlite3.connect(place / "audit/spool.db") as file:
        rows = file.execute("SELECT entry, set_aside FROM entries WHERE NOT shipped ORDER BY number").fetchall()
    file.close()
    return [(json.loads(entry), bool(aside)) for entry, aside in rows]


def append_and_die(folder, number):
    """What a process does that is killed after its answer went out."""
    own = Spool(folder)
    for at in range(20):
        own.append([make_entry("k1", f"r{number}-{at}", "read_board", team_id="t1")])
    os.kill(os.getpid(), signal.SIGKILL)


def entries_of(count):
    return [make_entry("k1", f"r{at}", "read_profile", team_id="t1", student_id=f"s{at}") for at in range(count)]


def test_entries_are_on_disk_when_told_and_in_the_database_later(database, tmp_path):
    log, entries = AuditLog(Spool(tmp_path / "audit"), database), entries_of(40)
    with ThreadPoolExecutor(8) as callers:
        list(callers.map(lambda entry: log.record(entry).result(timeout=30), entries))

    log.stop()

    kept = list_entries(database)
    assert sorted(kept, key=lambda entry: entry.entry_id) == sorted(entries, key=lambda entry: entry.entry_id)
    assert left_in(tmp_path) == []
    assert [entry.request_id for entry in list_entries(database, student_id="s7")] == ["r7"]


def test_the_command_shows_who_read_what_about_one_student(database, capsys, monkeypatch):
    monkeypatch.setenv("REGROUP_DATABASE_URL", database._url.render_as_string(hide_password=False))
    with database.changing() as connection:
        add_entries(connection, entries_of(3))

    assert main(["audit", "--student", "s1", "--since", "2020-01-01"]) == 0
    assert main(["audit", "--since", "2199-01-01"]) == 0

    (line,) = capsys.readouterr().out.splitlines()
    line_fields = json.loads(line)
    assert line_fields.pop("at").endswith("+00:00")
    assert line_fields == {
        "key_id": "k1",
        "request_id": "r1",
        "action": "read_profile",
        "team_id": "t1",
        "student_id": "s1",
    }


def test_what_a_killed_process_left_is_taken_once_even_if_it_was_taken_before(database, tmp_path):
    entries, killed = entries_of(3), Spool(tmp_path / "audit")
    killed.append(entries)
    with database.changing() as connection:
        add_entries(connection, entries[:1])

    assert Spool(tmp_path / "audit").ship(database) == 3
    assert killed.ship(database) == 0

    assert list_entries(database) == entries


@pytest.mark.long
def test_processes_write_to_one_file_from_its_first_moment_and_no_entry_is_lost_when_they_are_killed(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=append_and_die, args=(tmp_path / "audit", number)) for number in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=300)

    assert [process.exitcode for process in processes] == [-signal.SIGKILL] * 2
    assert len({entry["request_id"] for entry, _ in left_in(tmp_path)}) == 40


def test_an_entry_that_the_database_refuses_is_set_aside_and_the_others_go_on(database, tmp_path, caplog):
    good, spool = entries_of(3), Spool(tmp_path / "audit")
    odd = [
        replace(good[1], entry_id="nobody-named-it", action=None),
        replace(good[1], entry_id="half a character", request_id="\ud800"),
        replace(good[1], entry_id="a list", request_id=["r1"]),
        replace(good[1], entry_id="without a zone", at=good[1].at.replace(tzinfo=None)),
    ]
    spool.append([good[0], *odd, good[2]])
    with sqlite3.connect(tmp_path / "audit/spool.db") as file:
        file.execute("""INSERT INTO entries (entry) VALUES ('{"of_a_later_version": 1}')""")
    file.close()

    assert (spool.ship(database), spool.ship(database)) == (2, 0)

    assert list_entries(database) == [good[0], good[2]]
    assert [aside for _, aside in left_in(tmp_path)] == [True] * 5
    assert spool.backlog() == Backlog(0, 5, None)
    assert "the database refuses 5 audit entries" in caplog.text
    assert "s1" not in caplog.text
    assert spool.forget("s1") == 4
    spool.close()
    assert not [path for path in tmp_path.glob("audit/*") if b'"s1"' in path.read_bytes()]


def test_an_entry_that_comes_in_while_two_processes_ship_the_same_is_shipped_too(database, tmp_path, monkeypatch):
    first, second = Spool(tmp_path / "audit"), Spool(tmp_path / "audit")
    old, new = entries_of(2)
    first.append([old])

    def store_slowly(rows, database):
        refused = store(rows, database)
        monkeypatch.setattr(spool, "_store", store)
        assert second.ship(database) == 1
        second.append([new])
        return refused

    store = spool._store
    monkeypatch.setattr(spool, "_store", store_slowly)
    first.ship(database)

    assert first.ship(database) == 1
    assert {entry.entry_id for entry in list_entries(database)} == {old.entry_id, new.entry_id}


@pytest.mark.parametrize("running", [True, False])
def test_after_a_restore_the_newest_entries_are_in_the_database_again(tmp_path, monkeypatch, running):
    """Those too that were shipped after the back-up was made, whether the service ran meanwhile or not."""
    monkeypatch.setattr(spool, "KEPT", 3)
    entries, path, own = entries_of(6), tmp_path / "regroup.db", Spool(tmp_path / "audit")
    with Database(f"sqlite:///{path}", connections=1) as database, Database(f"sqlite:///{path}") as other:
        database.migrate()
        with closing(sqlite3.connect(path)) as file, closing(sqlite3.connect(tmp_path / "backup")) as backup:
            file.backup(backup)
        log = AuditLog(own, database)
        own.append(entries)
        assert log.flush()

        if not running:
            database.close()
        (tmp_path / "backup").replace(path)
        if running:
            with pytest.raises(DatabaseAwayError, match="was replaced"):
                list_entries(database)
        else:
            log = AuditLog(own, other)
        assert log.flush()

        assert list_entries(other) == entries[3:]
    own.close()


def test_an_entry_that_came_in_after_an_erasure_does_not_keep_the_student_on_disk(database, tmp_path):
    own = Spool(tmp_path / "audit")
    with database.changing(erasing=True) as connection:
        add_tombstone(connection, "s1", datetime.now(UTC))
    own.append(entries_of(3))

    assert (own.ship(database), own.ship(database)) == (3, 0)

    assert [entry.student_id for entry in list_entries(database)] == ["s0", None, "s2"]
    own.close()
    assert not [path for path in tmp_path.glob("audit/*") if b'"s1"' in path.read_bytes()]


def test_a_file_of_an_earlier_version_goes_on(database, tmp_path):
    (tmp_path / "audit").mkdir()
    with closing(sqlite3.connect(tmp_path / "audit/spool.db")) as file:
        file.execute("CREATE TABLE entries (number INTEGER PRIMARY KEY, entry TEXT, set_aside INTEGER DEFAULT 0)")
    own = Spool(tmp_path / "audit")
    own.append(entries_of(1))

    assert own.ship(database) == 1


def test_files_that_an_earlier_version_left_are_taken_too(database, tmp_path):
    entries = entries_of(2)
    lines = [json.dumps(asdict(entry) | {"at": entry.at.isoformat()}) for entry in entries]
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit/00000000001773648000-7.jsonl").write_text("\n".join([*lines, '{"entry_id": "cut o']))

    assert Spool(tmp_path / "audit").ship(database) == 2

    assert list_entries(database) == entries
    assert list(tmp_path.glob("audit/*.jsonl")) == []


def test_while_the_database_is_away_entries_stay_on_disk(tmp_path):
    place = tmp_path / "gone"
    place.write_text("no folder")
    log = AuditLog(Spool(tmp_path / "audit"), Database(f"sqlite:///{place / 'regroup.db'}"))
    entry = replace(entries_of(1)[0], at=datetime.now(UTC) - timedelta(hours=1))

    log.record(entry).result(timeout=30)
    log.stop()

    shown = {name: REGISTRY.get_sample_value(f"regroup_audit_{name}") for name in ("waiting", "oldest_seconds")}
    assert (shown["waiting"], shown["oldest_seconds"] // 600) == (1, 6)
    assert [left["entry_id"] for left, _ in left_in(tmp_path)] == [entry.entry_id]
    assert Spool(tmp_path / "audit").backlog() == Backlog(1, 0, entry.at)
    assert all(path.stat().st_mode & 0o077 == 0 for path in [tmp_path / "audit", *tmp_path.glob("audit/*")])
    place.unlink()
    with Database(f"sqlite:///{place / 'regroup.db'}") as database:
        assert Spool(tmp_path / "audit").ship(database) == 1
        assert list_entries(database) == [entry]


def test_what_cannot_be_kept_is_told(tmp_path):
    (tmp_path / "audit").write_text("no folder")
    with Database(f"sqlite:///{tmp_path / 'regroup.db'}") as database:
        log = AuditLog(Spool(tmp_path / "audit"), database)

        with pytest.raises(NotReadyError, match="so it shows nothing"):
            log.record(entries_of(1)[0]).result(timeout=30)
        log.stop()


def test_the_database_itself_refuses_to_change_or_remove_an_entry(database):
    with database.changing() as connection:
        add_entries(connection, entries_of(2))
    before = list_entries(database)

    for change in (
        delete(AUDIT),
        update(AUDIT).values(key_id="someone-else"),
        update(AUDIT).values(student_id="s9"),
        update(AUDIT).values(student_id=None, action="nothing"),
    ):
        with pytest.raises(RegroupError), database.changing() as connection:
            connection.execute(change)

    assert list_entries(database) == before
    with database.changing() as connection:
        connection.execute(update(AUDIT).where(AUDIT.c.student_id == "s0").values(student_id=None))
    assert [entry.student_id for entry in list_entries(database)] == [None, "s1"]
