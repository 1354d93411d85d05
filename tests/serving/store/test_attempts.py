"""An attempt that failed while the database was locked leaves its key to whoever asks after the takeover."""

import sqlite3
import time
from datetime import timedelta

import pytest

from features.database import Database, connection
from features.errors import BusyError
from serving.access.caller import ANYBODY
from serving.api.idempotency import Attempt
from serving.errors import InFlightError


def test_a_key_that_could_not_be_freed_is_taken_over(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "WAIT_S", 0.05)
    file = tmp_path / "regroup.db"
    with Database(f"sqlite:///{file}") as database, sqlite3.connect(file, isolation_level=None) as other:
        database.migrate()

        def attempt():
            times = {"kept": timedelta(days=1), "takeover": timedelta(seconds=1)}
            return Attempt(database, ANYBODY, "key", "asked", note=lambda *_: None, **times)

        def fail_while_another_writes():
            with attempt():
                other.execute("BEGIN IMMEDIATE")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail_while_another_writes()
        with pytest.raises(BusyError), attempt():
            pass
        other.rollback()

        until = time.monotonic() + 30
        while True:
            try:
                with attempt() as again:
                    assert again.replay is None
                break
            except InFlightError:
                assert time.monotonic() < until
                time.sleep(0.02)
    other.close()
