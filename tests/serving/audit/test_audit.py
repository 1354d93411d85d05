"""The audit log: on disk before the answer, in the database soon after, and never changed."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, update

from features.database import Database
from features.errors import RegroupError
from serving.__main__ import main
from serving.audit.entries import add_entries, list_entries, make_entry
from serving.audit.spool import Spool
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


def entries_of(count):
    return [make_entry("k1", f"r{at}", "read_profile", team_id="t1", student_id=f"s{at}") for at in range(count)]


def test_entries_are_on_disk_when_told_and_in_the_database_later(database, tmp_path):
    log, entries = AuditLog(Spool(tmp_path / "audit"), database), entries_of(40)
    with ThreadPoolExecutor(8) as callers:
        list(callers.map(lambda entry: log.record(entry).result(timeout=30), entries))

    log.stop()

    kept = list_entries(database)
    assert sorted(kept, key=lambda each: each.entry_id) == sorted(entries, key=lambda each: each.entry_id)
    assert list(tmp_path.glob("audit/*")) == []
    assert [each.request_id for each in list_entries(database, student_id="s7")] == ["r7"]


def test_the_command_shows_who_read_what_about_one_student(database, capsys, monkeypatch):
    monkeypatch.setenv("REGROUP_DATABASE_URL", database._url.render_as_string(hide_password=False))
    with database.changing() as connection:
        add_entries(connection, entries_of(3))

    assert main(["audit", "--student", "s1", "--since", "2020-01-01"]) == 0
    assert main(["audit", "--since", "2199-01-01"]) == 0

    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told.pop("at").endswith("+00:00")
    assert told == {
        "key_id": "k1",
        "request_id": "r1",
        "action": "read_profile",
        "team_id": "t1",
        "student_id": "s1",
    }


def test_what_a_killed_process_left_is_taken_once_even_if_it_was_taken_before(database, tmp_path):
    entries = entries_of(3)
    with database.changing() as connection:
        add_entries(connection, entries[:1])
    killed = Spool(tmp_path / "audit")
    killed.append(entries)
    other = Spool(tmp_path / "audit")

    assert other.ship(database) == 0  # the process still lives
    killed.close_file()
    left = next(tmp_path.glob("audit/*.jsonl"))
    left.write_bytes(left.read_bytes() + b'{"entry_id": "cut o')

    assert other.ship(database) == 3
    assert list_entries(database) == entries


def test_while_the_database_is_away_entries_stay_on_disk(tmp_path):
    place = tmp_path / "gone"
    place.write_text("no folder")
    log = AuditLog(Spool(tmp_path / "audit"), Database(f"sqlite:///{place / 'regroup.db'}"))
    entry = entries_of(1)[0]

    log.record(entry).result(timeout=30)
    log.stop()

    (left,) = tmp_path.glob("audit/*.jsonl")
    assert json.loads(left.read_text())["entry_id"] == entry.entry_id
    assert left.stat().st_mode & 0o077 == 0
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


def test_nothing_is_shown_that_cannot_be_noted(district, tmp_path, monkeypatch):
    (tmp_path / "audit").write_text("no folder")
    client, address = district.client("north"), f"/v1/teams/{district.north['team_id']}/board"

    with monkeypatch.context() as disk:
        disk.setattr(district.app.state.audit, "_spool", Spool(tmp_path / "audit"))
        answer = client.get(address)

    assert (answer.status_code, answer.json()["rule"]) == (503, "audit_not_kept")
    assert answer.headers["retry-after"]
    assert district.north["student_id"] not in answer.text
    assert client.get(address).status_code == 200


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
    assert [each.student_id for each in list_entries(database)] == [None, "s1"]
