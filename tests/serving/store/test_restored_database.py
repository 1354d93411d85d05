"""A running service whose database is put back from a back-up shows nobody who was erased since."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from fastapi.testclient import TestClient

from serving.__main__ import main
from serving.app import create_app
from tests.serving.models.test_hot_swap import wait_until


@pytest.mark.long
def test_an_erased_student_is_not_shown_after_a_restore(own_school, tmp_path, monkeypatch):
    monkeypatch.setattr("features.restore.AGAIN_S", 0.0)
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "0.1")
    team, student = own_school.team_ids[0], own_school.student_ids[0]
    file, back_up = own_school.home / "regroup.db", tmp_path / "regroup.db"
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(back_up)) as target:
        source.backup(target)
    board = f"/v1/teams/{team}/board"

    with TestClient(create_app(), headers=own_school.headers) as client:
        assert student in client.get(board).text
        assert main(["erase", student, "--yes"]) == 0
        wait_until(lambda: student not in client.get(board).text)
        for name in ("regroup.db-wal", "regroup.db-shm"):
            (own_school.home / name).unlink(missing_ok=True)
        shutil.move(back_up, file)

        refused = [client.get(board) for _ in range(5)]
        assert not [answer for answer in refused if student in answer.text]
        assert {answer.status_code for answer in refused} <= {200, 503}
        assert "regroup-stale-seconds" in refused[-1].headers or refused[-1].status_code == 503

        assert main(["erase", "--restored", "--yes"]) == 0
        wait_until(lambda: client.get(board).status_code == 200)
        assert student not in client.get(board).text
    with TestClient(create_app(), headers=own_school.headers) as client:
        answer = client.get(board)
    assert answer.status_code == 200
    assert student not in answer.text
